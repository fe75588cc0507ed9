"""Cloud-to-device messages for programs and tests: `hub.mail`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.cloudmessages import CloudMessage
from fwsm.hub.refusal import refusals_as_errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.hub.runtime import Runtime

__all__ = ["Mail"]


class Mail:
    """The operator's end of the queues.

    Args:
        runtime: the running hub.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def send(
        self,
        device_id: str,
        body: bytes | str,
        *,
        properties: Mapping[str, str | None] | None = None,
        message_id: str | None = None,
        correlation_id: str | None = None,
        content_type: str | None = None,
        content_encoding: str | None = None,
        ack: str = "none",
        ttl_s: float = 3600.0,
    ) -> None:
        """Queue a message for a device; it is sent at once if the device listens.

        Args:
            device_id: for whom.
            body: at most 64 KiB, the properties included.
            properties: of your own.
            message_id: what feedback will name.
            correlation_id: what it belongs to.
            content_type: of the body.
            content_encoding: of the body.
            ack: which outcomes you will find in `feedback`: none, positive, negative or full.
            ttl_s: seconds until it expires, at most two days.

        Raises:
            DeviceNotFoundError: there is no such device.
            HubError: fifty messages wait already (403004), or the message is outside its limits.
        """
        named = {
            "message-id": message_id,
            "correlation-id": correlation_id,
            "content-type": content_type,
            "content-encoding": content_encoding,
        }
        system = {name: value for name, value in named.items() if value is not None}
        data = body.encode() if isinstance(body, str) else body
        with refusals_as_errors():
            message = CloudMessage(data, system, properties or {}, ack, ttl_s)
            self._runtime.decide(self._runtime.engine.messages.send, device_id, message)

    def waiting(self, device_id: str) -> int:
        """Return how many messages the device has not acknowledged."""
        return self._runtime.decide(self._runtime.engine.messages.count, device_id)

    def purge(self, device_id: str) -> int:
        """Delete what waits for a device, and return how many messages that were; raises DeviceNotFoundError."""
        with refusals_as_errors():
            return self._runtime.decide(self._runtime.engine.messages.purge, device_id)

    def feedback(self) -> list[dict[str, Any]]:
        """Return the feedback records that came since the last call, oldest first."""
        return self._runtime.decide(self._runtime.engine.messages.feedback)
