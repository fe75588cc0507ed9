"""The agent on the real store, with time and the world in the hands of the test."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.policy import Delay
from fwsm.core.twin import wrapped
from fwsm.core.update import Artifact, Limits, Progress, State, Update
from fwsm.device.job import InlineRunner, Job
from fwsm.device.ports import MethodCall
from fwsm.errors import (
    ArtifactMissingError,
    DownloadError,
    HealthError,
    InstallError,
    NoSpaceError,
    StoreFullError,
)
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.fakes import MemoryDownload
from tests.device.life import IMAGE, OTHER, STEPS, URI, LateRunner, Life

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment
    from fwsm.device.hooks import Entered


def test_an_update_goes_through_all_states_and_is_reported(life: Life) -> None:
    """A request ends in applyComplete after a reboot, and the twin has seen every status in order."""
    status, body = life.call(payload={"fwPackageUri": URI, "fwVersion": "2"})
    assert (status, body) == (200, {"message": "FirmwareUpdate started", "updateId": "u1"})
    life.step_until(State.REBOOTING)
    life.agent.step(life.clock.now())
    assert life.installer.reboots == 1
    life.reboot()
    life.step_until(State.APPLY_COMPLETE)
    life.report()
    assert life.link.statuses == ["waiting", "downloading", "downloadComplete", "applying", "applyComplete"]
    section = life.link.section
    assert section["updateId"] == "u1"
    assert section["fwVersion"] == "2"
    assert section["resumed"] == 1
    assert section["progress"] == {"bytes": len(IMAGE), "totalBytes": len(IMAGE), "percent": 100}
    assert "error" not in section
    assert section["lastFirmwareUpdate"].endswith("Z")
    assert life.board.primary == "b"


def test_the_answer_goes_out_after_the_commit(life: Life) -> None:
    """When the answer 200 is sent, a second connection finds the update in the database."""
    seen: list[str | None] = []

    def respond(status: int, _body: object) -> None:
        with Store(life.directory, read_only=True) as beside:
            latest = beside.latest()
        seen.append(latest.id if latest and status == 200 else None)

    life.agent.deliver(MethodCall("firmwareUpdate", {"fwPackageUri": URI}, respond))
    life.agent.step(life.clock.now())
    assert seen == ["u1"]


def test_hooks_see_every_entry_and_may_fail(life: Life) -> None:
    """A hook that raises is skipped; the update goes on and the other hooks still run."""
    calls: list[str] = []

    def bad(_entered: Entered) -> None:
        calls.append("bad")
        raise ValueError("a bug of the embedder")

    life.hooks.on_enter(bad)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOAD_COMPLETE)
    assert life.entries == [(None, "waiting"), ("waiting", "downloading"), ("downloading", "downloadComplete")]
    assert len(calls) == 3
    life.agent.step(life.clock.now())
    assert life.store is not None
    (incident,) = life.store.incidents()
    assert (incident.code, incident.update_id) == ("hookFailed", "u1")
    assert incident.message.endswith("bad raised ValueError: a bug of the embedder")


def test_the_same_request_again_gives_the_same_update(life: Life) -> None:
    """A repeated request while the update runs is answered with its id and starts nothing."""
    life.options = {"policy": Delay(60)}
    life.restart()
    first = life.call(payload={"fwPackageUri": URI})
    assert life.call(payload={"fwPackageUri": URI}) == first


def test_another_request_supersedes_before_applying(life: Life) -> None:
    """Before `applying`, a newer request takes the place of the old one, and the twin says why."""
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    assert life.call(payload={"fwPackageUri": OTHER})[1]["updateId"] == "u2"
    assert life.store is not None
    old = life.store.history("u1")[-1]
    assert (old.state, old.trigger, old.failure_code) == (State.DOWNLOAD_FAILED, "superseded", "superseded")
    assert life.step_until(State.DOWNLOAD_COMPLETE).request.uri == OTHER
    assert set(life.download.kept) == {"u2"}


def test_another_request_is_refused_while_applying(life: Life) -> None:
    """From `applying` on, another request is answered 409 with the reason, and nothing changes."""
    life.call(payload={"fwPackageUri": URI})
    before = life.step_until(State.REBOOTING)
    status, body = life.call(payload={"fwPackageUri": OTHER})
    assert status == 409
    assert "applying" in body["reason"]
    assert life.agent.update is before


def test_a_server_whose_file_keeps_changing_ends_the_update(life: Life) -> None:
    """Each try loads half of the file and then has to begin anew; that is no progress, however often it happens."""

    class Changing(MemoryDownload):
        def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
            try:
                return super().fetch(update, note, stop)
            finally:
                self.failures.append(DownloadError("the file has changed on the server"))

        def progress(self, update: Update) -> Progress:
            found = super().progress(update)
            self.kept[update.id] = b""  # what was there belongs to another version of the file
            return found

    life.download = Changing(life.download.served, failures=[DownloadError("the file has changed on the server")])
    life.options = {"limits": Limits(attempts=3)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    failed = life.step_until(State.DOWNLOAD_FAILED)
    assert failed.failure is not None
    assert len(life.download.fetches) == 4  # the first of them brought something


def test_the_tutorials_text_payload_is_taken(life: Life) -> None:
    """The 2016 back end sends its JSON object as a string."""
    assert life.call(payload='{"fwPackageUri": "https://images.example/one.img"}')[0] == 200


def test_cancel_and_retry(life: Life) -> None:
    """A cancelled update settles; a retry starts it afresh under the same id."""
    assert life.call("firmwareUpdateCancel")[0] == 409
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    assert life.call("firmwareUpdateCancel")[0] == 200
    life.report()
    assert life.link.section["error"]["code"] == "cancelled"
    assert life.call("firmwareUpdateCancel")[0] == 409
    assert life.call("firmwareUpdateStatus")[1]["status"] == "downloadFailed"
    assert life.call("firmwareUpdateRetry")[1]["updateId"] == "u1"
    life.step_until(State.DOWNLOAD_COMPLETE)


def test_status_before_any_update(life: Life) -> None:
    """A device without an update says so."""
    assert life.call("firmwareUpdateStatus") == (200, {"message": "this device has had no update yet"})


def test_a_broken_download_is_tried_again_after_a_stored_pause(life: Life) -> None:
    """A transient failure shows on the twin with attempt and pause, and a restart keeps the pause."""
    life.download.failures = [DownloadError("the server closed the connection")]
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    for _ in range(3):
        life.agent.step(life.clock.now())
    update = life.agent.update
    assert update is not None
    assert (update.reason, update.failure.code if update.failure else None) == ("retry", "downloadInterrupted")
    life.report()
    assert life.link.section["error"]["code"] == "downloadInterrupted"
    assert life.link.section["until"]
    life.restart()
    life.agent.step(life.clock.now())
    assert life.agent.step(life.clock.now()) == pytest.approx(5.0)  # half of the first pause of 10 s
    life.step_until(State.DOWNLOAD_COMPLETE)
    life.report()
    assert "error" not in life.link.section


@pytest.mark.parametrize("columns", ["due_span_s = 1e300", "due_span_s = 1e300, due_boottime_s = 1e300"])
@pytest.mark.parametrize("boot_id", ["boot-1", "boot-2"])
def test_a_damaged_pause_holds_no_try_back_for_years(life: Life, columns: str, boot_id: str) -> None:
    """It is no longer than the longest, on a board whose clock begins in 1970 as well."""
    life.download.failures = [DownloadError("the server closed the connection")]
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    while not (life.agent.update and life.agent.update.reason):
        life.agent.step(life.clock.now())
    life.end()
    with closing(sqlite3.connect(life.directory / "fwsm.db")) as database, database:
        database.execute(f"UPDATE updates SET {columns}")
    life.clock = FakeClock(datetime(1970, 1, 1, tzinfo=UTC), boot_id)
    life.start()
    life.agent.step(life.clock.now())
    assert (life.agent.step(life.clock.now()) or 0.0) <= 600.0
    life.step_until(State.DOWNLOAD_COMPLETE)


def test_a_servers_retry_after_wins_over_the_backoff(life: Life) -> None:
    """What the server asks for is waited for, within the cap."""
    life.download.failures = [DownloadError("busy", retry_after_s=123.0), DownloadError("busy", retry_after_s=1e9)]
    life.call(payload={"fwPackageUri": URI})
    waits: list[float] = []
    for _ in range(30):
        wait_s = life.agent.step(life.clock.now())
        if wait_s:
            waits.append(wait_s)
            life.clock.advance(wait_s)
        if life.agent.update and life.agent.update.state is State.DOWNLOAD_COMPLETE:
            break
    assert waits == [pytest.approx(123.0), pytest.approx(600.0)]


def test_endless_failures_end(life: Life) -> None:
    """Without progress, the tries are counted and the update settles in downloadFailed."""
    life.options = {"limits": Limits(attempts=3)}
    life.restart()
    life.download.failures = [DownloadError("no route")] * 10
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.DOWNLOAD_FAILED)
    assert update.reason is None
    # The first try brings half of the image, which is progress; then three without.
    assert len(life.download.fetches) == 4


@pytest.mark.parametrize("error", [ArtifactMissingError("gone"), NoSpaceError("full")])
def test_what_time_does_not_help_is_not_tried_again(life: Life, error: Exception) -> None:
    """Permanent failures, and those that need a person, settle at once."""
    life.download.failures = [error]
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.DOWNLOAD_FAILED)
    assert update.failure is not None
    assert update.failure.message == str(error)
    assert len(life.download.fetches) == 1


def test_a_file_that_rots_before_it_is_applied_is_loaded_again(life: Life) -> None:
    """The digest is checked again before applying; twice rotten is a failure."""
    life.call(payload={"fwPackageUri": URI})
    for _ in range(2):
        life.step_until(State.DOWNLOAD_COMPLETE)
        life.download.kept["u1"] = b"rot"
        life.step_until(State.DOWNLOADING)
    life.step_until(State.DOWNLOAD_COMPLETE)
    life.download.kept["u1"] = b"rot"
    update = life.step_until(State.DOWNLOAD_FAILED)
    assert update.failure is not None
    assert update.failure.code == "artifactDamaged"


def test_a_failed_installation_is_rolled_back(life: Life) -> None:
    """An installer that fails leaves the old firmware running, and the twin says why."""
    life.installer.failures = [InstallError("the slot is too small")]
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.APPLY_FAILED)
    assert update.rolled_back
    life.report()
    assert life.link.section["error"]["message"] == "the slot is too small"
    assert life.link.section["substatus"] == "rolledBack"


def test_a_reboot_that_does_not_come_is_ordered_again_and_then_given_up(life: Life) -> None:
    """Each overdue reboot is counted; the last one leads to a roll back."""
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.APPLY_FAILED)
    assert life.installer.reboots == 3
    assert update.failure is not None
    assert update.failure.code == "rebootIgnored"


def test_a_boot_loader_that_falls_back_is_noticed(life: Life) -> None:
    """Changed boot id and old slot: applyFailed, told as a fall-back."""
    life.board.accepts = False
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    update = life.step_until(State.APPLY_FAILED)
    assert update.failure is not None
    assert update.failure.code == "bootFellBack"
    assert update.rolled_back


def test_firmware_that_is_not_healthy_in_time_is_rolled_back_with_a_reboot(life: Life) -> None:
    """The checks fail until the deadline; then the old slot is booted again."""

    def check(_update: Update) -> None:
        raise HealthError("no heartbeat")

    life.options = {"checks": [check], "limits": Limits(confirm_s=60)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    life.step_until(State.ROLLING_BACK)
    life.agent.step(life.clock.now())
    life.agent.step(life.clock.now())
    assert life.installer.reboots == 1
    life.reboot()
    update = life.step_until(State.APPLY_FAILED)
    assert update.failure is not None
    assert "no heartbeat" in update.failure.message
    assert life.board.booted == "a"


def test_the_soak_time_starts_again_with_every_failed_check(life: Life) -> None:
    """Health must hold for the soak time without a break."""
    rounds: list[float] = []

    def check(_update: Update) -> None:
        rounds.append(life.clock.boottime_s)
        if len(rounds) == 2:
            raise HealthError("flapped")

    life.options = {"checks": [check], "soak_s": 12.0, "check_every_s": 5.0}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    life.step_until(State.APPLY_COMPLETE)
    assert [round(at - rounds[0]) for at in rounds] == [0, 5, 10, 15, 20, 22]


def test_a_rollback_that_fails_is_tried_again(life: Life) -> None:
    """A failed roll back has its own tries, and the first failure stays the one that people see."""
    life.installer.failures = [InstallError("bad image")]
    life.installer.rollback_failures = [InstallError("cannot write the pointer")] * 2
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.APPLY_FAILED)
    assert update.rolled_back
    assert update.failure is not None
    assert update.failure.message == "bad image"


def test_a_crash_loop_ends(life: Life) -> None:
    """Restarts in one state without progress are counted on disk and lead to a failure."""
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    for _ in range(20):
        if life.agent.update and life.agent.update.state.settled:
            break
        life.restart()
        life.agent.step(life.clock.now())
    update = life.agent.update
    assert update is not None
    assert update.failure is not None
    assert (update.state, update.failure.code, update.resumed) == (State.DOWNLOAD_FAILED, "restartLoop", 6)


def test_waiting_keeps_reason_and_deadline_over_a_restart(life: Life) -> None:
    """A delay runs on across restarts of the process and is reported with its reason."""
    life.options = {"policy": Delay(100)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.step(life.clock.now())
    life.clock.advance(60)
    life.restart()
    life.agent.step(life.clock.now())
    assert life.agent.step(life.clock.now()) == pytest.approx(40.0)
    life.report()
    assert life.link.section["reason"] == "delay"
    life.step_until(State.DOWNLOADING)


def test_a_settled_update_does_nothing_after_a_restart(life: Life) -> None:
    """A device that comes up after a finished update only cleans up."""
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    life.step_until(State.APPLY_COMPLETE)
    assert life.store is not None
    before = life.store.history()
    life.restart()
    assert [life.agent.step(life.clock.now()) for _ in range(3)][-1] is None
    assert life.store.history() == before
    assert life.download.kept == {}


def test_a_cancel_interrupts_the_job_and_its_late_result_is_dropped(life: Life) -> None:
    """Cancelling sets the job's stop event; what the job still returns changes nothing."""
    runner = LateRunner()
    life.options = {"runner": runner}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    assert life.agent.step(life.clock.now()) is None
    assert life.call("firmwareUpdateCancel")[0] == 200
    (job,) = runner.jobs
    assert job.stop.is_set()
    job.run()
    life.agent.step(life.clock.now())
    assert life.agent.update is not None
    assert life.agent.update.state is State.DOWNLOAD_FAILED


