"""What devices can be asked for, as direct methods: an update, and about their newest one to cancel, retry or show it.

When each is refused, and with which reason, stands in docs/reference/commands.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.request import METHOD
from fwsm.service.answer import Answer

if TYPE_CHECKING:
    from fwsm.core.update import Request
    from fwsm.service.client import Client

__all__ = ["CANCEL", "RESPONSE_TIMEOUT_S", "RETRY", "STATUS", "Command", "send", "update"]

RESPONSE_TIMEOUT_S: Final = 30  # the tutorial's, and the service's default


@dataclass(frozen=True, slots=True)
class Command:
    """Something that a device can be asked for.

    Attributes:
        name: a word for it.
        method: the direct method.
        payload: what goes with it; None for nothing.
    """

    name: str
    method: str
    payload: dict[str, str] | None = None


CANCEL: Final = Command("cancel", f"{METHOD}Cancel")
RETRY: Final = Command("retry", f"{METHOD}Retry")
STATUS: Final = Command("status", f"{METHOD}Status")


def update(request: Request) -> Command:
    """Return the command that asks for an update."""
    payload = {
        "fwPackageUri": request.uri,
        "fwPackageCheckValue": request.sha256,
        "fwVersion": request.version,
    }
    return Command("update", METHOD, {name: value for name, value in payload.items() if value is not None})


def send(client: Client, device_id: str, command: Command) -> Answer:
    """Ask a device, once, and return its answer.

    Raises:
        DeviceNotFoundError: there is no such device.
        DeviceOfflineError: it is not connected, or does not listen to methods.
        DeviceTimeoutError: it did not answer within 30 s; it may have done it.
        ServiceError: another of the hub's errors.
    """
    answer = client.call_method(device_id, command.method, command.payload, response_timeout_s=RESPONSE_TIMEOUT_S)
    return Answer(device_id, command.name, answer.status, answer.payload)
