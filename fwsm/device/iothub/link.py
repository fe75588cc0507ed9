"""The device's connection to IoT Hub, kept up for ever.

A supervisor in a thread of its own opens one session after another. All retries are made here: pauses with full jitter
between connects, for ever, and longer ones while the hub does not accept the device (a wrong clock after a boot looks
like a wrong key, so this too heals) and while another program seems to connect as the same device; and short ones
within one `report` or one reading of the twin, which outlast a hub in trouble or a connection that is cut under a
patch. What takes longer is left to the caller, who keeps the report on disk. So is a report that a throttled hub did
not take: short pauses of many devices are what throttles a hub.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import random
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.text import when
from fwsm.device.backoff import is_transient, retrying
from fwsm.device.clock import SystemClock
from fwsm.device.iothub.client import Network, check_authorities, check_token_ttl
from fwsm.device.iothub.contest import Contest
from fwsm.device.iothub.exclusive import Exclusive
from fwsm.device.iothub.identities import identity_of, name_of
from fwsm.device.iothub.loop import LoopThread
from fwsm.device.iothub.session import Session, Settings
from fwsm.device.iothub.translation import let_go, restated, translated
from fwsm.device.iothub.upkeep import Upkeep
from fwsm.device.ports import Trouble
from fwsm.errors import FwsmError, LinkBusyError, LinkDeafError, LinkError, LinkTakenError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fwsm.core.connection_string import Credentials
    from fwsm.core.proxy import Proxy
    from fwsm.device.ports import Clock, Message

__all__ = ["IoTHubLink"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

_CLOSE_WITHIN_S = 2.0
_STOP_WITHIN_S = 5.0


class IoTHubLink:
    """A `Link` on the unmodified SDK (see `fwsm.device.ports.Link`).

    Args:
        credentials: which hub, and as which device: a connection string, a file in which another program renews a
            token, or an enrolment with the Device Provisioning Service.
        clock: for pauses and waiting; None for the machine's. The deadlines of SDK calls run on the machine's anyway.
        ca_pem: certificates to trust, as PEM text; None for the system's.
        deadline_s: how long one call to the SDK may take. `report` waits as long for a connection, and for a reading of
            the twin that is under way, and begins no further try when that time is over; so it takes about three times
            as long at most.
        backoff_base_s: the longest first pause between two tries.
        backoff_cap_s: the longest pause. A session that lasted longer than this was a good one: counting starts again.
            However long it lasted, that counts as a part of the pause: it is connecting that is to be rare.
        proxy: through which the hub is reached; None for none.
        websockets: MQTT over WebSocket on port 443 instead of port 8883.
        keep_alive_s: MQTT keep-alive; a connection that died silently is noticed after about twice this.
        token_ttl_s: how long an access token is valid, above 120: the SDK renews it two minutes before the end.
        twin_every_s: the longest time between two readings of the twin; a hint that was lost is made up for by then.
        assignment: where the hub that an enrolment was assigned to is remembered; None to ask at every start.
        provision_within_s: how long one registration with the provisioning service may take; it has the device wait
            for some seconds in any case.
        on_state: told `(connected, error)` at each change and after each failed try, from a thread of the link; it
            returns at once. `error` is None on success and when the link was stopped. With `connected` it says what the
            device cannot hear although it is connected.

    Raises:
        ConfigError: `credentials` is no connection string of a device, `ca_pem` is no certificate, `token_ttl_s` is too
            short, or a file that is named cannot be used.
    """

    def __init__(
        self,
        credentials: Credentials | str,
        *,
        clock: Clock | None = None,
        ca_pem: str | None = None,
        deadline_s: float = 20.0,
        backoff_base_s: float = 1.0,
        backoff_cap_s: float = 60.0,
        proxy: Proxy | None = None,
        websockets: bool = False,
        keep_alive_s: int = 60,
        token_ttl_s: int = 3600,
        twin_every_s: float = 3600.0,
        assignment: Path | None = None,
        provision_within_s: float = 60.0,
        on_state: Callable[[bool, FwsmError | None], None] | None = None,
    ) -> None:
        if isinstance(credentials, str):
            credentials = DeviceConnection.parse(credentials)
        check_authorities(ca_pem)
        check_token_ttl(token_ttl_s)
        network = Network(ca_pem, proxy, websockets, keep_alive_s, token_ttl_s)
        self._settings = Settings(network, deadline_s)
        self._clock = clock or SystemClock()
        self._name = f"fwsm-link-{name_of(credentials)}"
        self._identity = identity_of(credentials, network, self._clock, provision_within_s, assignment)
        self._exclusive = Exclusive()
        self._backoff = functools.partial(retrying, self._clock, base_s=backoff_base_s, cap_s=backoff_cap_s)
        self._base_s = backoff_base_s
        self._twin_every_s = twin_every_s
        self._good_session_s = backoff_cap_s
        # Another link like this one ends a connection after a pause of up to the cap.
        self._contest = Contest(2 * backoff_cap_s)
        self._on_state = on_state
        self._stopping = threading.Event()
        self._usable = threading.Event()  # there is an open session, or there never will be one again
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._lasted_s = 0.0  # how long the last session was of use
        self._proved_at_s: float | None = None  # when the hub answered the present session for the first time
        self._supervisor: threading.Thread | None = None
        self._deliver: Callable[[Message], None]
        self._last_error: FwsmError | None = None

    @property
    def connected(self) -> bool:
        """Whether the hub can be talked to now."""
        return self._usable.is_set() and not self._stopping.is_set()

    @property
    def last_error(self) -> FwsmError | None:
        """Why the hub cannot be talked to, or what cannot be heard from it; None if all is well.

        None also before the first try has failed, and after `stop`.
        """
        return self._last_error

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Begin to connect, and stay connected until `stop`; returns at once. A link is started once."""
        self._deliver = deliver
        self._supervisor = threading.Thread(target=self._supervise, name=self._name, daemon=True)
        self._supervisor.start()

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge `patch` into the reported properties and return when the hub has acknowledged it.

        Raises:
            ReportRefusedError: the hub answered 400 or 413, or `patch` is not JSON.
            LinkBusyError: the hub answered 429; to be sent again later, and ever more rarely.
            LinkError: not now; the hub may or may not have applied it.
        """
        self._patiently(lambda: self._open_session().report(patch), when=_may_pass_soon)

    def stop(self) -> None:
        """Disconnect and end the link's threads; returns within about five seconds, whatever the hub does."""
        with self._lock:
            self._stopping.set()
            self._usable.set()
            session = self._session
        self._identity.abandon()
        if session is not None:
            session.abandon(_stopped())
        if self._supervisor is not None:
            self._supervisor.join(_STOP_WITHIN_S)

    def _patiently(self, call: Callable[[], _T], when: Callable[[BaseException], bool] = is_transient) -> _T:
        return self._backoff(self._stopping, within_s=self._settings.deadline_s, when=when)(call)

    def _open_session(self) -> Session:
        usable = self._clock.wait(self._usable, self._settings.deadline_s)
        session = self._session
        if self._stopping.is_set():
            raise _stopped()
        if usable and session is not None:
            return session
        if (error := self._last_error) is not None:
            raise restated(error) from error
        raise LinkError("there is no connection to the hub yet")

    def _supervise(self) -> None:
        loop = LoopThread(self._name)
        try:
            while not self._stopping.is_set():
                self._stay_connected(loop)
                # A hub that restarts loses all its devices at once; they are not to come back at once.
                self._clock.wait(self._stopping, random.uniform(0, self._base_s))  # noqa: S311 - spreads load
        finally:
            self._exclusive.release()
            loop.stop(_CLOSE_WITHIN_S)
            self._tell(connected=False, error=None)

    def _stay_connected(self, loop: LoopThread) -> None:
        """Open sessions until a good one has ended, or until `stop`, which is the only error that ends it."""
        backoff = self._backoff(
            self._stopping, when=_is_ours, before_sleep=_log_failure, spent_s=lambda: self._lasted_s
        )
        with contextlib.suppress(FwsmError):
            backoff(self._live, loop)

    def _live(self, loop: LoopThread) -> None:
        """Open a session and stay until it ends; raises why it ended, unless it was a good one."""
        error = self._use_session(loop)
        if error is not None:
            let_go(error)
            raise error

    def _use_session(self, loop: LoopThread) -> FwsmError | None:
        self._lasted_s = 0.0
        try:
            connection = self._identity.connection(loop)
            self._exclusive.take(connection)
        except FwsmError as nobody:
            self._contest.forget()
            if not self._stopping.is_set():
                self._tell(connected=False, error=nobody)
            return nobody
        session = Session(loop, connection, self._settings, self._deliver)
        with self._lock:  # either `stop` finds this session, or the stop is found here
            if self._stopping.is_set():
                return _stopped()
            self._session = session
        self._proved_at_s = None
        try:
            self._stay(session)
        except Exception as failure:  # noqa: BLE001 - a device whose supervisor has died is lost
            session.abandon(translated(failure, "connect", connection))
        if self._proved_at_s is None:
            self._identity.noted(session.error)
        self._lasted_s = 0.0 if self._proved_at_s is None else self._clock.now().boottime_s - self._proved_at_s
        error = session.error
        if session.admitted:
            error = self._contest.judged(error, self._lasted_s, connection)
        else:
            self._contest.forget()
        self._leave(session, error)
        was_good = self._lasted_s >= self._good_session_s and not isinstance(error, LinkTakenError)
        if was_good and error is not None and not self._stopping.is_set():
            _log.warning("%s", error)  # what is raised is logged with the pause
        return None if was_good else error

    def _stay(self, session: Session) -> None:
        session.open()
        upkeep = Upkeep(
            session,
            self._clock,
            backoff=self._backoff,
            patience_s=self._settings.deadline_s,
            twin_every_s=self._twin_every_s,
        )
        # The connection is up, but only an answer proves that the hub does its work.
        upkeep.begin()
        self._proved_at_s = self._clock.now().boottime_s
        self._identity.noted(None)
        deaf = session.deaf
        self._tell(connected=True, error=deaf)
        upkeep.run(deaf, lambda: self._tell(connected=True, error=None))

    def _leave(self, session: Session, error: FwsmError | None) -> None:
        if not self._stopping.is_set():
            self._tell(connected=False, error=error)
        session.close(_CLOSE_WITHIN_S)
        # A client of the SDK is a knot of cycles that holds sockets. After days on a bad network hundreds of them would
        # wait for a full collection, which Python makes ever more rarely.
        gc.collect()

    def _tell(self, *, connected: bool, error: FwsmError | None) -> None:
        with self._lock:
            self._last_error = error
            if connected:
                self._usable.set()
            elif not self._stopping.is_set():  # what `stop` has set lets callers go
                self._usable.clear()
        if isinstance(error, LinkTakenError | LinkDeafError):
            self._deliver(Trouble(error))
        if self._on_state is not None:
            try:
                self._on_state(connected, error)
            except Exception:  # noqa: BLE001 - the embedder's code must not end the link
                _log.exception("on_state failed")


def _stopped() -> LinkError:
    return LinkError("the link was stopped")


def _may_pass_soon(error: BaseException) -> bool:
    return is_transient(error) and not isinstance(error, LinkBusyError)


def _is_ours(error: BaseException) -> bool:
    return isinstance(error, FwsmError)


def _log_failure(error: BaseException, pause_s: float) -> None:
    _log.warning("%s (next try %s)", error, when(pause_s))
