"""The reporter on a real outbox and a hub in memory."""

from __future__ import annotations

import copy
import json
import threading
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.desired import Acknowledgement
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.twin import incident, section
from fwsm.core.update import Failure, Progress, Request, State, Update
from fwsm.device.clock import SystemClock
from fwsm.device.reporter import Reporter
from fwsm.errors import Kind, LinkBusyError, LinkError, ReportRefusedError
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from tests.device.life import LateEvent
from tests.logs import records_of
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
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


@pytest.mark.parametrize("acknowledged", range(4))
def test_a_cursor_that_a_power_cut_has_set_back_makes_no_mixture(desk: Desk, acknowledged: int) -> None:
    """The hub knows more than the device remembers; what it is told again never mixes with what it shows.

    Args:
        desk: the desk.
        acknowledged: the report up to which the note of it was synced.
    """
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.fire(Trigger.CANCELLED)
    desk.update = replace(desk.update, id="u2", state=State.WAITING, failure=None)
    desk.store.accept(desk.update, desk.clock.now())
    looks = []
    for _ in range(4):
        desk.reporter.step()
        looks.append(copy.deepcopy(desk.link.section))
    desk.outbox.acknowledge(acknowledged)
    desk.outbox.close()
    desk.clock.reboot("another boot")
    desk.open()
    again = []
    while desk.reporter.step() == 0.0:
        again.append(copy.deepcopy(desk.link.section))
    assert [look for look in again if look not in looks] == []
    assert desk.link.section == shown(desk)


def test_what_another_boot_has_left_is_said_as_a_whole_and_the_rest_as_differences(desk: Desk) -> None:
    """No status is passed over by a reboot."""
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.clock.reboot("another boot")
    desk.fire(Trigger.CANCELLED)
    step_to_the_end(desk)
    assert desk.link.statuses == ["waiting", "downloading", "downloadFailed"]
    assert ["updateId" in part for part in sections(desk.link)] == [True, True, False]


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


def compare(reporter: Reporter, reported: Mapping[str, Any]) -> None:
    """Have the reporter compare the twin, as the agent does when it comes."""
    reporter.hear(reported)
    reporter.compare()


def step_to_the_end(desk: Desk) -> None:
    """Let the reporter send all that it wants to."""
    for _ in range(100):
        if desk.reporter.step() is None:
            return
    raise AssertionError("the reporter does not come to an end")


def shown(desk: Desk) -> dict[str, Any]:
    """What the twin should show."""
    return {name: value for name, value in section(desk.update).items() if value is not None}


def test_a_fold_never_reaches_over_two_updates(desk: Desk) -> None:
    """An operator sees how each of them ended, however long the backlog is."""
    for number in range(2, 5):
        for _ in range(20):
            desk.fire(Trigger.RESTARTED)
        desk.fire(Trigger.CANCELLED)
        desk.update = replace(desk.update, id=f"u{number}", state=State.WAITING, failure=None)
        desk.store.accept(desk.update, desk.clock.now())
    step_to_the_end(desk)
    ends = [(part["updateId"], part["status"]) for part in sections(desk.link) if "updateId" in part]
    assert ends == [("u1", "downloadFailed"), ("u2", "downloadFailed"), ("u3", "waiting"), ("u4", "waiting")]
    assert desk.link.statuses[-3:] == ["waiting", "downloadFailed", "waiting"]
    assert len(desk.store.history()) == 67
    assert desk.link.section == shown(desk)


def test_after_a_refused_report_the_whole_section_is_said(desk: Desk) -> None:
    """The refused one is said with less in it, so no status is passed over; in the end nothing is missing."""
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.link.failures = [ReportRefusedError("too large")]
    desk.reporter.step()
    assert desk.link.section == {"updateId": "u1", "status": "waiting"}
    desk.reporter.step()
    assert desk.link.section == {"updateId": "u1", "status": "downloading"}
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)
    sent = len(desk.link.patches)
    step_to_the_end(desk)
    assert len(desk.link.patches) == sent


