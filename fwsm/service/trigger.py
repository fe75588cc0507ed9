"""Start an update: the direct method `firmwareUpdate`.

A device stores the request and answers at once; the update itself goes on without us and is followed on the twin (see
`watch`). A device of the 2016 tutorial answers with a text, ours with `{"message": …, "updateId": …}`; any JSON will
do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.request import METHOD, parse_request
from fwsm.errors import RefusedError

if TYPE_CHECKING:
    from fwsm.core.update import Request
    from fwsm.service.client import Client

__all__ = ["RESPONSE_TIMEOUT_S", "Answer", "requested", "trigger"]

RESPONSE_TIMEOUT_S: Final = 30  # the tutorial's, and the service's default
_REFUSED_FROM: Final = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered to the request for an update.

    Attributes:
        device_id: who answered.
        status: of the device's own choice; below 400 it has taken the request.
        payload: any JSON value.
    """

    device_id: str
    status: int
    payload: Any

    @property
    def update_id(self) -> str | None:
        """The id under which the update is reported; None if the device gave none."""
        found = self.payload.get("updateId") if isinstance(self.payload, dict) else None
        return found if isinstance(found, str) and found else None

    @property
    def text(self) -> str:
        """The device's words; "" if it said nothing."""
        return _words(self.payload)

    def require_accepted(self) -> None:
        """Check that the device has taken the request.

        Raises:
            RefusedError: it has not, with its reason.
        """
        if self.status >= _REFUSED_FROM:
            raise RefusedError(f"{self.device_id} refused the update (status {self.status})", why=self.text.rstrip("."))


def requested(uri: str, sha256: str | None = None, version: str | None = None) -> Request:
    """Check what an operator asks for, before a device is bothered with it.

    Whether plain HTTP is good enough is for the device to say.

    Raises:
        RequestError: naming the field as it stands in the payload, the reason, and the fix.
    """
    payload = {"fwPackageUri": uri, "fwPackageCheckValue": sha256, "fwVersion": version}
    return parse_request(payload, allow_http=True)


def trigger(client: Client, device_id: str, request: Request) -> Answer:
    """Ask a device for an update, once, and return its answer.

    Raises:
        DeviceNotFoundError: there is no such device.
        DeviceOfflineError: it is not connected, or does not listen to methods.
        DeviceTimeoutError: it did not answer within 30 s; it may have started.
        ServiceError: another of the hub's errors.
    """
    payload = {
        "fwPackageUri": request.uri,
        "fwPackageCheckValue": request.sha256,
        "fwVersion": request.version,
    }
    given = {name: value for name, value in payload.items() if value is not None}
    answer = client.call_method(device_id, METHOD, given, response_timeout_s=RESPONSE_TIMEOUT_S)
    return Answer(device_id, answer.status, answer.payload)


def _words(payload: Any) -> str:
    if payload is None or isinstance(payload, str):
        return payload or ""
    if isinstance(payload, dict):
        for name in ("message", "error", "reason"):
            if payload.get(name):
                return _words(payload[name])
    return json.dumps(payload, ensure_ascii=False)
