"""What a row does to the record: counters, waits, times, failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fwsm.core.entry import Effect, Facts, successor
from fwsm.core.moment import Deadline, Moment
from fwsm.core.update import Artifact, Failure, Limits, Progress, Request, State, Update
from fwsm.errors import Kind

WALL = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = Moment(WALL, 1000.0, "boot-1")
LATER_BOOT = Moment(WALL + timedelta(seconds=40), 5.0, "boot-2")
LIMITS = Limits(progress_bytes=100, confirm_s=600.0)
FIRST = Failure("first", "the first thing that went wrong", Kind.TRANSIENT)
SECOND = Failure("second", "what went wrong after it", Kind.PERMANENT)


def _update(state: State, **known: Any) -> Update:
    return Update(id="u1", request=Request("https://images.example/fw.bin"), state=state, boot_id="boot-1", **known)


def _after(update: Update, target: State, *effects: Effect, row_failure: Failure | None = None, **known: Any) -> Update:
    facts = Facts(**{"now": NOW, **known})
    return successor(update, target, facts, LIMITS, effects=frozenset(effects), failure=row_failure)


# -- counters ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "counted"),
    [
        (Effect.COUNT_ATTEMPT, {"attempt"}),
        (Effect.COUNT_RESTART, {"restarts", "resumed"}),
        (Effect.COUNT_REBOOT, {"reboots"}),
        (Effect.COUNT_DAMAGE, {"damages"}),
    ],
)
def test_effect_counts_its_own_counters_by_one(effect: Effect, counted: set[str]) -> None:
    """An effect moves the counters it names and no other."""
    update = _update(State.DOWNLOADING, attempt=2, restarts=2, resumed=2, reboots=2, damages=2)
    after = _after(update, State.DOWNLOADING, effect)
    names = ("attempt", "restarts", "resumed", "reboots", "damages")
    assert {name: getattr(after, name) for name in names} == {name: 2 + (name in counted) for name in names}


def test_entry_without_effects_counts_nothing() -> None:
    """A deferral in the same state is no try."""
    update = _update(State.WAITING, attempt=2, restarts=2, resumed=2, reboots=1, damages=1)
    assert _after(update, State.WAITING) == update


def test_new_state_starts_its_own_counters() -> None:
    """Tries and restarts count per state; reboots, damages and `resumed` count per update."""
    update = _update(State.DOWNLOADING, attempt=4, restarts=3, resumed=3, reboots=1, damages=1)
    after = _after(update, State.DOWNLOAD_COMPLETE)
    assert (after.attempt, after.restarts) == (1, 0)
    assert (after.resumed, after.reboots, after.damages) == (3, 1, 1)


@pytest.mark.parametrize(("on_disk_bytes", "attempt", "restarts"), [(199, 5, 4), (200, 1, 1), (None, 5, 4)])
def test_worthwhile_progress_starts_the_counters_again(on_disk_bytes: int | None, attempt: int, restarts: int) -> None:
    """A try that brought enough of the file is not counted against the limit; one byte less is."""
    update = _update(State.DOWNLOADING, attempt=4, restarts=3, progress=Progress(100), reached_bytes=100)
    progress = None if on_disk_bytes is None else Progress(on_disk_bytes)
    after = _after(update, State.DOWNLOADING, Effect.COUNT_ATTEMPT, Effect.COUNT_RESTART, progress=progress)
    assert (after.attempt, after.restarts) == (attempt, restarts)


def test_first_bytes_are_progress_from_nothing() -> None:
    """A record without a mark has had nothing on disk."""
    facts = Facts(now=NOW, progress=Progress(100))
    assert facts.progressed(_update(State.DOWNLOADING), LIMITS)
    assert not facts.progressed(_update(State.DOWNLOADING, reached_bytes=1), LIMITS)


def test_what_was_on_disk_before_is_no_progress() -> None:
    """A server whose file changes all the time brings the same bytes again and again."""
    update = _after(_update(State.DOWNLOADING), State.DOWNLOADING, progress=Progress(250))
    assert update.reached_bytes == 250
    update = _after(update, State.DOWNLOADING, Effect.COUNT_ATTEMPT, progress=Progress(0))
    update = _after(update, State.DOWNLOADING, Effect.COUNT_ATTEMPT, progress=Progress(349))
    assert (update.attempt, update.reached_bytes) == (3, 250)
    update = _after(update, State.DOWNLOADING, Effect.COUNT_ATTEMPT, progress=Progress(350))
    assert (update.attempt, update.reached_bytes) == (1, 350)


@pytest.mark.parametrize("effect", [Effect.COUNT_DAMAGE, Effect.START_AFRESH])
def test_a_download_that_begins_anew_has_everything_before_it(effect: Effect) -> None:
    """The file was thrown away, or an operator asked for a retry."""
    update = _update(State.DOWNLOAD_COMPLETE, reached_bytes=500)
    assert _after(update, State.DOWNLOADING, effect, progress=Progress(500)).reached_bytes == 0


# -- what is known -----------------------------------------------------------------------------------------------------


def test_entry_notes_the_boot() -> None:
    """The record tells in which boot its state was entered."""
    assert _after(_update(State.WAITING), State.WAITING, now=LATER_BOOT).boot_id == "boot-2"


def test_new_facts_replace_known_ones_and_unknown_ones_stay() -> None:
    """Progress, artifact and slot stay known until something newer is."""
    known: dict[str, Any] = {"progress": Progress(5, 9), "artifact": Artifact("ab" * 32, 9), "target_slot": "b"}
    kept = _after(_update(State.DOWNLOAD_COMPLETE, **known), State.INSTALLING)
    assert (kept.progress, kept.artifact, kept.target_slot) == tuple(known.values())
    told = _after(_update(State.DOWNLOADING), State.DOWNLOAD_COMPLETE, **known)
    assert (told.progress, told.artifact, told.target_slot) == tuple(known.values())


@pytest.mark.parametrize("progress", [None, Progress(3, 9)])
def test_damaged_download_is_forgotten(progress: Progress | None) -> None:
    """What was found damaged counts as absent; what is left on disk is what the facts say."""
    update = _update(State.DOWNLOAD_COMPLETE, progress=Progress(9, 9), artifact=Artifact("ab" * 32, 9))
    after = _after(update, State.DOWNLOADING, Effect.COUNT_DAMAGE, progress=progress)
    assert (after.artifact, after.progress) == (None, progress)


def test_old_firmware_is_noted() -> None:
    """Only the effect sets `rolled_back`, and it stays."""
    assert not _after(_update(State.ROLLING_BACK), State.APPLY_FAILED).rolled_back
    noted = _after(_update(State.ROLLING_BACK), State.APPLY_FAILED, Effect.NOTE_OLD_RUNS)
    assert noted.rolled_back
    assert _after(noted, State.APPLY_FAILED).rolled_back


def test_retry_starts_afresh_with_what_is_on_disk() -> None:
    """All counters but `resumed`, the times and the slot start again; the file so far is kept."""
    update = _update(
        State.APPLY_FAILED,
        attempt=3,
        restarts=2,
        resumed=4,
        reboots=3,
        damages=1,
        failure=FIRST,
        rolled_back=True,
        progress=Progress(9, 9),
        artifact=Artifact("ab" * 32, 9),
        target_slot="b",
        started_waiting_at=WALL - timedelta(hours=2),
        download_complete_at=WALL - timedelta(hours=1),
        started_applying_at=WALL - timedelta(hours=1),
    )
    assert _after(update, State.WAITING, Effect.START_AFRESH) == _update(
        State.WAITING, resumed=4, progress=update.progress, artifact=update.artifact, started_waiting_at=WALL
    )


# -- waits -------------------------------------------------------------------------------------------------------------

RETRY_AT = Deadline.after(NOW, 30.0)
WAIT: dict[str, Any] = {"reason": "retry", "until": RETRY_AT.wall_at, "deadline": RETRY_AT}
NO_WAIT: dict[str, Any] = {"reason": None, "until": None, "deadline": None}


def _wait(update: Update) -> dict[str, Any]:
    return {name: getattr(update, name) for name in WAIT}


@pytest.mark.parametrize("state", [State.DOWNLOADING, State.INSTALLING])
def test_wait_of_the_facts_is_kept(state: State) -> None:
    """Why and till when come with the trigger, also over a wait that was known before."""
    update = _update(state, reason="window", until=WALL, deadline=Deadline.after(NOW, 1.0))
    assert _wait(_after(update, state, **WAIT)) == WAIT


@pytest.mark.parametrize(
    ("state", "reason", "left_s"),
    [
        (State.DOWNLOADING, "retry", LIMITS.retry_cap_s),
        (State.INSTALLING, "retry", LIMITS.retry_cap_s),
        (State.CONFIRMING, None, LIMITS.confirm_s),
        (State.WAITING, "window", 1e9),
    ],
)
def test_a_restart_waits_no_longer_than_the_limits_allow(state: State, reason: str | None, left_s: float) -> None:
    """Whatever a damaged row says; only a policy may make an update wait for any time."""
    update = _update(state, reason=reason, deadline=Deadline.after(NOW, 1e9))
    assert _after(update, state, Effect.COUNT_RESTART).deadline == Deadline.after(NOW, left_s)


def test_reason_without_a_deadline_is_a_wait_too() -> None:
    """A policy may not know till when; nothing of the wait before is left."""
    update = _update(State.WAITING, **WAIT)
    assert _wait(_after(update, State.WAITING, reason="battery")) == {**NO_WAIT, "reason": "battery"}


def test_wait_ends_with_the_state() -> None:
    """A new state has no reason to wait yet."""
    assert _wait(_after(_update(State.WAITING, **WAIT), State.DOWNLOADING)) == NO_WAIT


@pytest.mark.parametrize("state", [state for state in State if state.settled])
def test_settled_state_waits_for_nothing(state: State) -> None:
    """A give-up may come with the pause it would have made; that is dropped."""
    assert _wait(_after(_update(State.DOWNLOADING, **WAIT), state, **WAIT)) == NO_WAIT


def test_new_state_does_not_wait_out_the_pause_of_the_old_one() -> None:
    """The tries have run out, and the last failure still names a pause: rolling back begins at once."""
    after = _after(_update(State.INSTALLING, **WAIT), State.ROLLING_BACK, **WAIT)
    assert _wait(after) == NO_WAIT


def test_same_state_again_goes_on_waiting_on_the_clock_of_this_boot() -> None:
    """After a reboot the deadline is anchored: what is left by wall time, counted on the new boot's clock."""
    same_boot = _after(_update(State.DOWNLOADING, **WAIT), State.DOWNLOADING, Effect.COUNT_RESTART)
    assert _wait(same_boot) == WAIT
    rebooted = _after(
        _update(State.WAITING, **WAIT), State.WAITING, now=replace(LATER_BOOT, wall=WALL + timedelta(seconds=20))
    )
    assert (rebooted.reason, rebooted.until) == ("retry", RETRY_AT.wall_at)
    assert rebooted.deadline == Deadline("boot-2", 15.0, RETRY_AT.wall_at, 10.0)


