"""Start an update: the direct method `firmwareUpdate`.

A device stores the request and answers at once; the update itself goes on without us and is followed on the twin (see
`watch`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.request import parse_request
from fwsm.service.command import send, update

if TYPE_CHECKING:
    from fwsm.core.update import Request
    from fwsm.service.answer import Answer
    from fwsm.service.client import Client

__all__ = ["requested", "trigger"]


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
    return send(client, device_id, update(request))