class Small(MemoryLink):
    """A hub that takes only so much at once."""

    most_bytes = 400

    def report(self, patch: Mapping[str, Any]) -> None:
        """Refuse it, or take it."""
        if len(json.dumps(patch)) > self.most_bytes:
            raise ReportRefusedError("413")
        super().report(patch)


@pytest.mark.parametrize(
    ("most_bytes", "error"),
    [
        (2000, {"code": "internal", "message": "x" * 900}),
        (700, {"code": "internal", "message": "x" * 99 + "…"}),
        (420, {"code": "internal"}),
    ],
)
def test_a_hub_that_takes_little_is_told_less(desk: Desk, most_bytes: int, error: dict[str, str]) -> None:
    """Long texts go first; how the update stands and why it failed always fits."""
    desk.link = Small()
    desk.link.most_bytes = most_bytes
    desk.reporter = Reporter(desk.outbox, desk.link, desk.clock)
    desk.fire(Trigger.POLICY_ALLOWED)
    failure = Failure("internal", "x" * 900, Kind.PERMANENT)
    facts = Facts(now=desk.clock.now(), failure=failure)
    desk.update = desk.lifecycle.fire(desk.update, Trigger.DOWNLOAD_FAILED, facts)
    step_to_the_end(desk)
    assert (desk.link.section["status"], desk.link.section["error"]) == ("downloadFailed", error)


