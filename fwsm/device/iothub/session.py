"""One life of the SDK's client: made, connected, used, thrown away.

The client reconnects itself neither after a loss (`connection_retry`) nor for a call (`auto_connect`): both are off.
Left on, it tries every 10 s without jitter, gives up for good and silently when the hub says 'not authorised' once,
lets calls hang whose answer the old connection took with it, and a client that was given up for dead may come back and
fight its successor for the device's one place at the hub. So there is one owner of connecting, the supervisor in
`link`, and a session that has ended never comes back.

It still renews its token by itself, some time before that runs out: it disconnects and connects again. This is the only
disconnection without a background exception, and it gets a grace period.

A call that does not come back within its deadline ends the session too: the hub may have taken the request, the
answer may be lost, and nothing inside the SDK would ever notice.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import json
import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from azure.iot.device import MethodResponse

from fwsm.device.iothub.client import new_client
from fwsm.device.iothub.hearing import Hearing, Sound
from fwsm.device.iothub.translation import REPORT, let_go, restated, translated
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import FwsmError, LinkDeafError, LinkError, LinkLostError, ReportRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from azure.iot.device import MethodRequest
    from azure.iot.device.aio import IoTHubDeviceClient

    from fwsm.core.connection_string import DeviceConnection
    from fwsm.device.iothub.client import Network
    from fwsm.device.iothub.loop import LoopThread
    from fwsm.device.ports import Message

__all__ = ["Session", "Settings"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """How a session keeps to its hub.

    Attributes:
        network: the way there.
        deadline_s: how long one call to the SDK may take.
        renewal_grace_s: how long the renewal of a token may take: a TLS handshake and a few round trips.
    """

    network: Network
    deadline_s: float
    renewal_grace_s: float = 5.0


class Session:
    """A client of the SDK and what became of it. Used by several threads; raises LinkError and its leaves only.

    Attributes:
        admitted: whether the hub has let the device in.
        ended: set once the client is of no use any more.
        stirred: set when it has ended, and when the twin may have changed; whoever waits for it clears it.
    """

    def __init__(
        self,
        loop: LoopThread,
        connection: DeviceConnection,
        settings: Settings,
        deliver: Callable[[Message], None],
    ) -> None:
        self.admitted = False
        self.ended = threading.Event()
        self.stirred = threading.Event()
        self._loop = loop
        self._connection = connection
        self._settings = settings
        self._deliver = deliver
        self._error: FwsmError | None = None
        self._calls: set[concurrent.futures.Future[Any]] = set()
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # held while the twin is read or patched
        self._making: asyncio.Future[IoTHubDeviceClient] | None = None
        self._client: IoTHubDeviceClient
        self._hearing = Hearing(
            Sound("direct methods", "on_method_request_received", self._on_method),
            Sound("desired properties", "on_twin_desired_properties_patch_received", self._on_desired),
        )

    @property
    def error(self) -> FwsmError | None:
        """Why the session has ended; None while it lives."""
        return self._error

    @property
    def deaf(self) -> LinkDeafError | None:
        """What does not arrive because the hub refuses the subscription; None if all does."""
        missing = [sound.what for sound in self._hearing.missing]
        if not missing:
            return None
        return LinkDeafError(
            f"the hub {self._connection.host} does not let this device listen to {' and '.join(missing)}",
            why="it refuses the subscription (SUBACK 0x80)",
            fix="The device asks again by itself, and goes on reading its twin now and then, so order by the desired "
            "property meanwhile. If this stays, look at the health of the hub",
        )

    def open(self) -> None:
        """Connect."""
        self._client = self._call("set up the connection", self._make())
        self._call("connect", self._client.connect())
        self.admitted = True
        self._watch()

    def listen(self) -> None:
        """Subscribe to direct methods and to changes of the desired properties, so far as that is not done yet.

        Raises:
            LinkDeafError: the hub refuses it; the session is of use all the same, and this may be called again.
        """
        for sound in self._hearing.missing:
            self._call(f"listen to {sound.what}", self._subscribe(sound))
        if (deaf := self.deaf) is not None:
            raise deaf

    def report(self, patch: Mapping[str, Any]) -> None:
        """Patch the reported properties; returns when the hub has acknowledged it."""
        try:
            json.dumps(patch := dict(patch))
        except (TypeError, ValueError) as error:
            raise ReportRefusedError("the report is not JSON", why=str(error)) from error
        with self._turn:
            self._call(REPORT, self._client.patch_twin_reported_properties(patch))

    def read_twin(self) -> None:
        """Read the twin and deliver it. No report is under way meanwhile, so each one is in it or comes after it."""
        with self._turn:
            twin: dict[str, dict[str, Any]] = self._call("read the twin", self._client.get_twin())
            self._deliver(Twin(twin["desired"], twin["reported"]))

    def check(self) -> None:
        """End the session if the client says that it is not connected."""
        if not self._client.connected:
            self.abandon(LinkLostError(f"the connection to the hub {self._connection.host} was lost"))

    def abandon(self, error: FwsmError) -> None:
        """End the session: calls that wait raise LinkError, and so does every later one. The first error stays."""
        with self._lock:
            if self._error is not None:
                return
            self._error = error
            self.ended.set()
            self.stirred.set()
            calls = list(self._calls)
        for call in calls:
            call.cancel()

    def close(self, within_s: float) -> None:
        """Shut the client down; what is not done in time goes on by itself and harms nobody."""
        self.abandon(LinkError("the session was closed"))
        shutdown = self._loop.submit(self._shut_down())
        if not _finished(shutdown, within_s):
            _log.debug("the client of an ended session is still shutting down")

    def _call(self, act: str, work: Coroutine[Any, Any, _T]) -> _T:
        call = self._begin(work)
        try:
            if not _finished(call, self._settings.deadline_s):
                self.abandon(self._overdue(act))
            return call.result(0)
        except concurrent.futures.CancelledError:
            raise self._over() from self._error
        except Exception as error:
            let_go(error)
            raise translated(error, act, self._connection) from error

    def _begin(self, work: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        """Start `work`, which is cancelled when the session ends."""
        with self._lock:
            if self._error is not None:
                work.close()
                raise self._over()
            call = self._loop.submit(work)
            self._calls.add(call)
        call.add_done_callback(self._forget)
        return call

    def _forget(self, call: concurrent.futures.Future[Any]) -> None:
        with self._lock:
            self._calls.discard(call)

    def _over(self) -> LinkError:
        return restated(self._error) if self._error else LinkError("the link was stopped")

    def _overdue(self, act: str) -> LinkError:
        why = f"the hub {self._connection.host} did not answer within {self._settings.deadline_s:g} s"
        return LinkError(f"could not {act}", why=why)

    async def _make(self) -> IoTHubDeviceClient:
        # The constructor waits for the SDK's one pipeline thread, which a client that connects may hold.
        make = functools.partial(new_client, self._connection, self._settings.network)
        self._making = asyncio.get_running_loop().run_in_executor(None, make)
        # Shielded, so that a client that is finished too late is still shut down.
        return await asyncio.shield(self._making)

    def _watch(self) -> None:
        # Not before the client is connected: a refused connection comes as a background exception as well, and with a
        # worse reason. Handlers are coroutines: the SDK runs these in one loop, in order; functions get own threads.
        self._client.on_connection_state_change = self._on_state  # type: ignore[assignment] # it has no argument
        self._client.on_background_exception = self._on_exception
        self._hearing.watch(self._client)
        self.check()

    async def _subscribe(self, sound: Sound) -> None:
        subscribe = functools.partial(self._hearing.subscribe, self._client, sound)
        await asyncio.get_running_loop().run_in_executor(None, subscribe)

    async def _shut_down(self) -> None:
        if self._making is None:
            return
        try:
            client = await self._making
            await client.shutdown()
        except Exception as error:  # noqa: BLE001 - whatever it was: the client is thrown away
            _log.debug("a client was not shut down cleanly: %r", error)

    async def _on_state(self) -> None:
        if self._client.connected:
            self.stirred.set()  # nobody has told what changed while its token was renewed
            return
        with contextlib.suppress(LinkError):  # it has ended
            self._begin(self._check_after_grace())

    async def _check_after_grace(self) -> None:
        await asyncio.sleep(self._settings.renewal_grace_s)
        self.check()

    async def _on_exception(self, error: Exception) -> None:
        self.abandon(translated(error, "keep the connection", self._connection))

    async def _on_desired(self, _patch: dict[str, Any]) -> None:
        # A hint only: patches come unacknowledged and out of order. The twin tells the whole.
        self.stirred.set()

    async def _on_method(self, request: MethodRequest) -> None:
        respond = functools.partial(self._respond, request)
        self._deliver(MethodCall(request.name, request.payload, respond))

    def _respond(self, request: MethodRequest, status: int, payload: Mapping[str, Any]) -> None:
        response = MethodResponse.create_from_method_request(request, status, dict(payload))
        try:
            self._begin(self._send(request.name, response))
        except LinkError:
            _log.info("the answer to '%s' is dropped: the connection that it came by has gone", request.name)

    async def _send(self, name: str, response: MethodResponse) -> None:
        act = f"answer the method '{name}'"
        try:
            await asyncio.wait_for(self._client.send_method_response(response), self._settings.deadline_s)
        except TimeoutError:
            self.abandon(self._overdue(act))
        except Exception as error:  # noqa: BLE001 - nobody waits for this, and the caller has a timeout of its own
            _log.warning("%s", translated(error, act, self._connection))


def _finished(call: concurrent.futures.Future[Any], within_s: float) -> bool:
    return bool(concurrent.futures.wait({call}, within_s).done)