def test_same_state_again_without_a_wait_has_none() -> None:
    """Nothing is made up."""
    assert _wait(_after(_update(State.DOWNLOADING), State.DOWNLOADING)) == NO_WAIT


@pytest.mark.parametrize("source", [State.INSTALLING, State.REBOOTING])
def test_confirming_has_its_own_time(source: State) -> None:
    """The new firmware has so and so long to prove itself, counted from the entry."""
    after = _after(_update(source, **WAIT), State.CONFIRMING, now=LATER_BOOT)
    assert _wait(after) == {**NO_WAIT, "deadline": Deadline.after(LATER_BOOT, 600.0)}


def test_restart_does_not_prolong_confirming() -> None:
    """The health checks run again inside the same deadline."""
    first = _after(_update(State.INSTALLING), State.CONFIRMING)
    later = replace(NOW, boottime_s=1500.0)
    assert _after(first, State.CONFIRMING, Effect.COUNT_RESTART, now=later).deadline == first.deadline


# -- times -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        (State.DOWNLOADING, State.DOWNLOAD_COMPLETE, "download_complete_at"),
        (State.DOWNLOAD_COMPLETE, State.INSTALLING, "started_applying_at"),
        (State.CONFIRMING, State.APPLY_COMPLETE, "applied_at"),
        (State.WAITING, State.DOWNLOADING, None),
        (State.INSTALLING, State.REBOOTING, None),
    ],
)
def test_entry_notes_the_tutorials_times(source: State, target: State, name: str | None) -> None:
    """Each time is the wall time of the first entry into its state."""
    after = _after(_update(source), target, now=LATER_BOOT)
    names = ("started_waiting_at", "download_complete_at", "started_applying_at", "applied_at")
    assert {each: getattr(after, each) for each in names if getattr(after, each)} == (
        {name: LATER_BOOT.wall} if name else {}
    )