def test_a_hub_that_takes_nothing_is_left_alone(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Until it is connected to anew."""
    desk.link = Small()
    desk.link.most_bytes = 10
    desk.reporter = Reporter(desk.outbox, desk.link, desk.clock)
    step_to_the_end(desk)
    assert "the hub takes no report at all" in caplog.text
    assert desk.link.patches == []
    desk.link.most_bytes = 2000
    step_to_the_end(desk)
    assert desk.link.patches == []
    compare(desk.reporter, {})
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)


def test_a_report_that_is_refused_in_every_form_holds_up_nobody(desk: Desk) -> None:
    """What lies behind it goes out, in order, and what it would have said comes with the whole section."""
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.fire(Trigger.CANCELLED)
    desk.link.failures = [ReportRefusedError("400"), ReportRefusedError("400")]
    desk.reporter.step()
    assert desk.link.patches == []
    step_to_the_end(desk)
    assert desk.link.statuses == ["downloading", "downloadFailed"]
    assert desk.link.section == shown(desk)
    assert desk.outbox.pending() == []


def test_a_refused_report_is_not_forgotten_with_the_process(desk: Desk) -> None:
    """The next process reads the twin after its first connect, and finds what is missing there."""
    desk.link.failures = [ReportRefusedError("413"), ReportRefusedError("413")]
    desk.reporter.step()
    desk.outbox.close()
    desk.open()
    assert desk.reporter.step() is None
    assert desk.link.section == {}
    compare(desk.reporter, desk.link.twin)
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)


@pytest.mark.parametrize(("asked_s", "least_s", "most_s"), [(None, 0.0, 1.0), (20.0, 20.0, 21.0), (1e9, 60.0, 60.0)])
def test_a_hub_that_asks_for_patience_gets_it(desk: Desk, asked_s: float | None, least_s: float, most_s: float) -> None:
    """As long as it asks for, within the cap; else for a short time that grows from try to try."""
    desk.link.failures = [LinkError("429", retry_after_s=asked_s)]
    before_s = desk.clock.boottime_s
    desk.reporter.step()
    assert least_s <= desk.clock.boottime_s - before_s <= most_s
    assert desk.link.section == shown(desk)


def test_a_fold_is_no_larger_than_one_report(desk: Desk) -> None:
    """However many it stands for, and however long their texts are: a later one takes the place of an earlier one."""
    desk.fire(Trigger.POLICY_ALLOWED)
    for number in range(300):
        failure = Failure("link", chr(0x1F600 + number % 60) * 4000, Kind.TRANSIENT)
        facts = Facts(now=desk.clock.now(), failure=failure, progress=Progress(number * 100_000))
        desk.update = desk.lifecycle.fire(desk.update, Trigger.DOWNLOAD_FAILED, facts)
    step_to_the_end(desk)
    assert len(desk.link.patches) == 17
    assert max(len(json.dumps(patch, ensure_ascii=False).encode()) for patch in desk.link.patches) < 8 * 1024
    assert len(desk.store.history()) == 302
    assert desk.link.section == told_of(shown(desk))


def told_of(section: dict[str, Any]) -> dict[str, Any]:
    """The same on a twin, which has no nulls in objects either."""
    return {
        name: {inner: part for inner, part in value.items() if part is not None} if isinstance(value, dict) else value
        for name, value in section.items()
    }


@pytest.mark.parametrize(
    "lost", [{}, {"iothubDM": None}, {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}}, {"x": 1}]
)
def test_what_the_hub_has_lost_is_said_again(desk: Desk, lost: dict[str, Any]) -> None:
    """As a whole, once for each reading of the twin."""
    desk.fire(Trigger.POLICY_ALLOWED)
    step_to_the_end(desk)
    desk.link.twin = copy.deepcopy(lost)
    before = len(desk.link.patches)
    compare(desk.reporter, copy.deepcopy(lost))
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)
    assert len(desk.link.patches) == before + 1


def test_what_the_hub_should_not_have_is_taken_away(desk: Desk) -> None:
    """A reason of long ago, for one; what others keep beside ours stays."""
    step_to_the_end(desk)
    desk.link.report({"iothubDM": {"firmwareUpdate": {"reason": "delay"}, "other": 1}})
    compare(desk.reporter, copy.deepcopy(desk.link.twin))
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)
    assert desk.link.twin["iothubDM"]["other"] == 1


def test_a_twin_that_shows_what_it_should_is_left_alone(desk: Desk) -> None:
    """Also one that was read before the newest reports had arrived."""
    step_to_the_end(desk)
    read = copy.deepcopy(desk.link.twin)
    desk.fire(Trigger.POLICY_ALLOWED)
    compare(desk.reporter, read)
    sent = len(desk.link.patches)
    step_to_the_end(desk)
    assert len(desk.link.patches) == sent + 1
    assert desk.link.section == shown(desk)


class Connecting(MemoryLink):
    """A hub that is connected to while a report is under way: the twin is read before the report arrives there."""

    desk: Desk

    def report(self, patch: Mapping[str, Any]) -> None:
        """Have the twin compared, then take the report."""
        compare(self.desk.reporter, copy.deepcopy(self.twin))
        super().report(patch)


def connecting(desk: Desk) -> MemoryLink:
    """A link of that kind in the place of the desk's, with the same hub behind it."""
    link = Connecting()
    link.desk, link.twin = desk, desk.link.twin
    desk.link = link
    desk.reporter = Reporter(desk.outbox, link, desk.clock)
    return link


def test_a_twin_that_is_read_while_a_report_is_under_way_is_no_loss(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a reboot, whose report waits for the connection: it is not there yet, and nothing is sent twice."""
    step_to_the_end(desk)
    link = connecting(desk)
    desk.fire(Trigger.POLICY_ALLOWED)
    step_to_the_end(desk)
    assert len(link.patches) == 1
    assert link.section == shown(desk)
    assert records_of(caplog, "fwsm.device.reporter") == []


def test_a_report_that_arrives_before_the_twin_is_compared_is_no_loss(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """The agent may be busy for long between a twin that comes and the comparison, as with a hook on the new update."""
    step_to_the_end(desk)
    desk.reporter.hear(copy.deepcopy(desk.link.twin))
    desk.fire(Trigger.POLICY_ALLOWED)
    step_to_the_end(desk)
    sent = len(desk.link.patches)
    desk.reporter.compare()
    step_to_the_end(desk)
    assert len(desk.link.patches) == sent
    assert desk.link.section == shown(desk)
    assert caplog.text == ""


def test_what_is_lost_while_a_report_is_under_way_is_said_again(desk: Desk) -> None:
    """That report tells a difference only, so the twin still lacks the rest."""
    step_to_the_end(desk)
    desk.link.twin = {}
    link = connecting(desk)
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.reporter.step()
    assert link.section != shown(desk)
    desk.reporter.step()
    assert link.section == shown(desk)


def test_a_report_that_is_lost_after_it_was_acknowledged_is_said_again(desk: Desk) -> None:
    """Only a twin that came before the acknowledgement is excused."""
    step_to_the_end(desk)
    before = copy.deepcopy(desk.link.twin)
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.reporter.step()
    desk.link.twin = before
    compare(desk.reporter, copy.deepcopy(before))
    step_to_the_end(desk)
    assert desk.link.section == shown(desk)


def test_a_device_without_an_update_has_nothing_to_say(tmp_path: Path) -> None:
    """Whatever the twin shows."""
    with Store(tmp_path) as store, closing(store.outbox()) as outbox:
        link = MemoryLink()
        reporter = Reporter(outbox, link, FakeClock())
        compare(reporter, {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}})
        assert reporter.step() == 0.0
        assert reporter.step() is None
        assert link.patches == []


def test_the_time_of_the_last_update_that_worked_comes_back(desk: Desk) -> None:
    """A later one that failed does not know it."""
    now = desk.clock.now()
    good = replace(desk.update, id="u2", state=State.APPLY_COMPLETE, applied_at=now.wall)
    desk.store.accept(good, now)
    desk.update = replace(desk.update, id="u3")
    desk.store.accept(desk.update, now)
    step_to_the_end(desk)
    assert desk.link.section["lastFirmwareUpdate"]
    whole = dict(desk.link.section)
    desk.link.twin = {}
    compare(desk.reporter, {})
    step_to_the_end(desk)
    assert desk.link.section == whole


def test_the_acknowledgement_of_a_desired_property_comes_back(desk: Desk) -> None:
    """It is part of the section."""
    desk.store.acknowledge(Acknowledgement(3, "d", 200, "done"), desk.clock.now())
    step_to_the_end(desk)
    whole = dict(desk.link.section)
    assert whole["desired"] == {"ac": 200, "av": 3, "ad": "done"}
    desk.link.twin = {}
    compare(desk.reporter, {})
    step_to_the_end(desk)
    assert desk.link.section == whole


def test_an_acknowledgement_without_an_update_comes_back(tmp_path: Path) -> None:
    """A device that was only asked for something malformed has that to say."""
    with Store(tmp_path) as store, closing(store.outbox()) as outbox:
        link, clock = MemoryLink(), FakeClock()
        reporter = Reporter(outbox, link, clock)
        store.acknowledge(Acknowledgement(3, "d", 400, "no"), clock.now())
        reporter.step()
        link.twin = {}
        compare(reporter, {})
        assert reporter.step() == 0.0
        assert link.section == {"desired": {"ac": 400, "av": 3, "ad": "no"}}
        assert reporter.step() is None


def test_an_incident_comes_back(desk: Desk) -> None:
    """The newest that the twin was told of; what went wrong in a hook is the device's own business."""
    now = desk.clock.now()
    for code in ("storeDamaged", "storeLost"):
        desk.update = replace(desk.update, id=f"{code}")
        desk.store.restore(desk.update, now, code=code, message="it was gone")
        desk.clock.advance(60.0)
    desk.store.note("hookFailed", "no", desk.clock.now())
    step_to_the_end(desk)
    whole = dict(desk.link.section)
    assert whole["incident"] == incident("storeLost", now.wall)["incident"]
    desk.link.twin = {}
    compare(desk.reporter, {})
    step_to_the_end(desk)
    assert desk.link.section == whole


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


@pytest.mark.parametrize(("asked_s", "spared_s"), [(None, 60.0), (90.0, 90.0), (1.0, 10.0)])
def test_a_hub_that_asks_for_patience_is_spared_the_progress(
    desk: Desk, asked_s: float | None, spared_s: float
) -> None:
    """For as long as it asks, or a minute; an entry into a state is told as ever."""
    desk.reporter.step()
    desk.link.failures = [LinkBusyError("429", retry_after_s=asked_s)]
    for number in (1, 2):
        desk.reporter.note_progress({"iothubDM": {"firmwareUpdate": {"progress": {"bytes": number}}}})
        wait_s = desk.reporter.step()
    assert wait_s == pytest.approx(spared_s)
    desk.fire(Trigger.POLICY_ALLOWED)
    desk.reporter.step()
    assert desk.link.section == shown(desk)
    desk.clock.advance(spared_s)
    desk.reporter.step()
    assert desk.link.section["progress"] == {"bytes": 2}


def test_a_throttled_hub_is_asked_ever_more_rarely(desk: Desk) -> None:
    """So that the devices that it throttles do not keep it throttled: on average twice a minute in the end."""
    tries = 60
    desk.link.failures = [LinkBusyError("429") for _ in range(tries)]
    before_s = desk.clock.boottime_s
    desk.reporter.step()
    assert desk.link.section == shown(desk)
    assert desk.clock.boottime_s - before_s > tries * 15


class Returning(FakeClock):
    """Time in which the hub comes back in the middle of the pause `in_pause`, and the twin is read."""

    def __init__(self, in_pause: int, come_back: Callable[[], None]) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.came_back_s: float | None = None
        self._in_pause = in_pause
        self._come_back = come_back

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Let half of the time pass, and the other half only if the event was not set then."""
        half_s = (timeout_s or 0.0) / 2
        self.pauses.append(2 * half_s)
        self.advance(half_s)
        if len(self.pauses) == self._in_pause:
            self.came_back_s = self.boottime_s
            self._come_back()
        return event.is_set() or super().wait(event, half_s)


@pytest.mark.parametrize("more_failures", [0, 2])
def test_a_hub_that_is_back_gets_the_report_at_once(desk: Desk, more_failures: int) -> None:
    """In the middle of a pause that had become long; and if the try fails, the pauses begin with short ones again."""
    tries = 30

    def come_back() -> None:
        desk.link.failures = [LinkError("not quite yet")] * more_failures
        compare(desk.reporter, copy.deepcopy(desk.link.twin))

    clock = Returning(tries, come_back)
    desk.reporter = Reporter(desk.outbox, desk.link, clock)
    desk.link.failures = [LinkError("away") for _ in range(10 * tries)]
    desk.reporter.step()
    assert desk.link.section == shown(desk)
    long, short = clock.pauses[:tries], clock.pauses[tries:]
    assert max(long) > 20.0
    assert len(short) == more_failures
    assert all(pause_s <= most_s for pause_s, most_s in zip(short, (1.0, 2.0), strict=False))
    assert clock.came_back_s is not None
    assert clock.boottime_s == pytest.approx(clock.came_back_s + sum(short))


@pytest.mark.parametrize("busy", [LinkBusyError("429"), LinkError("503", retry_after_s=40.0)], ids=["busy", "asked"])
def test_a_hub_that_asks_for_patience_gets_it_also_when_the_twin_is_read(desk: Desk, busy: LinkError) -> None:
    """Throttling is obeyed: no pause is cut short, and none of those that follow is shorter for it."""
    tries = 12
    clock = Returning(tries, lambda: compare(desk.reporter, {}))
    desk.reporter = Reporter(desk.outbox, desk.link, clock)
    desk.link.failures = [busy for _ in range(2 * tries)]
    began_s = clock.boottime_s
    desk.reporter.step()
    assert len(clock.pauses) == 2 * tries
    assert clock.boottime_s - began_s == pytest.approx(sum(clock.pauses))
    assert max(clock.pauses[tries:]) > 10.0


def test_a_twin_that_was_read_before_the_first_try_shortens_no_pause(desk: Desk) -> None:
    """It says nothing of a hub that fails afterwards."""
    clock = Returning(0, lambda: None)
    desk.reporter = Reporter(desk.outbox, desk.link, clock)
    compare(desk.reporter, {})
    desk.link.failures = [LinkError("away")]
    desk.reporter.step()
    assert len(clock.pauses) == 1
    assert desk.link.section == shown(desk)


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
    running.join(PATIENCE_S)
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
