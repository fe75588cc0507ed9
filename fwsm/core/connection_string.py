"""IoT Hub connection strings: their parts, and what is wrong with them.

Two forms, as the Azure portal shows them:

- device:   `HostName=H;DeviceId=D;SharedAccessKey=K` (and optionally `GatewayHostName=G`); in the place of the key
  `SharedAccessSignature=T` with a token, or `x509=true` with a certificate that is given beside it
- operator: `HostName=H;SharedAccessKeyName=POLICY;SharedAccessKey=K`

Messages name the part that is wrong and never show a key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from fwsm.core.credentials import (
    Certificate,
    Enrollment,
    Proof,
    SharedAccessSignature,
    SymmetricKey,
    TokenFile,
    dialled,
    is_host,
)
from fwsm.errors import ConnectionStringError

__all__ = ["Credentials", "DeviceConnection", "ServiceConnection"]

_KNOWN = (
    "HostName",
    "DeviceId",
    "ModuleId",
    "GatewayHostName",
    "SharedAccessKeyName",
    "SharedAccessKey",
    "SharedAccessSignature",
    "x509",
)
_DEVICE_FORM = "A device's connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
_SERVICE_FORM = "An operator's connection string reads HostName=…;SharedAccessKeyName=…;SharedAccessKey=…"
_HTTPS_PORT = 443
_PROOFS = ("SharedAccessKey", "SharedAccessSignature", "x509")
_HOST = re.compile(r"(?P<host>[^:[]+|\[[^]]+\])(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class DeviceConnection:
    """Who the device is, how it proves that, and where its hub is.

    Attributes:
        host: host name of the hub.
        device_id: the device's id.
        proof: a key, a token or a certificate.
        gateway_host: host name of the gateway through which the hub is reached; "" for none.
    """

    host: str
    device_id: str
    proof: Proof
    gateway_host: str = ""

    @classmethod
    def parse(cls, text: str, certificate: Certificate | None = None) -> DeviceConnection:
        """Read a device's connection string.

        Args:
            text: it.
            certificate: what the device shows if the string says `x509=true`.

        Raises:
            ConnectionStringError: naming the part that is missing or wrong.
        """
        parts = _parts(text, _DEVICE_FORM)
        if "SharedAccessKeyName" in parts and "DeviceId" not in parts:
            raise ConnectionStringError(
                "the device's connection string has no DeviceId",
                why="it names a policy, so it is an operator's",
                fix=_DEVICE_FORM,
            )
        if "ModuleId" in parts:
            raise ConnectionStringError(
                "the device's connection string names a ModuleId",
                why="firmware is the affair of the device, not of one of its modules",
                fix="Use the connection string of the device",
            )
        proof_name = _proof_name(parts)
        _require(parts, ("HostName", "DeviceId", proof_name), "device", _DEVICE_FORM)
        host = parts["HostName"]
        # There is no port that an IPv6 address without brackets could be mixed up with.
        if not is_host(host) and _host(host, _DEVICE_FORM)[1] is not None:
            raise ConnectionStringError(
                "HostName carries a port in the device's connection string",
                why="a device always connects to port 8883",
                fix="Leave the port out",
            )
        gateway = parts.get("GatewayHostName", "")
        if gateway and not is_host(gateway):
            raise ConnectionStringError("GatewayHostName is not the name of a host", fix=_DEVICE_FORM)
        return cls(host, parts["DeviceId"], _proof(proof_name, parts, certificate), gateway)


Credentials: TypeAlias = DeviceConnection | TokenFile | Enrollment
"""All that a device may be given to find its hub with."""


@dataclass(frozen=True, slots=True)
class ServiceConnection:
    """As whom an operator calls which hub.

    Attributes:
        host: host name of the hub, without a port.
        port: port of its REST side; a `:port` in HostName, else 443.
        resource: HostName as given; what a token is made out for.
        policy: name of the shared access policy.
        key: its key, base64, secret.
    """

    host: str
    port: int
    resource: str
    policy: str
    key: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> ServiceConnection:
        """Read an operator's connection string.

        Raises:
            ConnectionStringError: naming the part that is missing or wrong.
        """
        parts = _parts(text, _SERVICE_FORM)
        if "DeviceId" in parts:
            raise ConnectionStringError(
                "the operator's connection string names a DeviceId", why="it is a device's", fix=_SERVICE_FORM
            )
        _require(parts, ("HostName", "SharedAccessKeyName", "SharedAccessKey"), "operator", _SERVICE_FORM)
        key = SymmetricKey.parse(parts["SharedAccessKey"], "SharedAccessKey", _SERVICE_FORM).key
        host, port = _host(parts["HostName"], _SERVICE_FORM)
        return cls(
            host=host,
            port=port or _HTTPS_PORT,
            resource=parts["HostName"],
            policy=parts["SharedAccessKeyName"],
            key=key,
        )


def _parts(text: str, form: str) -> dict[str, str]:
    # Python makes such characters of bytes that are none. To try whether it can be encoded would raise it with its key.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ConnectionStringError(
            "the connection string is no text", why="there are bytes in it that are not UTF-8", fix=form
        )
    parts: dict[str, str] = {}
    text = (
        text.strip().removeprefix("\ufeff").strip()
    )  # what copying adds, and the mark with which some editors begin a file
    for number, piece in enumerate(text.strip(";").split(";"), start=1):
        name, equals, value = piece.partition("=")
        if not equals:
            # The piece may be half of a key, so it is counted, not shown.
            raise ConnectionStringError(f"part {number} of the connection string has no '='", fix=form)
        if name not in _KNOWN:
            raise ConnectionStringError(
                f"part {number} of the connection string has an unknown name", why=_likely(name), fix=form
            )
        if name in parts:
            raise ConnectionStringError(f"the connection string has {name} twice", fix=form)
        parts[name] = value
    return parts


def _likely(name: str) -> str:
    for known in _KNOWN:
        if known.lower() == name.strip().lower():
            return f"it should be written {known}"
    return f"known are {', '.join(_KNOWN)}"


def _require(parts: dict[str, str], names: tuple[str, ...], whose: str, form: str) -> None:
    for name in names:
        if not parts.get(name):
            state = "is empty" if name in parts else "is missing"
            there = ", ".join(part for part in names if parts.get(part)) or "none of them"
            raise ConnectionStringError(
                f"{name} {state} in the {whose}'s connection string",
                why=f"it takes {', '.join(names)}, and has {there}",
                fix=form,
            )


def _host(value: str, form: str) -> tuple[str, int | None]:
    """Host and port of a HostName. A value that is neither is not shown: with a lost `;` it ends in the key."""
    found = _HOST.fullmatch(value)
    if found is None or not is_host(found["host"]):
        why = "an IPv6 address stands in brackets there" if is_host(value) else "it may carry a port, no more"
        raise ConnectionStringError("HostName is not the name of a host", why=why, fix=form)
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:  # noqa: PLR2004
        raise ConnectionStringError(f"HostName has the port {port}", fix="Use a number from 1 to 65535")
    return found["host"], port


def _proof_name(parts: dict[str, str]) -> str:
    """Which part proves who the device is."""
    given = [name for name in _PROOFS if name in parts and not (name == "x509" and parts[name].lower() == "false")]
    if len(given) > 1:
        raise ConnectionStringError(
            f"the device's connection string has {given[0]} and {given[1]}",
            why="a device proves who it is in one way",
            fix="Leave one of them out",
        )
    return given[0] if given else _PROOFS[0]


def _proof(name: str, parts: dict[str, str], certificate: Certificate | None) -> Proof:
    if name == "SharedAccessKey":
        return SymmetricKey.parse(parts[name], name, _DEVICE_FORM)
    if name == "x509":
        return _shown(parts[name], certificate)
    token = SharedAccessSignature.parse(parts[name])
    hosts = {dialled(host).lower() for host in (token.host, parts["HostName"])}
    if len(hosts) > 1 or token.device_id != parts["DeviceId"]:
        raise ConnectionStringError(
            "the shared access signature is for another hub or device than HostName and DeviceId",
            why=f"it is for the device '{token.device_id}' of {token.host}",
            fix="Make one for this device",
        )
    return token


def _shown(value: str, certificate: Certificate | None) -> Certificate:
    if value.lower() != "true":
        raise ConnectionStringError("x509 is neither true nor false", fix="Write x509=true, or leave it out")
    if certificate is None:
        raise ConnectionStringError(
            "the connection string says x509=true, but there is no certificate",
            fix="Set x509_cert_file and x509_key_file to the PEM files of certificate and key",
        )
    return certificate
