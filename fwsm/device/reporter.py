"""Drains the reports to the hub: in order, one patch in flight, until acknowledged.

It has its own thread and its own connection to the database, so a dead hub never holds up an update. What the history
holds and the hub has not acknowledged is sent again after whatever happened; a report that arrives twice changes
nothing. A long backlog is folded: the newest entries go out one by one, what lies before them as one patch for each
update.

What is left from an earlier boot is told from the start of its update, with all that was said of it before. A power cut
may have taken the note that the hub knows it, and a report is a difference from the one before: merged into a twin that
shows more already, an old one would make something of both that never was.

A report that the hub has not acknowledged is tried ever more rarely. Once the twin is read the hub is there again, so
the pause under way ends and the next ones are short; but not a pause that the hub has asked for.

A report that the hub refuses is sent with less and less in it until the hub takes it, so that no status is passed over
and none is held up. If it takes nothing, the reports behind it go on.

Reports are differences. So once all are out, the twin is compared with what it should show whenever it was read, and
the whole section is sent again if the hub has lost some of it, or has refused some; as much of it as the hub takes.

Progress is different: only the newest matters and none of it is kept. It is sent between reports, at the rate of
`pace`, and a hub that asks for patience is spared it for a while.
"""

from __future__ import annotations

import functools
import itertools
import logging
import threading
from typing import TYPE_CHECKING, Any

from fwsm.core.resend import editions, lacks
from fwsm.core.twin import wrapped
from fwsm.device.backoff import is_transient, retrying
from fwsm.device.pace import Pace
from fwsm.errors import FwsmError, LinkBusyError, LinkError, ReportRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from fwsm.device.ports import Clock, Link
    from fwsm.store import Outbox, Report

__all__ = ["Reporter"]

_log = logging.getLogger(__name__)

# More than this many reports wait after days offline; an update without trouble has about eight.
_SINGLE_REPORTS = 16
_READ_AT_ONCE = 1024


