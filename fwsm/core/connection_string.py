"""IoT Hub connection strings: their parts, and what is wrong with them.

Two forms, as the Azure portal shows them:

- device:   `HostName=H;DeviceId=D;SharedAccessKey=K` (and optionally `GatewayHostName=G`)
- operator: `HostName=H;SharedAccessKeyName=POLICY;SharedAccessKey=K`

Messages name the part that is wrong and never show a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from fwsm.errors import ConnectionStringError

__all__ = ["DeviceConnection", "ServiceConnection"]

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
_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class DeviceConnection:
    """Who the device is, and where its hub is.

    Attributes:
        text: the whole string, secret.
        host: host name of the hub.
        device_id: the device's id.
    """

    text: str = field(repr=False)
    host: str
    device_id: str

    @classmethod
    def parse(cls, text: str) -> DeviceConnection:
        """Read a device's connection string.

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
        _require(parts, ("HostName", "DeviceId", "SharedAccessKey"), "device", _DEVICE_FORM)
        _check_key(parts["SharedAccessKey"], _DEVICE_FORM)
        host, port = _host(parts["HostName"], _DEVICE_FORM)
        if port is not None:
            raise ConnectionStringError(
                "HostName carries a port in the device's connection string",
                why="a device always connects to port 8883",
                fix="Leave the port out",
            )
        return cls(text.strip(), host, parts["DeviceId"])


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
        _check_key(parts["SharedAccessKey"], _SERVICE_FORM)
        host, port = _host(parts["HostName"], _SERVICE_FORM)
        return cls(
            host=host,
            port=port or _HTTPS_PORT,
            resource=parts["HostName"],
            policy=parts["SharedAccessKeyName"],
            key=parts["SharedAccessKey"],
        )


def _parts(text: str, form: str) -> dict[str, str]:
    parts: dict[str, str] = {}
    for number, piece in enumerate(text.strip().strip(";").split(";"), start=1):
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
    if found is None:
        raise ConnectionStringError("HostName is not the name of a host", why="it may carry a port, no more", fix=form)
    port = int(found["port"]) if found["port"] else None
    if port is not None and not 0 < port < 65536:  # noqa: PLR2004
        raise ConnectionStringError(f"HostName has the port {port}", fix="Use a number from 1 to 65535")
    return found["host"], port


def _check_key(key: str, form: str) -> None:
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConnectionStringError(
            "SharedAccessKey is not base64", why="a part of it may have been lost in copying", fix=form
        ) from error
