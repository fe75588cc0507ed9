"""Makes the SDK's clients: for the hub, and for the Device Provisioning Service."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from azure.iot.device import X509, ProxyOptions
from azure.iot.device.aio import IoTHubDeviceClient, ProvisioningDeviceClient

from fwsm.core.credentials import Certificate, SharedAccessSignature, dialled
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from fwsm.core.connection_string import DeviceConnection
    from fwsm.core.credentials import Enrollment
    from fwsm.core.proxy import Proxy

__all__ = [
    "Network",
    "check_authorities",
    "check_certificate",
    "check_token_ttl",
    "new_client",
    "new_provisioning_client",
]

_RENEWED_BEFORE_S = 120  # by the SDK


@dataclass(frozen=True, slots=True)
class Network:
    """The way to the hub and to the Device Provisioning Service.

    Attributes:
        ca_pem: the certificates to trust, PEM; None for the system's.
        proxy: through which both are reached; None for none.
        websockets: MQTT over WebSocket on port 443 instead of port 8883.
        keep_alive_s: a connection that has died silently is noticed after about twice this; also how long a peer that
            is silent in the TLS handshake can hold up the SDK.
        token_ttl_s: how long an access token that is made of a key is valid; the SDK renews it two minutes before its
            end.
    """

    ca_pem: str | None = None
    proxy: Proxy | None = None
    websockets: bool = False
    keep_alive_s: int = 60
    token_ttl_s: int = 3600

    def options(self) -> dict[str, Any]:
        """Return what every client of the SDK takes."""
        return {
            "server_verification_cert": self.ca_pem,
            "proxy_options": _proxy_options(self.proxy),
            "websockets": self.websockets,
            "keep_alive": self.keep_alive_s,
        }


def new_client(connection: DeviceConnection, network: Network) -> IoTHubDeviceClient:
    """Return a client for the hub that does nothing of its own accord; blocks while the SDK's pipeline is busy."""
    options = network.options() | {
        "auto_connect": False,
        "connection_retry": False,
        # The supervisor reads the twin after each connect.
        "ensure_desired_properties": False,
    }
    if connection.gateway_host:
        options["gateway_hostname"] = dialled(connection.gateway_host)
    place = {"hostname": dialled(connection.host), "device_id": connection.device_id}
    match connection.proof:
        case SharedAccessSignature(text):
            return IoTHubDeviceClient.create_from_sastoken(text, **options)
        case Certificate() as certificate:
            return IoTHubDeviceClient.create_from_x509_certificate(_x509(certificate), **place, **options)
        case key:
            options["sastoken_ttl"] = network.token_ttl_s
            return IoTHubDeviceClient.create_from_symmetric_key(key.key, **place, **options)


def new_provisioning_client(enrollment: Enrollment, network: Network) -> ProvisioningDeviceClient:
    """Return a client for one registration; blocks while the SDK's pipeline is busy."""
    place = {
        "provisioning_host": dialled(enrollment.host),
        "registration_id": enrollment.registration_id,
        "id_scope": enrollment.id_scope,
    }
    match enrollment.proof:
        case Certificate() as certificate:
            return ProvisioningDeviceClient.create_from_x509_certificate(
                x509=_x509(certificate), **place, **network.options()
            )
        case key:
            return ProvisioningDeviceClient.create_from_symmetric_key(
                symmetric_key=key.key, **place, **network.options()
            )


def check_authorities(ca_pem: str | None) -> None:
    """Check certificates to trust.

    Raises:
        ConfigError: they are no PEM text.
    """
    if ca_pem is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            "the CA certificate of the hub cannot be read",
            why=f"it is not PEM text ({error})",
            fix="Give the text of a file that starts with -----BEGIN CERTIFICATE-----",
        ) from error


def check_token_ttl(token_ttl_s: int) -> None:
    """Check how long a token is to be valid.

    Raises:
        ConfigError: so short that the SDK would do nothing but renew it, without a pause.
    """
    if token_ttl_s <= _RENEWED_BEFORE_S:
        raise ConfigError(
            f"a token cannot be valid for {token_ttl_s} s",
            why=f"it is renewed {_RENEWED_BEFORE_S} s before its end",
            fix="Give 900 s or more",
        )


def check_certificate(certificate: Certificate) -> None:
    """Check that a device's certificate can be shown: what is wrong with its files would only surface in the handshake.

    Raises:
        ConfigError: a file cannot be read, the key is another's, or the passphrase does not open it.
    """
    try:
        # Without a passphrase OpenSSL would ask at the terminal for it.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(
            certificate.cert_file, certificate.key_file, lambda: certificate.passphrase
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            "the certificate of this device cannot be used",
            why=f"{certificate.cert_file} with {certificate.key_file}: {_said(error)}",
            fix="Set x509_cert_file and x509_key_file to the files of one pair, and x509_key_passphrase if need be",
            setting="x509_cert_file",
        ) from error


def _said(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not a certificate with its key, or another passphrase ({error.reason or error.args[-1]})"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def _x509(certificate: Certificate) -> X509:
    return X509(certificate.cert_file, certificate.key_file, certificate.passphrase or None)  # type: ignore[no-untyped-call]


def _proxy_options(proxy: Proxy | None) -> ProxyOptions | None:
    if proxy is None:
        return None
    return ProxyOptions(  # type: ignore[no-untyped-call]
        proxy.scheme.upper(), proxy.host, proxy.port, proxy.user or None, proxy.password or None
    )
