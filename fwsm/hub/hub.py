"""The hub for programs and tests: a context manager that is not asynchronous.

    with Hub("127.0.7.1") as hub:
        device = hub.add_device("d1")
        client = IoTHubDeviceClient.create_from_connection_string(
            device.connection_string, server_verification_cert=hub.ca_pem)

The hub runs in an event loop in a thread of its own; every method here may be called from any other thread.
"""

from __future__ import annotations

import contextlib
import copy
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fwsm.errors import HubError
from fwsm.hub.doors import check_address
from fwsm.hub.feed import EventStream
from fwsm.hub.jsontext import compact, parse, parse_object
from fwsm.hub.mail import Mail
from fwsm.hub.methods import Call
from fwsm.hub.operator import twin_document
from fwsm.hub.provisioning import ProvisioningService
from fwsm.hub.reach import Ports, Reach
from fwsm.hub.refusal import refusals_as_errors
from fwsm.hub.registrar import Registrar
from fwsm.hub.runtime import Runtime
from fwsm.hub.waits import Waits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.hub.faults import Faults
    from fwsm.hub.methods import MethodResult

__all__ = ["Hub"]

# What a program that lives beside the hub, such as a command line, needs in order to reach it.
_CARD = "hub.json"


class Hub(Registrar, Waits):
    """An IoT Hub on this machine.

    Args:
        address: the IP address of all doors. The Azure SDKs dial port 8883 only, so hubs that run side by side
            take different addresses of 127.0.0.0/8.
        mqtt_port: where devices connect.
        rest_port: where operators connect, and devices that use WebSocket (the SDKs dial 443 for it).
        socks_port: where a SOCKS5 door leads SDKs to the other doors, if these have ports that they do not dial.
        state: a directory in which registry, keys, twins and subscriptions survive; None for a hub that forgets.
            A running hub leaves there the file `hub.json`, with its address, ports, CA file and owner's connection
            string.
        allow_remote: whether `address` may be one that other machines can reach.
        wall: the time in epoch seconds.

    Raises:
        HubError: `address` is not an IP address, or not a loopback address though `allow_remote` is off; or two of the
            ports are the same.
    """

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        mqtt_port: int = 8883,
        rest_port: int = 8443,
        socks_port: int | None = None,
        state: Path | str | None = None,
        allow_remote: bool = False,
        wall: Callable[[], float] = time.time,
    ) -> None:
        check_address(address, allow_remote=allow_remote)
        self.address = address
        self.ports = Ports(mqtt_port, rest_port, socks_port)
        self._state_path = None if state is None else Path(state)
        self._wall = wall
        self._runtime: Runtime | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the hub; returns once devices and operators can connect.

        Raises:
            PortInUseError: another process listens on one of the ports.
            HubError: the hub runs already, another one runs on the same state, or the state cannot be used.
        """
        if self._runtime is not None:
            raise HubError("the hub runs already")
        self._runtime = Runtime(self.address, self.ports, self._state_path, self._wall)
        try:
            self._runtime.home.write(_CARD, compact(self._reach.card(self.owner_connection_string)))
        except HubError:
            self.stop()
            raise

    def stop(self) -> None:
        """Cut off everyone, and give ports, thread and directory back. Does nothing when the hub does not run."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            runtime.home.remove(_CARD)
            runtime.stop()

    @property
    def mqtt_port(self) -> int:
        """Where devices connect."""
        return self.ports.mqtt

    @property
    def rest_port(self) -> int:
        """Where operators connect."""
        return self.ports.rest

    @property
    def ca_path(self) -> Path:
        """The file with the certificate that clients are to trust."""
        return self._live.ca_path

    @property
    def ca_pem(self) -> str:
        """The certificate that clients are to trust, as text."""
        return self.ca_path.read_text()

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which unmodified programs trust this hub and find it."""
        return self._reach.environment()

    @property
    def owner_connection_string(self) -> str:
        """For operators with all rights."""
        return self.policy_connection_string("iothubowner")

    @property
    def service_connection_string(self) -> str:
        """For operators who read and write twins and call methods."""
        return self.policy_connection_string("service")

    def policy_connection_string(self, policy: str) -> str:
        """Return the connection string of a policy: iothubowner, service, device, registryRead or registryReadWrite.

        Raises:
            HubError: there is no such policy.
        """
        keys = self._live.engine.policies.keys
        if policy not in keys:
            raise HubError(f"there is no policy {policy}", fix=f"The policies are {', '.join(keys)}.")
        return self._reach.policy(policy, keys[policy])

    @property
    def faults(self) -> Faults:
        """Faults on demand."""
        return self._live.engine.faults

    def provisioning(self, address: str, *, id_scope: str = "0ne00F00D42") -> ProvisioningService:
        """Start a Device Provisioning Service that assigns this hub; it ends with the hub, or by its own `stop`.

        Args:
            address: another IP address of 127.0.0.0/8: the SDKs dial port 8883 of both.
            id_scope: which service it is.

        Raises:
            PortInUseError: another process listens there.
            HubError: `address` is not a loopback address.
        """
        return ProvisioningService(self._live, self.address, address, id_scope)

    @property
    def mail(self) -> Mail:
        """Cloud-to-device messages."""
        return Mail(self._live)

    def throttle(self, s1_units: int) -> None:
        """Take no more work in a second than a hub of so many S1 units; 0 for no limits, as at the start.

        Raises:
            HubError: there is no such hub.
        """
        self._live.decide(self._live.engine.throttles.set, s1_units)

    def events(self, after: int | None = None) -> EventStream:
        """Return a reader of telemetry and of news about devices.

        Args:
            after: the sequence number of the last event that is not wanted, 0 for all that are kept; None begins now.
        """
        feed, runtime = self._live.engine.feed, self._live
        return EventStream(feed, feed.position if after is None else after, lambda: self._runtime is not runtime)

    def twin(self, device_id: str) -> dict[str, Any]:
        """Return a copy of a twin in the shape of the REST resource; raises DeviceNotFoundError."""
        with refusals_as_errors():
            return copy.deepcopy(twin_document(self._live.engine, device_id))

    def update_twin(
        self, device_id: str, *, desired: dict[str, Any] | None = None, tags: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Merge into desired properties and tags as an operator would, and return the twin. The device is told.

        Raises:
            DeviceNotFoundError: there is no such device.
            HubError: the change is not JSON, or breaks a limit of twins.
        """
        with refusals_as_errors():
            body = parse_object(compact({"properties": {"desired": desired}, "tags": tags}))
            self._live.decide(self._live.engine.twins.update, device_id, body)
        return self.twin(device_id)

    def call_method(
        self,
        device_id: str,
        name: str,
        payload: Any = None,
        *,
        response_timeout_s: float = 30.0,
        connect_timeout_s: float = 0.0,
    ) -> MethodResult:
        """Call a direct method and wait for the answer. Unlike REST this takes timeouts of any length.

        Raises:
            DeviceNotFoundError: there is no such device.
            DeviceOfflineError: it is not connected, or has not subscribed to methods.
            DeviceTimeoutError: it did not answer in time; it may have acted.
            HubError: the call or the answer is malformed.
        """
        with refusals_as_errors():
            # By way of its text, as over REST: NaN is no JSON, though Python writes it.
            call = Call(name, parse(compact(payload)), response_timeout_s, connect_timeout_s)
            return self._live.run(self._live.engine.methods.call(device_id, call))

    def disconnect(self, device_id: str) -> None:
        """Cut the device's live connection, if there is one. It may come back at once."""
        self._live.decide(self._live.engine.links.close, device_id, "cut off by hand")

    def expire_token(self, device_id: str) -> None:
        """Let the token of the device's live connection expire now, if there is one: the hub hangs up."""
        self._live.decide(self._live.engine.links.expire, device_id)

    @contextlib.contextmanager
    def offline(self) -> Iterator[None]:
        """Within this context the hub cannot be reached: connections are cut, new ones refused."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def pause(self) -> None:
        """Stop listening and cut off everyone."""
        self._live.close_doors()

    def resume(self) -> None:
        """Listen again after `pause`; raises PortInUseError when another process has taken a port meanwhile."""
        self._live.open_doors()

    @property
    def _live(self) -> Runtime:
        if self._runtime is None:
            raise HubError("the hub does not run", fix="Use it inside `with Hub(…) as hub:`, or call start() first.")
        return self._runtime

    @property
    def _reach(self) -> Reach:
        return Reach(self.address, self.ports, self.ca_path)