def test_same_state_again_keeps_its_time() -> None:
    """A restart does not make the download complete anew."""
    update = _update(State.DOWNLOAD_COMPLETE, download_complete_at=WALL)
    assert _after(update, State.DOWNLOAD_COMPLETE, now=LATER_BOOT).download_complete_at == WALL


# -- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "known", "new", "shown"),
    [
        pytest.param((State.DOWNLOADING, State.DOWNLOADING), None, FIRST, FIRST, id="a new one is shown"),
        pytest.param((State.DOWNLOADING, State.DOWNLOADING), FIRST, None, FIRST, id="stays while the state is tried"),
        pytest.param((State.DOWNLOADING, State.DOWNLOADING), FIRST, SECOND, SECOND, id="the newest try counts"),
        pytest.param((State.DOWNLOADING, State.DOWNLOAD_COMPLETE), FIRST, None, None, id="gone once past it"),
        pytest.param((State.DOWNLOADING, State.DOWNLOAD_FAILED), FIRST, SECOND, SECOND, id="the last one settles"),
        pytest.param((State.DOWNLOAD_FAILED, State.WAITING), FIRST, None, None, id="gone with a retry"),
        pytest.param((State.CONFIRMING, State.ROLLING_BACK), FIRST, None, FIRST, id="taken along into rolling back"),
        pytest.param((State.CONFIRMING, State.ROLLING_BACK), FIRST, SECOND, SECOND, id="why it rolls back"),
        pytest.param((State.ROLLING_BACK, State.ROLLING_BACK), FIRST, SECOND, FIRST, id="outlives a failed rollback"),
        pytest.param((State.ROLLING_BACK, State.APPLY_FAILED), FIRST, SECOND, FIRST, id="is what people see at last"),
        pytest.param((State.ROLLING_BACK, State.APPLY_FAILED), None, SECOND, SECOND, id="better than none"),
    ],
)
def test_failure_stays_until_the_update_is_past_it(
    way: tuple[State, State], known: Failure | None, new: Failure | None, shown: Failure | None
) -> None:
    """Which of the known and the new failure the record shows."""
    source, target = way
    assert _after(_update(source, failure=known), target, failure=new).failure == shown


def test_row_says_what_went_wrong_if_the_facts_do_not() -> None:
    """The facts know better."""
    update = _update(State.DOWNLOADING)
    assert _after(update, State.DOWNLOAD_FAILED, row_failure=FIRST).failure == FIRST
    assert _after(update, State.DOWNLOAD_FAILED, row_failure=FIRST, failure=SECOND).failure == SECOND
