"""What the hub means when it says no: HTTP status, header and body -> one error of our tree.

The steady machine-readable part is the header `iothub-errorcode`. The body comes in two shapes, and for direct
methods the second sits as a JSON text inside the first:

    {"Message": "ErrorCode:DeviceNotFound;…", "ExceptionMessage": "Tracking ID:…"}
    {"errorCode": 404103, "message": "…", "trackingId": "…", "timestampUtc": "…"}

Source: "Understand and resolve Azure IoT Hub errors", and the service's OpenAPI description.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fwsm.errors import (
    DeviceNotFoundError,
    DeviceOfflineError,
    DeviceTimeoutError,
    FwsmError,
    HubUnreachableError,
    RefusedError,
    ServiceError,
    ThrottledError,
    UnauthorizedError,
)
from fwsm.service.transport import TOO_MANY_JOBS

if TYPE_CHECKING:
    from fwsm.service.transport import Reply

__all__ = ["refusal"]

_NAMES: Final = {404001: "DeviceNotFound", 404103: "DeviceNotOnline", 504101: "GatewayTimeout"}
_LONGEST_TEXT: Final = 300
_MALFORMED: Final = 400


@dataclass(frozen=True, slots=True)
class _Said:
    """What the hub said: the name of the error, "" if it gave none, and its words."""

    name: str
    text: str


def refusal(reply: Reply, device_id: str | None = None) -> FwsmError:
    """Return the error that stands for an answer with a status of 400 or more.

    Args:
        reply: the answer.
        device_id: whom the request was about, if it was about a device.
    """
    said = _read(reply.body)
    name = reply.headers.get("iothub-errorcode") or said.name
    device = device_id or "the device"
    if name in {"DeviceNotFound", "ModuleNotFound"}:
        kind = name.removesuffix("NotFound").lower()
        return DeviceNotFoundError(
            f"the hub knows no {kind} '{device}'", why=said.text, fix=f"Check the name, or register the {kind}"
        )
    if name == "DeviceNotOnline":
        return DeviceOfflineError(f"{device} is offline", why=said.text, fix="Start the device, then try again")
    if name == "GatewayTimeout" or reply.status == 504:  # noqa: PLR2004
        return DeviceTimeoutError(
            f"{device} did not answer in time",
            why=said.text,
            fix=f"It may have acted all the same: look with `fwsm watch {device}` before you try again",
        )
    if name == TOO_MANY_JOBS:
        return ThrottledError(
            "the hub takes no further job, as many jobs are active as it allows",
            why=said.text,
            fix="See with `fwsm job list` which one is not over, and try again once it is",
        )
    return _by_status(reply, name, said.text)


def _by_status(reply: Reply, name: str, text: str) -> FwsmError:
    called = f"status {reply.status} {name}".strip()
    match reply.status:
        case 401:
            return UnauthorizedError(
                "the hub does not accept the policy or its key",
                why=text,
                fix="Check SharedAccessKeyName and SharedAccessKey, its rights or role, and this machine's clock",
            )
        case 429 | 503:
            return ThrottledError(
                f"the hub asks for patience ({called})",
                why=text,
                fix="Try again in a minute",
                retry_after_s=reply.retry_after_s,
            )
        case 403 if name == "IotHubQuotaExceeded":
            return ThrottledError("the hub's quota is used up", why=text, fix="It is filled again at midnight UTC")
        case 409 | 412:
            exists = name.startswith(("DeviceAlreadyExists", "ModuleAlreadyExists"))
            fix = (
                "Use the one that is there, or another name" if exists else "Look at what is there now, then try again"
            )
            return RefusedError(f"the hub did not do it ({called})", why=text, fix=fix)
        case 500 | 502 if name != "BadDeviceResponse":
            return HubUnreachableError(f"the hub failed ({called})", why=text, fix="Try again in a minute")
        case _:
            fix = "Mend what it names, then try again" if reply.status == _MALFORMED else ""
            return ServiceError(f"the hub refused the request ({called})", why=text, fix=fix)


def _read(body: bytes) -> _Said:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # Not the hub itself but a proxy, or another server at this address.
        return _Said("", _trimmed(body.decode(errors="replace")))
    return _unwrapped(document) if isinstance(document, dict) else _Said("", "")


def _unwrapped(document: dict[str, Any]) -> _Said:
    message = document.get("Message") or document.get("message") or ""
    name = _NAMES.get(_number(document.get("errorCode")), "")
    if not isinstance(message, str):
        return _Said(name, "")
    try:
        inner = json.loads(message)
    except (ValueError, RecursionError):
        inner = None
    if isinstance(inner, dict) and "Message" not in inner:  # one level, as the service nests it
        return _unwrapped(inner)
    if message.startswith("ErrorCode:"):
        named, _, message = message.removeprefix("ErrorCode:").partition(";")
        name = name or named
    return _Said(name, _trimmed(message))


def _number(code: object) -> int:
    return code if isinstance(code, int) else 0


def _trimmed(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
