"""Tokens and enrolments, whole and garbled; nothing that is secret is shown."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.core.credentials import (
    Certificate,
    Enrollment,
    SharedAccessSignature,
    SymmetricKey,
    is_host,
)
from fwsm.errors import ConfigError, ConnectionStringError

KEY = "c2VjcmV0IGtleSBvZiB0aGUgZGV2aWNl"
TOKEN = f"SharedAccessSignature sr=hub.example%2Fdevices%2Fpump%207&sig={KEY}&se=1900000000"


def test_a_token_says_whose_it_is_and_when_it_ends() -> None:
    """White space around it does no harm, as in a file."""
    token = SharedAccessSignature.parse(f"{TOKEN}\n")
    assert (token.host, token.device_id, token.expires_at) == ("hub.example", "pump 7", 1900000000)
    assert token.text == TOKEN


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "this is not a shared access signature"),
        (TOKEN.removeprefix("SharedAccessSignature "), "this is not a shared access signature"),
        (TOKEN.replace("sr=", "rs="), "has no sr"),
        (TOKEN.replace(KEY, ""), "has no sig"),
        (TOKEN.replace("&se=1900000000", ""), "has no se"),
        (TOKEN.replace("1900000000", "tomorrow"), "se of the shared access signature is not a time"),
        (TOKEN.replace("%2Fdevices%2Fpump%207", ""), "is not for a device"),
        (TOKEN.replace("pump%207", "pump%2Fmodules%2Fm"), "is not for a device"),
    ],
)
def test_a_garbled_token_is_refused_and_not_shown(text: str, what: str) -> None:
    """The part that is wrong is named."""
    with pytest.raises(ConnectionStringError, match=what) as caught:
        SharedAccessSignature.parse(text)
    assert KEY not in str(caught.value)


def test_a_key_that_is_not_base64_is_refused_and_not_shown() -> None:
    """The message uses the name by which the reader knows it."""
    with pytest.raises(ConnectionStringError, match=r"^dps_symmetric_key is not base64.*Copy it") as caught:
        SymmetricKey.parse("lo$t", "dps_symmetric_key", "Copy it")
    assert "lo$t" not in str(caught.value)
    assert SymmetricKey.parse(KEY, "k", "f").key == KEY


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"id_scope": ""}, "dps_id_scope is ''"),
        ({"id_scope": "0ne/1"}, "dps_id_scope is '0ne/1'"),
        ({"registration_id": ""}, "registration_id is ''"),
        ({"registration_id": "a b"}, "registration_id is 'a b'"),
        ({"registration_id": "-a"}, "registration_id is '-a'"),
        ({"registration_id": "a" * 129}, "registration_id is 'aaa"),
    ],
)
def test_an_enrolment_with_an_impossible_name_is_refused(changes: dict[str, Any], what: str) -> None:
    """The service would not know it; the longest and the shortest names are fine."""
    with pytest.raises(ConfigError, match=what):
        Enrollment(**{"id_scope": "0ne1", "registration_id": "r1", "proof": SymmetricKey(KEY), **changes})
    for name in ("a", "Pump-7_b.c:d", "a" * 128):
        assert Enrollment("0ne1", name, SymmetricKey(KEY)).registration_id == name


def test_no_secret_is_in_a_repr() -> None:
    """Keys, tokens and passphrases stay out of logs."""
    for each in (SymmetricKey(KEY), SharedAccessSignature.parse(TOKEN), Certificate("c", "k", KEY)):
        assert KEY not in repr(each)


def test_a_host_has_no_port_and_no_path() -> None:
    """Names and addresses of both kinds."""
    assert all(map(is_host, ("hub.example", "127.0.0.1", "[::1]", "my_hub")))
    assert not any(map(is_host, ("", "hub:8883", "hub/", "a b", "https://hub")))
