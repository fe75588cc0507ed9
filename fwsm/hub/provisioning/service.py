"""The provisioning service for programs and tests: a context manager that is not asynchronous."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

from fwsm.hub.certificates import Authority, server_file
from fwsm.hub.doors import check_address
from fwsm.hub.listener import Listener, bind
from fwsm.hub.mqtt import MqttDoor
from fwsm.hub.provisioning.connection import ProvisioningConnection
from fwsm.hub.provisioning.enrollments import Enrollments
from fwsm.hub.tls import TlsDoor, tls_context

if TYPE_CHECKING:
    import socket

    from fwsm.hub.mqtt import Wire
    from fwsm.hub.provisioning.enrollments import Enrolled
    from fwsm.hub.runtime import Runtime
    from fwsm.hub.shown import ShownCertificate

__all__ = ["ProvisioningService"]

_MQTT_PORT = 8883


class ProvisioningService:
    """A Device Provisioning Service on this machine, with one hub linked to it. It lives in the hub's thread.

    Args:
        runtime: the hub, running.
        hub_address: where it is; what devices are assigned to.
        address: the IP address of this service, another one of 127.0.0.0/8: the SDKs dial port 8883 of both.
        id_scope: which service this is.

    Raises:
        PortInUseError: another process listens there.
        HubError: `address` is not an IP address of this machine, or other machines can reach it.
    """

    def __init__(self, runtime: Runtime, hub_address: str, address: str, id_scope: str) -> None:
        check_address(address, allow_remote=False)
        self.address = address
        self.id_scope = id_scope
        self._runtime = runtime
        self._enrollments = Enrollments(runtime.engine, hub_address, id_scope)
        context = tls_context(server_file(Authority.kept_in(runtime.home), address, runtime.home))
        door = TlsDoor("provisioning", context, MqttDoor(runtime.turn, self._connection).protocol)
        self._listener = Listener(door.name, door.protocol, door.transports)
        self._open = True
        with contextlib.ExitStack() as undo:
            listening = undo.enter_context(contextlib.closing(bind(address, _MQTT_PORT)))
            runtime.run(self._listen(listening))
            undo.pop_all()
        runtime.at_stop(self.stop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Cut off everyone and stop listening; harmless the second time."""
        if self._open:
            self._open = False
            self._runtime.run(self._listener.close())

    def enroll(
        self,
        registration_id: str,
        *,
        device_id: str | None = None,
        primary_key: str | None = None,
        thumbprint: str | None = None,
    ) -> Enrolled:
        """Let one device register, by a key, random unless it is given (base64), or by a certificate's thumbprint.

        Raises:
            HubError: an id or the key is malformed.
        """
        return self._runtime.decide(
            self._enrollments.enroll, registration_id, device_id or registration_id, primary_key, thumbprint
        )

    def enroll_group(self) -> str:
        """Let a group of devices register, and return its key; see `derive_key` for that of each device."""
        return self._runtime.decide(self._enrollments.enroll_group)

    def remove(self, registration_id: str) -> None:
        """Take the enrolment of one device back."""
        self._runtime.decide(self._enrollments.remove, registration_id)

    def registered(self) -> list[str]:
        """Return the registration ids of those who asked for a hub, in order."""
        return self._runtime.decide(self._enrollments.registered.copy)

    def let(
        self,
        *,
        polls: int | None = None,
        retry_after_s: int | None = None,
        linked: bool | None = None,
        throttled: int | None = None,
        withheld: int | None = None,
    ) -> None:
        """Change how the service behaves from now on; what is None stays as it is.

        Args:
            polls: how often a device has to ask before it is assigned, at least once.
            retry_after_s: how long it is told to wait each time, in whole seconds.
            linked: whether there is a hub to assign; else registrations fail.
            throttled: so many registrations are answered 429.
            withheld: so many registrations are not answered.
        """
        changes = {
            "polls": polls,
            "retry_after_s": retry_after_s,
            "linked": linked,
            "throttled": throttled,
            "withheld": withheld,
        }

        def change() -> None:
            for name, value in changes.items():
                if value is not None:
                    setattr(self._enrollments, name, value)

        self._runtime.decide(change)

    async def _listen(self, listening: socket.socket) -> None:
        self._listener.open(listening)

    def _connection(self, wire: Wire, shown: ShownCertificate) -> ProvisioningConnection:
        return ProvisioningConnection(self._enrollments, wire, shown.thumbprints, self._runtime.engine.monotonic)