class Reporter:
    """Tells the hub what the store holds.

    Args:
        outbox: the reporter's side of the database; the caller closes it.
        link: the connection to the hub.
        clock: for pauses.
        progress_every_s: at most one progress report in so many seconds, see `Pace`; None for none.
        base_s, cap_s: full-jitter backoff between tries of one report.
        on_report: told each patch that the hub has acknowledged, progress included.
    """

    def __init__(
        self,
        outbox: Outbox,
        link: Link,
        clock: Clock,
        *,
        progress_every_s: float | None = 5.0,
        base_s: float = 1.0,
        cap_s: float = 60.0,
        on_report: Callable[[Mapping[str, Any]], None] = lambda _patch: None,
    ) -> None:
        self._outbox = outbox
        self._link = link
        self._clock = clock
        self._pace = None if progress_every_s is None else Pace(progress_every_s)
        self._backoff = functools.partial(retrying, clock, base_s=base_s, cap_s=cap_s)
        self._cap_s = cap_s
        self._on_report = on_report
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._reached = threading.Event()  # the hub has just been there; set by `stop` as well
        self._lock = threading.Lock()
        self._heard: Mapping[str, Any] | None = None
        self._due = False  # what was heard is to be compared
        self._seen: dict[str, Any] | None = None  # the hub's reported properties, as far as we know them
        self._refused = False
        self._progress: Mapping[str, Any] | None = None

    def ring(self) -> None:
        """There is something new in the outbox; from any thread."""
        self._bell.set()

    def hear(self, reported: Mapping[str, Any]) -> None:
        """The reported properties as the hub has them now; from any thread, as soon as they have been read.

        They are kept up with what the hub acknowledges from now on, and looked at after `compare`.
        """
        with self._lock:
            self._heard = reported

    def compare(self) -> None:
        """Compare what was heard last with what it should be, as the history knows that now; from any thread."""
        with self._lock:
            self._due = True
        self._reached.set()
        self._bell.set()

    def note_progress(self, patch: Mapping[str, Any]) -> None:
        """The newest progress; from any thread."""
        with self._lock:
            self._progress = patch
        self._bell.set()

    def forget_progress(self) -> None:
        """The state has changed, so a progress that was not sent yet is out of date; from any thread."""
        with self._lock:
            self._progress = None
            if self._pace is not None:
                self._pace.begin()

    def stop(self) -> None:
        """Make `run` return soon; from any thread. What was not acknowledged is sent at the next start."""
        self._stopping.set()
        self._reached.set()
        self._bell.set()

    def run(self) -> None:
        """Report until `stop`."""
        while True:
            self._bell.clear()
            if self._stopping.is_set():  # looked at behind the clear, which may have taken the bell of `stop`
                return
            wait_s = self._step_or_pause()
            if wait_s != 0:
                self._clock.wait(self._bell, wait_s)

    def step(self) -> float | None:
        """Send one report; if none waits, what the hub has lost; if nothing is lost, the newest progress.

        Returns:
            Seconds until the next step has something to do; None if only the bell can bring that.

        Raises:
            LinkError: stopped, or failed for good, before the hub acknowledged.
            StoreError: the outbox cannot be read.
        """
        self._take_heard()
        pending = self._outbox.pending(_READ_AT_ONCE)
        if pending:
            patch, number = self._next(pending)
            whole, *less = editions(_section_of(patch))
            if not self._send(whole):
                self._refused = True
                self._send_any(less)
            self._outbox.acknowledge(number)
            return 0.0
        if self._refused or self._seen is not None:
            self._mend()
            return 0.0
        return self._send_progress()

    def _next(self, pending: Sequence[Report]) -> tuple[dict[str, Any], int]:
        """The next patch to send, and the report up to which it tells everything.

        Folded is what tells of one update, so that its end is said before the next one begins.
        """
        first, *others = pending[: max(1, len(pending) - _SINGLE_REPORTS)]
        folded = [first, *itertools.takewhile(lambda report: report.update_id in {first.update_id, ""}, others)]
        before = [] if first.boot_id == self._clock.now().boot_id else self._outbox.earlier(first)
        patch = functools.reduce(_merged, (report.patch for report in (*before, *folded)))
        return patch, folded[-1].number

    def _step_or_pause(self) -> float | None:
        try:
            return self.step()
        except FwsmError as error:  # a store that is busy or a hub that is away: later
            _log.log(logging.DEBUG if self._stopping.is_set() else logging.WARNING, "%s", error)
        except Exception:  # noqa: BLE001  # the link may be the embedder's, and nobody would notice that a thread is gone
            _log.exception("reporting failed; it goes on in %.0f s", self._cap_s)
        return self._cap_s

    def _take_heard(self) -> None:
        with self._lock:
            if not self._due:
                return
            heard, self._heard, self._due = self._heard, None, False
        if heard is not None:
            self._seen = dict(heard)

    def _mend(self) -> None:
        """Send the whole section if the hub lacks some of it; once for each reading of the twin."""
        section = self._outbox.section()
        if section and (self._refused or lacks(_section_of(self._seen), section)):
            _log.warning("the twin does not show what it should; all of it is sent again")
            if not self._send_any(editions(section)):
                _log.error("the hub takes no report at all; the next connection tries again")
        self._refused, self._seen = False, None

    def _send_any(self, parts: Iterable[Mapping[str, Any]]) -> bool:
        """Send the first that the hub takes; False if it takes none."""
        return any(self._send(part) for part in parts)

    def _send(self, part: Mapping[str, Any]) -> bool:
        """Send it until it is acknowledged; False if the hub refuses it, which it would do again."""
        patch = wrapped(part)
        try:
            self._backoff(self._stopping)(self._deliver, patch)
        except ReportRefusedError as error:
            _log.error("the hub refuses a report: %s", error)
            return False
        if self._seen is not None:
            self._seen = _merged(self._seen, patch)
        with self._lock:  # a twin that came meanwhile was read before; one that comes from now on should show it
            if self._heard is not None:
                self._heard = _merged(self._heard, patch)
        self._on_report(patch)
        return True

    def _deliver(self, patch: Mapping[str, Any]) -> None:
        """Report it again and again, at once when the hub is there again, from when on the pauses begin anew.

        Raises:
            ReportRefusedError: the hub will never take it.
            LinkError: the hub asks for patience, or the reporter was stopped.
        """
        while True:
            self._reached.clear()
            if self._stopping.is_set():  # looked at behind the clear, which may have taken what `stop` has set
                raise LinkError("the reporter was stopped")
            try:
                self._backoff(self._reached, when=_may_pass_unasked)(self._link.report, patch)
            except FwsmError as error:
                if not _may_pass_unasked(error):
                    raise
            else:
                return

    def _send_progress(self) -> float | None:
        with self._lock:
            patch, pace = self._progress, self._pace
            if patch is None or pace is None:
                return None
            now, progress = self._clock.now(), (_section_of(patch) or {}).get("progress") or {}
            if (left_s := pace.wait_s(progress, now)) > 0:
                return left_s
            self._progress = None
            pace.tell(progress, now)
        try:
            self._link.report(patch)
            self._on_report(patch)
        except LinkError as error:
            _log.debug("a progress report was not sent: %s", error)  # the next one is as good
            if isinstance(error, LinkBusyError):
                pace.spare(error.retry_after_s or self._cap_s, now)
        return 0.0


def _may_pass_unasked(error: BaseException) -> bool:
    """Whether another try is worth it before the hub has had the pause that it asks for."""
    asks = isinstance(error, LinkBusyError) or (isinstance(error, FwsmError) and error.retry_after_s is not None)
    return is_transient(error) and not asks


def _section_of(reported: Mapping[str, Any] | None) -> Any:
    ours = reported.get("iothubDM") if reported else None
    return ours.get("firmwareUpdate") if isinstance(ours, dict) else None


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Two patches as one: a later value wins, null included, and objects merge."""
    merged = dict(first)
    for name, value in second.items():
        there = merged.get(name)
        merged[name] = _merged(there, value) if isinstance(value, dict) and isinstance(there, dict) else value
    return merged
