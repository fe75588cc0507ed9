"""The reporter on a real outbox and a hub in memory."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import Request, State, Update
from fwsm.device.clock import SystemClock
from fwsm.device.reporter import Reporter
from fwsm.errors import LinkError, ReportRefusedError
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from tests.device.life import LateEvent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Desk:
    """A store with something to report, and a reporter."""

    def __init__(self, directory: Path) -> None:
        self.clock = FakeClock()
        self.link = MemoryLink()
        self.store = Store(directory)
        self.lifecycle = Lifecycle([self.store.advance])
        self.open()
        now = self.clock.now()
        self.update = Update(id="u1", request=Request("https://x/y"), state=State.WAITING, boot_id=now.boot_id)
        self.store.accept(self.update, now)

    def open(self) -> None:
        """A reporter as after a start of the process."""
        self.outbox = self.store.outbox()
        self.reporter = Reporter(self.outbox, self.link, self.clock, progress_every_s=10.0)

    def fire(self, trigger: Trigger) -> None:
        """Advance the update."""
        self.update = self.lifecycle.fire(self.update, trigger, Facts(now=self.clock.now()))

    def close(self) -> None:
        """Let go."""
        self.outbox.close()
        self.store.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with one accepted update."""
    desk = Desk(tmp_path)
    yield desk
    desk.close()


def sections(link: MemoryLink) -> list[dict[str, Any]]:
    """The reported sections in order."""
    return [patch["iothubDM"]["firmwareUpdate"] for patch in link.patches]


def test_reports_go_out_in_order_one_at_a_time(desk: Desk) -> None:
    """Each step sends the oldest report that was not acknowledged."""
    desk.fire(Trigger.POLICY_ALLOWED)
    assert desk.reporter.step() == 0.0
    assert [part["status"] for part in sections(desk.link)] == ["waiting"]
    assert desk.reporter.step() == 0.0
    assert desk.reporter.step() is None
    assert desk.link.statuses == ["waiting", "downloading"]


def test_a_report_is_sent_until_it_is_acknowledged(desk: Desk) -> None:
    """Transient failures are waited out with backoff; nothing overtakes."""
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.link.failures = [LinkError("no connection")] * 5
    before = desk.clock.boottime_s
    assert desk.reporter.step() == 0.0
    assert desk.link.statuses == ["waiting"]
    assert desk.clock.boottime_s > before


def test_a_lost_acknowledgement_sends_the_same_again(desk: Desk) -> None:
    """Applied but not acknowledged: the same patch once more, and the twin is none the wiser."""
    desk.link.lost_answers = 1
    desk.reporter.step()
    first, second = desk.link.patches
    assert first == second


def test_what_was_not_acknowledged_is_sent_after_a_restart(desk: Desk) -> None:
    """The cursor is on disk: a new process begins behind the last acknowledged report."""
    desk.reporter.step()
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.outbox.close()
    desk.open()
    desk.reporter.step()
    assert desk.link.statuses == ["waiting", "downloading"]
    assert len(desk.link.patches) == 2


def test_a_long_backlog_is_folded_and_ends_in_the_same_twin(desk: Desk) -> None:
    """After days offline the oldest reports go out as one patch; the twin ends as if all had been sent."""
    for _ in range(40):
        desk.fire(Trigger.RESTARTED)
    desk.fire(Trigger.CANCELLED)
    while desk.reporter.step() == 0.0:
        pass
    assert len(desk.link.patches) == 17
    section = desk.link.section
    assert (section["status"], section["resumed"], section["error"]["code"]) == ("downloadFailed", 40, "cancelled")


def test_a_refused_report_does_not_hold_up_the_next(desk: Desk) -> None:
    """What the hub will never take is left out and said in the log."""
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.link.failures = [ReportRefusedError("too large")]
    desk.reporter.step()
    desk.reporter.step()
    assert desk.link.statuses == ["downloading"]


def test_progress_is_sent_between_reports_at_a_bounded_rate(desk: Desk) -> None:
    """Only the newest progress goes out, not more often than allowed, and never before a report."""
    desk.reporter.note_progress({"iothubDM": {"firmwareUpdate": {"progress": {"bytes": 1}}}})
    desk.reporter.step()
    assert sections(desk.link)[-1]["status"] == "waiting"
    desk.reporter.step()
    assert desk.link.section["progress"] == {"bytes": 1}
    for number in (2, 3):
        desk.reporter.note_progress({"iothubDM": {"firmwareUpdate": {"progress": {"bytes": number}}}})
        wait_s = desk.reporter.step()
    assert wait_s == pytest.approx(10.0)
    desk.clock.advance(10.0)
    desk.reporter.step()
    assert [part["progress"]["bytes"] for part in sections(desk.link) if part.get("progress")] == [1, 3]


def test_a_stale_progress_is_forgotten_when_the_state_changes(desk: Desk) -> None:
    """A progress that was noted before a state change is not sent after it."""
    desk.reporter.step()
    desk.reporter.note_progress({"iothubDM": {"firmwareUpdate": {"progress": {"bytes": 1}}}})
    desk.reporter.forget_progress()
    assert desk.reporter.step() is None


def test_a_failed_progress_report_is_dropped(desk: Desk) -> None:
    """Progress is not worth a retry."""
    desk.reporter.step()
    desk.link.failures = [LinkError("away")]
    desk.reporter.note_progress({"iothubDM": {}})
    assert desk.reporter.step() == 0.0
    assert desk.reporter.step() is None


def test_run_ends_when_it_is_stopped_in_the_middle_of_a_retry(desk: Desk) -> None:
    """A stop ends the backoff; what was not sent waits in the outbox."""

    class Dead(MemoryLink):
        def report(self, _patch: object) -> None:
            desk.reporter.stop()
            raise LinkError("away")

    desk.reporter = Reporter(desk.outbox, Dead(), desk.clock)
    desk.reporter.run()
    assert len(desk.outbox.pending()) == 1


def test_a_stop_is_never_missed(desk: Desk) -> None:
    """A stop that comes just after `run` has looked for it still wakes it."""
    desk.reporter = Reporter(desk.outbox, desk.link, SystemClock("boot-1"))
    desk.reporter._stopping = LateEvent(desk.reporter.stop)
    running = threading.Thread(target=desk.reporter.run, daemon=True)
    running.start()
    running.join(5)
    assert not running.is_alive()


def test_a_link_with_a_bug_does_not_end_the_reporting(desk: Desk) -> None:
    """A foreign error is logged, and the report is sent again after a pause."""

    class Buggy(MemoryLink):
        bugs = 1

        def report(self, patch: Mapping[str, Any]) -> None:
            if self.bugs:
                self.bugs -= 1
                raise ValueError("a bug of the embedder")
            super().report(patch)
            desk.reporter.stop()

    desk.link = Buggy()
    desk.reporter = Reporter(desk.outbox, desk.link, desk.clock, cap_s=60.0)
    before_s = desk.clock.boottime_s
    desk.reporter.run()
    assert desk.link.statuses == ["waiting"]
    assert desk.clock.boottime_s - before_s == pytest.approx(60.0)


def test_reports_of_two_updates_do_not_mix(desk: Desk) -> None:
    """A new update's first report replaces everything that the old one had shown."""
    desk.fire(Trigger.CANCELLED)
    desk.store.accept(replace(desk.update, id="u2", state=State.WAITING, failure=None), desk.clock.now())
    while desk.reporter.step() == 0.0:
        pass
    assert desk.link.section["updateId"] == "u2"
    assert "error" not in desk.link.section