def test_a_new_request_waits_for_the_old_job_to_end(life: Life) -> None:
    """Two jobs never run at once: the superseding update starts after the old download has let go."""
    runner = LateRunner()
    life.options = {"runner": runner}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.agent.step(life.clock.now())
    life.call(payload={"fwPackageUri": OTHER})
    assert [life.agent.step(life.clock.now()) for _ in range(3)] == [None, None, None]
    runner.jobs[0].run()
    life.step_until(State.DOWNLOADING)
    life.agent.step(life.clock.now())
    assert len(runner.jobs) == 2


def test_run_works_until_it_is_stopped(life: Life) -> None:
    """`run` sleeps between steps, wakes for a message, and returns after `stop`."""
    life.hooks.on_enter(lambda _entered: life.agent.stop(), State.DOWNLOAD_COMPLETE)
    answers: list[int] = []
    life.agent.deliver(
        MethodCall("firmwareUpdate", {"fwPackageUri": URI}, lambda status, _body: answers.append(status))
    )
    life.agent.run()
    assert answers == [200]
    assert life.agent.update is not None
    assert life.agent.update.state is State.DOWNLOAD_COMPLETE


# -- a store that says no ----------------------------------------------------------------------------------------------


class FullStore(Store):
    """A disk that is full while `full` is set."""

    full = False

    def accept(
        self,
        update: Update,
        now: Moment,
        *,
        superseding: Entry | None = None,
        acknowledging: Acknowledgement | None = None,
    ) -> None:
        """Refuse, or do it."""
        self._check()
        super().accept(update, now, superseding=superseding, acknowledging=acknowledging)

    def advance(self, entry: Entry, *, acknowledging: Acknowledgement | None = None) -> None:
        """Refuse, or do it."""
        self._check()
        super().advance(entry, acknowledging=acknowledging)

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Refuse, or do it."""
        self._check()
        super().acknowledge(acknowledgement, now)

    def _check(self) -> None:
        if self.full:
            raise StoreFullError("cannot store it", why="the disk is full")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[Life, FullStore]]:
    """A device whose disk can fill up."""
    life = Life(tmp_path / "state")
    life.store_class = FullStore
    life.start()
    assert isinstance(life.store, FullStore)
    yield life, life.store
    life.end()


def test_a_full_disk_loses_nothing_at_any_commit(full: tuple[Life, FullStore]) -> None:
    """Each commit is refused once: the step says so, nothing has changed, no work is done twice for it."""
    life, store = full
    refused: list[str] = []
    life.call(payload={"fwPackageUri": URI})
    for _ in range(STEPS):
        before = life.agent.update
        store.full = True
        try:
            wait_s = life.agent.step(life.clock.now())
        except StoreFullError:
            refused.append(before.state if before else "")
            assert life.agent.update is before
            store.full = False
            wait_s = life.agent.step(life.clock.now())
        if before is not None and before.state is State.REBOOTING and life.installer.reboots:
            break
        life.clock.advance(wait_s or 0.0)
    assert refused == [State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE, State.INSTALLING]
    assert len(life.download.fetches) == 1
    assert life.installer.reboots == 1


def test_a_full_disk_is_told_to_whoever_calls(full: tuple[Life, FullStore]) -> None:
    """Commands are answered 503 with the reason, also when the device could not yet store that it has come back."""
    life, store = full
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    store.full = True
    life.agent._came_back = False
    with pytest.raises(StoreFullError):
        life.agent.step(life.clock.now())
    status, body = life.call(payload={"fwPackageUri": OTHER})
    assert (status, body["code"]) == (503, "storeFull")
    assert life.call("firmwareUpdateCancel")[0] == 503
    assert life.call("firmwareUpdateStatus")[1]["status"] == "downloading"
    store.full = False
    assert life.step_until(State.DOWNLOAD_COMPLETE).request.uri == URI


def test_a_full_disk_does_not_lose_the_desired_property(full: tuple[Life, FullStore]) -> None:
    """What could not be stored is done when it can be, without another word from the hub."""
    life, store = full
    life.link.start(life.agent.deliver)
    store.full = True
    life.link.desire(wrapped({"fwPackageUri": URI}))
    life.agent.step(life.clock.now())
    for _ in range(2):
        with pytest.raises(StoreFullError):
            life.agent.step(life.clock.now())
    assert life.agent.update is None
    store.full = False
    assert life.step_until(State.DOWNLOAD_COMPLETE).request.uri == URI


def test_a_full_disk_makes_no_old_word_count(full: tuple[Life, FullStore]) -> None:
    """A method that comes while the desired property could not be stored is the newer word."""
    life, store = full
    life.link.start(life.agent.deliver)
    life.link.desire(wrapped({"fwPackageUri": URI}))
    life.agent.step(life.clock.now())
    store.full = True
    with pytest.raises(StoreFullError):
        life.agent.step(life.clock.now())
    store.full = False
    life.agent._inbox.put(MethodCall("firmwareUpdate", {"fwPackageUri": OTHER}, lambda _status, _body: None))
    assert life.step_until(State.DOWNLOAD_COMPLETE).request.uri == OTHER
    life.report()
    assert life.link.section["desired"]["ac"] == 409


def test_run_outlives_a_full_disk(full: tuple[Life, FullStore]) -> None:
    """`run` says so and pauses before it tries again; it neither ends nor goes round in a circle."""
    life, store = full
    pauses: list[float | None] = []

    class Clock(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
            pauses.append(timeout_s)
            if len(pauses) == 3:
                store.full = False
                life.agent.stop()
            return super().wait(event, timeout_s)

    life.call(payload={"fwPackageUri": URI})
    store.full = True
    life.agent._turns._clock = Clock()
    life.agent.run()
    assert pauses == [5.0] * 3


# -- run and stop ------------------------------------------------------------------------------------------------------


def test_run_looks_at_the_clock_now_and_then(life: Life) -> None:
    """A sleep does not count the time in suspend, so no sleep is long, however far off the deadline is."""
    sleeps: list[float] = []

    class Clock(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
            sleeps.append(timeout_s or 0.0)
            if len(sleeps) == 2:
                self.advance(7200.0)  # suspended
            return super().wait(event, timeout_s)

    life.hooks.on_enter(lambda _entered: life.agent.stop(), State.DOWNLOADING)
    life.options = {"policy": Delay(7200.0)}
    life.clock = Clock()
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.run()
    assert sleeps == [60.0, 60.0]


def test_an_idle_device_looks_at_its_database_now_and_then(life: Life) -> None:
    """What is removed while nothing happens would be gone with the next power cut, the untold end of an update too."""
    sleeps: list[float | None] = []

    class Clock(FakeClock):
        def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
            sleeps.append(timeout_s)
            if len(sleeps) == 2:
                shutil.rmtree(life.directory)
            elif len(sleeps) == 3:
                life.agent.stop()
            return super().wait(event, timeout_s)

    life.clock = Clock()
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.call("firmwareUpdateCancel")
    life.agent.run()
    assert sleeps == [60.0] * 3
    life.restart()
    assert life.agent.update is not None
    assert life.agent.update.state is State.DOWNLOAD_FAILED
    life.report()
    assert life.link.section["status"] == "downloadFailed"


def test_a_thread_that_cannot_be_started_leaves_no_job_behind(life: Life) -> None:
    """The error ends the program, as any bug does; the agent does not wait for work that nobody does."""

    class NoThreads(InlineRunner):
        tried = False

        def start(self, job: Job[Any]) -> None:
            if not self.tried:
                self.tried = True
                raise RuntimeError("can't start new thread")
            super().start(job)

    life.options = {"runner": NoThreads()}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    with pytest.raises(RuntimeError):
        life.step_until(State.DOWNLOAD_COMPLETE)
    life.step_until(State.DOWNLOAD_COMPLETE)


def test_a_new_update_has_not_come_back_from_anywhere(life: Life) -> None:
    """A request that supersedes before the restart of the old update is noted starts with a clean count."""
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.restart()
    life.call(payload={"fwPackageUri": OTHER})
    assert life.step_until(State.DOWNLOAD_COMPLETE).resumed == 0
