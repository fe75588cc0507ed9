"""A device that the Device Provisioning Service assigns to a hub.

The service is asked once: its answer is kept in a file, and the device connects by that at every start, also while
the service is away. It is asked again when the hub has not let the device in for some minutes, as it does when the
device was moved to another hub, and when the hub could not be reached for a day; until it has answered, the device
goes on knocking where it was.

The SDK polls the service by itself and waits as it is told to; it has no deadline, and of a registration that failed
it leaves the connection behind. So a registration ends with the deadline given here, and its client is shut down.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import logging
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import is_host
from fwsm.device.iothub.client import new_provisioning_client
from fwsm.device.iothub.identity import check_proof
from fwsm.device.iothub.translation import let_go, translated
from fwsm.errors import FwsmError, LinkAuthError, LinkError

if TYPE_CHECKING:
    from pathlib import Path

    from azure.iot.device import RegistrationResult
    from azure.iot.device.aio import ProvisioningDeviceClient

    from fwsm.core.credentials import Enrollment
    from fwsm.device.durable import Disk
    from fwsm.device.iothub.client import Network
    from fwsm.device.iothub.loop import LoopThread
    from fwsm.device.ports import Clock

__all__ = ["AssignedIdentity", "AssignmentFile"]

_log = logging.getLogger(__name__)

# How long the hub may refuse the device, or be out of reach, before the service is asked whether it is still the one.
_REFUSED_S = 300.0
_UNREACHABLE_S = 24 * 3600.0
_SHUT_DOWN_WITHIN_S = 2.0
# The SDK's timers that are no daemons would keep the program from ending for half a minute.
_TIMERS = ("register_timeout", "query_timeout")


class AssignmentFile:
    """Where the answer of the service is kept.

    Args:
        path: the file; its directory is made if it is missing.
        disk: does the writing.
    """

    def __init__(self, path: Path, disk: Disk) -> None:
        self._path = path
        self._disk = disk

    def load(self, enrollment: Enrollment) -> DeviceConnection | None:
        """Return what was assigned to `enrollment`; None if nothing was, or it cannot be read."""
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            host, device_id = told["assignedHub"], told["deviceId"]
            if [told["idScope"], told["registrationId"]] != [enrollment.id_scope, enrollment.registration_id]:
                return None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            _log.warning("%s cannot be read (%r); the provisioning service is asked again", self._path, error)
            return None
        return _assigned(enrollment, host, device_id)

    def save(self, enrollment: Enrollment, connection: DeviceConnection) -> None:
        """Keep an answer; a disk that does not take it costs a question at the next start, no more."""
        document = {
            "idScope": enrollment.id_scope,
            "registrationId": enrollment.registration_id,
            "assignedHub": connection.host,
            "deviceId": connection.device_id,
        }
        try:
            self._disk.make_directory(self._path.parent)
            self._disk.write_file(self._path, json.dumps(document).encode())
        except OSError as error:
            _log.warning("the assigned hub cannot be kept in %s: %s", self._path, error)


class AssignedIdentity:
    """An `Identity` (see `identity`) by way of the Device Provisioning Service.

    Args:
        enrollment: who the device is there.
        network: the way there.
        clock: for how long the hub has refused the device.
        deadline_s: how long one registration may take.
        file: where the answer is kept; None to ask at every start.

    Raises:
        ConfigError: the device's certificate cannot be used.
    """

    def __init__(
        self,
        enrollment: Enrollment,
        network: Network,
        *,
        clock: Clock,
        deadline_s: float,
        file: AssignmentFile | None,
    ) -> None:
        check_proof(enrollment)
        self._enrollment = enrollment
        self._network = network
        self._clock = clock
        self._deadline_s = deadline_s
        self._file = file
        self._assigned = None if file is None else file.load(enrollment)
        self._failing_since_s: float | None = None
        self._patience_s = _UNREACHABLE_S
        self._lock = threading.Lock()
        self._call: concurrent.futures.Future[DeviceConnection] | None = None
        self._abandoned = False

    def connection(self, loop: LoopThread) -> DeviceConnection:
        """Return the assigned hub; ask the service if there is none, or if it may have become another.

        Raises:
            LinkAuthError: the service does not let the device in, or assigns it no hub.
            LinkError: it cannot be reached, or did not answer in time.
            ConfigError: the device's certificate cannot be used any more.
        """
        check_proof(self._enrollment)
        if self._assigned is not None and not self._is_doubtful():
            return self._assigned
        self._failing_since_s = None
        try:
            connection = self._register(loop)
        except FwsmError as error:
            if self._assigned is None:
                raise
            _log.warning("%s; the hub stays %s", error, self._assigned.host)
            return self._assigned
        if connection != self._assigned:
            _log.info("assigned to the hub %s as '%s'", connection.host, connection.device_id)
            self._assigned = connection
            if self._file is not None:
                self._file.save(self._enrollment, connection)
        return connection

    def noted(self, error: FwsmError | None) -> None:
        """Learn what became of a connect."""
        if error is None:
            self._failing_since_s = None
            return
        if self._failing_since_s is None:
            self._failing_since_s = self._clock.now().boottime_s
        self._patience_s = _REFUSED_S if isinstance(error, LinkAuthError) else _UNREACHABLE_S

    def abandon(self) -> None:
        """Give up a registration that is under way, and every later one."""
        with self._lock:
            self._abandoned = True
            call = self._call
        if call is not None:
            call.cancel()

    def _is_doubtful(self) -> bool:
        since_s = self._failing_since_s
        return since_s is not None and self._clock.now().boottime_s - since_s >= self._patience_s

    def _register(self, loop: LoopThread) -> DeviceConnection:
        with self._lock:
            if self._abandoned:
                raise LinkError("the link was stopped")
            call = self._call = loop.submit(self._ask())
        try:
            return call.result()
        except concurrent.futures.CancelledError:
            raise LinkError("the link was stopped") from None
        except TimeoutError:
            raise LinkError(
                "could not register this device",
                why=f"{self._enrollment.host} did not answer within {self._deadline_s:g} s",
            ) from None
        except Exception as error:
            let_go(error)
            raise translated(error, "register this device", self._enrollment) from error

    async def _ask(self) -> DeviceConnection:
        loop = asyncio.get_running_loop()
        # Shielded, so that a client that is finished too late is still shut down.
        making = loop.run_in_executor(None, new_provisioning_client, self._enrollment, self._network)
        try:
            async with asyncio.timeout(self._deadline_s):
                client = await asyncio.shield(making)
                return _read(self._enrollment, await client.register())
        finally:
            if making.done():
                _shut_down(making)  # before whoever waits for the registration goes on
            else:
                making.add_done_callback(_shut_down)


def _read(enrollment: Enrollment, result: RegistrationResult) -> DeviceConnection:
    state = result.registration_state
    connection = None if state is None else _assigned(enrollment, state.assigned_hub, state.device_id)
    if result.status != "assigned" or connection is None:
        raise LinkAuthError(
            f"the provisioning service {enrollment.host} assigns no hub to '{enrollment.registration_id}'",
            why=f"its answer is '{result.status}'",
            fix="Look at the enrolment, and whether a hub is linked to the service",
        )
    return connection


def _assigned(enrollment: Enrollment, host: Any, device_id: Any) -> DeviceConnection | None:
    if not isinstance(host, str) or not is_host(host) or not isinstance(device_id, str) or not device_id:
        return None
    return DeviceConnection(host, device_id, enrollment.proof, enrollment.gateway_host)


def _shut_down(making: asyncio.Future[ProvisioningDeviceClient]) -> None:
    """Take back what the SDK leaves of a registration; its client has no public way to end one that failed."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer) and getattr(thread.function, "__name__", "") in _TIMERS:
            thread.cancel()
    if making.cancelled() or making.exception() is not None:
        return
    pipeline = making.result()._pipeline  # noqa: SLF001 - see above

    def end() -> None:
        done = threading.Event()
        with suppress(Exception):  # it has ended by itself, as it does when all went well
            pipeline.shutdown(callback=lambda **_: done.set())  # type: ignore[no-untyped-call]
            done.wait(_SHUT_DOWN_WITHIN_S)

    asyncio.get_running_loop().run_in_executor(None, end)
