"""From the settings to the one way in which this device proves who it is.

Exactly one of `connection_string`, `sas_token_file` and `dps_id_scope` says where the device finds its hub. Beside it
stand only settings that belong to it: one that would silently count for nothing is an error.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from fwsm.config import SECRETS
from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Certificate, Enrollment, SymmetricKey, TokenFile, is_host
from fwsm.core.proxy import Proxy
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from fwsm.config import DeviceConfig
    from fwsm.core.connection_string import Credentials

__all__ = ["credentials_of", "secrets_of"]

_WAYS = ("connection_string", "sas_token_file", "dps_id_scope")
_DPS_ONLY = ("dps_symmetric_key", "registration_id")
_SECRET_PARTS = ("SharedAccessKey", "SharedAccessSignature")
_CERTIFICATE = ("x509_cert_file", "x509_key_file")


def credentials_of(config: DeviceConfig) -> Credentials:
    """Return how the device proves who it is.

    Raises:
        ConfigError: settings are missing, or do not go together.
        ConnectionStringError: a part of the connection string is missing or wrong.
    """
    way = _way(config)
    if config.gateway_host and not is_host(config.gateway_host):
        raise ConfigError(
            f"gateway_host is {config.gateway_host!r}",
            why="it must be the name of a host",
            fix="Leave port and path out",
            setting="gateway_host",
        )
    certificate = _certificate(config)
    if way == "dps_id_scope":
        return _enrollment(config, certificate)
    for name in _DPS_ONLY:
        if getattr(config, name):
            raise _in_vain(name, "it belongs to dps_id_scope, which is not set")
    if way == "sas_token_file":
        if certificate is not None:
            raise _in_vain("x509_cert_file", "the device proves who it is by sas_token_file")
        return TokenFile(config.sas_token_file, config.gateway_host)
    connection = DeviceConnection.parse(config.connection_string, certificate)
    if certificate is not None and connection.proof != certificate:
        raise _in_vain("x509_cert_file", "the connection string holds a key or a token, not x509=true")
    return _through_gateway(connection, config.gateway_host)


def secrets_of(config: DeviceConfig) -> frozenset[str]:
    """Return every text in the settings that is to be shown nowhere, in each form in which it is used."""
    whole = {getattr(config, name) for name in SECRETS}
    parts = (part.strip().partition("=") for part in config.connection_string.split(";"))
    keys = {value for name, _, value in parts if name in _SECRET_PARTS}
    with suppress(ConfigError):
        proxy = Proxy.parse(config.proxy)
        keys |= {proxy.password, quote(proxy.password, safe="")}
    return frozenset((whole | keys) - {""})


def _way(config: DeviceConfig) -> str:
    ways = [name for name in _WAYS if getattr(config, name).strip()]
    if not ways:
        raise ConfigError(
            "the device has no connection string",
            why="the other ways to its hub, sas_token_file and dps_id_scope, are not set either",
            fix="Set FWSM_CONNECTION_STRING, or connection_string in the file given with --config",
        )
    if len(ways) > 1:
        raise _in_vain(ways[1], f"{ways[0]} says already where the device finds its hub")
    return ways[0]


def _certificate(config: DeviceConfig) -> Certificate | None:
    given = [name for name in _CERTIFICATE if getattr(config, name)]
    if not given:
        if config.x509_key_passphrase:
            raise _in_vain("x509_key_passphrase", "there is no x509_key_file that it could open")
        return None
    if len(given) == 1:
        (missing,) = set(_CERTIFICATE) - set(given)
        raise ConfigError(
            f"{given[0]} is set and {missing} is not",
            why="a certificate is proved by its private key",
            fix="Set both; they may be one file that holds both",
            setting=given[0],
        )
    return Certificate(config.x509_cert_file, config.x509_key_file, config.x509_key_passphrase)


def _enrollment(config: DeviceConfig, certificate: Certificate | None) -> Enrollment:
    if not config.registration_id:
        raise ConfigError(
            "dps_id_scope is set and registration_id is not",
            why="the provisioning service knows the device by it",
            fix="Set it to the registration ID of the enrolment, or to one of the device's own in a group",
            setting="dps_id_scope",
        )
    if not is_host(config.dps_host):
        raise ConfigError(
            f"dps_host is {config.dps_host!r}",
            why="it must be the name of a host",
            fix="Leave port and path out",
            setting="dps_host",
        )
    if bool(config.dps_symmetric_key) == (certificate is not None):
        both = certificate is not None
        raise ConfigError(
            f"dps_symmetric_key and x509_cert_file are {'both' if both else 'not'} set",
            why="the device proves who it is to the provisioning service by one of them",
            fix="Leave one of them out" if both else "Set dps_symmetric_key, or x509_cert_file and x509_key_file",
            setting="dps_symmetric_key" if both else "dps_id_scope",
        )
    return Enrollment(
        config.dps_id_scope, config.registration_id, certificate or _key(config), config.dps_host, config.gateway_host
    )


def _key(config: DeviceConfig) -> SymmetricKey:
    name = "dps_symmetric_key"
    try:
        return SymmetricKey.parse(config.dps_symmetric_key, name, "Copy the whole key of the enrolment")
    except ConfigError as error:
        error.setting = name
        raise


def _through_gateway(connection: DeviceConnection, gateway_host: str) -> DeviceConnection:
    if not gateway_host:
        return connection
    if connection.gateway_host not in {"", gateway_host}:
        raise ConfigError(
            "the connection string names another gateway than gateway_host",
            why=f"{connection.gateway_host} and {gateway_host}",
            fix="Leave one of them out",
            setting="gateway_host",
        )
    return replace(connection, gateway_host=gateway_host)


def _in_vain(name: str, why: str) -> ConfigError:
    return ConfigError(f"{name} counts for nothing", why=why, fix="Leave one of them out", setting=name)
