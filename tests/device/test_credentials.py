"""From the settings to one way of proof; every combination that makes no sense is told."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.config import DeviceConfig
from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import GLOBAL_DPS_HOST, Certificate, Enrollment, SymmetricKey, TokenFile
from fwsm.device.credentials import credentials_of, secrets_of
from fwsm.errors import ConfigError

KEY = "c2VjcmV0IGtleSBvZiB0aGUgZGV2aWNl"
PLACE = "HostName=hub.example;DeviceId=d1"
STRING = f"{PLACE};SharedAccessKey={KEY}"
FILES = {"x509_cert_file": "c.pem", "x509_key_file": "k.pem"}
DPS = {"dps_id_scope": "0ne1", "registration_id": "r1"}


@pytest.mark.parametrize(
    ("settings", "credentials"),
    [
        ({"connection_string": STRING}, DeviceConnection("hub.example", "d1", SymmetricKey(KEY))),
        (
            {"connection_string": STRING, "gateway_host": "edge"},
            DeviceConnection("hub.example", "d1", SymmetricKey(KEY), "edge"),
        ),
        (
            {"connection_string": f"{PLACE};x509=true", **FILES, "x509_key_passphrase": "open"},
            DeviceConnection("hub.example", "d1", Certificate("c.pem", "k.pem", "open")),
        ),
        ({"sas_token_file": "/run/token", "gateway_host": "edge"}, TokenFile("/run/token", "edge")),
        ({**DPS, "dps_symmetric_key": KEY}, Enrollment("0ne1", "r1", SymmetricKey(KEY), GLOBAL_DPS_HOST)),
        (
            {**DPS, **FILES, "dps_host": "dps.example", "gateway_host": "edge"},
            Enrollment("0ne1", "r1", Certificate("c.pem", "k.pem"), "dps.example", "edge"),
        ),
    ],
)
def test_each_way_of_proof_is_taken(settings: dict[str, Any], credentials: object) -> None:
    """Key, certificate and token with the hub; key and certificate with the provisioning service."""
    assert credentials_of(DeviceConfig(**settings)) == credentials


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({}, "no connection string: the other ways to its hub, sas_token_file and dps_id_scope, are not set either"),
        ({"connection_string": STRING, **DPS}, "dps_id_scope counts for nothing: connection_string says"),
        ({"connection_string": STRING, "sas_token_file": "t"}, "sas_token_file counts for nothing"),
        ({"connection_string": STRING, "registration_id": "r"}, "registration_id counts for nothing"),
        ({"connection_string": STRING, "dps_symmetric_key": KEY}, "dps_symmetric_key counts for nothing"),
        (
            {"connection_string": STRING, **FILES},
            "x509_cert_file counts for nothing: the connection string holds a key",
        ),
        ({"connection_string": f"{PLACE};x509=true"}, "x509=true, but there is no certificate"),
        ({"connection_string": f"{STRING};GatewayHostName=a", "gateway_host": "b"}, "another gateway .*: a and b"),
        ({"connection_string": STRING, "gateway_host": "edge:1"}, "gateway_host is 'edge:1'"),
        ({"sas_token_file": "t", **FILES}, "x509_cert_file counts for nothing: .* sas_token_file"),
        ({"sas_token_file": "t", "x509_key_passphrase": "p"}, "x509_key_passphrase counts for nothing"),
        ({"sas_token_file": "t", "x509_cert_file": "c"}, "x509_cert_file is set and x509_key_file is not"),
        ({"sas_token_file": "t", "x509_key_file": "k"}, "x509_key_file is set and x509_cert_file is not"),
        ({"dps_id_scope": "0ne1", "dps_symmetric_key": KEY}, "dps_id_scope is set and registration_id is not"),
        (DPS, "dps_symmetric_key and x509_cert_file are not set"),
        ({**DPS, **FILES, "dps_symmetric_key": KEY}, "dps_symmetric_key and x509_cert_file are both set"),
        ({**DPS, "dps_symmetric_key": "lo$t"}, "dps_symmetric_key is not base64"),
        ({**DPS, "dps_symmetric_key": KEY, "dps_host": "dps:8883"}, "dps_host is 'dps:8883'"),
        ({**DPS, "dps_symmetric_key": KEY, "dps_id_scope": "0 ne"}, "dps_id_scope is '0 ne'"),
    ],
)
def test_what_does_not_go_together_is_told(settings: dict[str, Any], what: str) -> None:
    """The setting, the reason and the way out; never a secret."""
    with pytest.raises(ConfigError, match=what) as caught:
        credentials_of(DeviceConfig(**settings))
    assert caught.value.fix
    assert KEY not in str(caught.value)


def test_every_secret_of_the_settings_is_known_in_each_of_its_forms() -> None:
    """Whole, and the part that is the secret; a password also as an address has it. What is wrong is known as well."""
    config = DeviceConfig(
        connection_string=STRING,
        proxy="socks5://me:p%2Fw@proxy",
        dps_symmetric_key="ZHBz",
        x509_key_passphrase="open sesame",
    )
    assert secrets_of(config) == {*(STRING, KEY, "ZHBz", "open sesame", "socks5://me:p%2Fw@proxy", "p/w", "p%2Fw")}
    assert secrets_of(DeviceConfig(proxy="me:secret@proxy")) == {"me:secret@proxy"}
    assert secrets_of(DeviceConfig()) == frozenset()
