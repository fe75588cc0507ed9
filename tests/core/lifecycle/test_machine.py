"""The machine that walks the table, and what the rows mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transitions import MachineError

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import TABLE, Entry, Lifecycle, Row, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Failure, Limits, Probe, Progress, Request, State, Update
from fwsm.errors import Kind, LifecycleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from transitions import EventData

PLAIN = Lifecycle()
NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")
LATER_BOOT = Moment(datetime(2026, 5, 4, 13, tzinfo=UTC), 10.0, "boot-2")
TRANSIENT = Failure("downloadInterrupted", "the connection broke", Kind.TRANSIENT)
PERMANENT = Failure("artifactDamaged", "the digest is another", Kind.PERMANENT)
LIMITS = Limits()
WORKING = [state for state in State if not state.settled]
PAIRS = list(product(State, Trigger))
KNOWN = [(state, trigger) for state, trigger in PAIRS if trigger in PLAIN.known(state)]
UNKNOWN = [pair for pair in PAIRS if pair not in KNOWN]
# A restart here repeats nothing but a question, so it needs no bound.
FREE = {(State.WAITING, Trigger.RESTARTED), (State.DOWNLOAD_COMPLETE, Trigger.RESTARTED)}
# What only the policy or an operator brings about; all the rest may come endlessly by itself.
ASKED_FOR = {Trigger.POLICY_DEFERRED, Trigger.RETRY_REQUESTED, Trigger.CANCELLED, Trigger.SUPERSEDED}


def _update(state: State = State.WAITING, **known: Any) -> Update:
    return Update(id="u1", request=Request("https://images.example/fw.bin"), state=state, boot_id="boot-1", **known)


def _rows(state: State, trigger: Trigger) -> list[Row]:
    return [row for row in TABLE if row.source is state and row.trigger is trigger]


def _name(value: object) -> str | None:
    return str(value) if isinstance(value, State | Trigger) else None


@pytest.fixture(scope="module")
def lifecycle() -> Lifecycle:
    """A machine without callbacks. It keeps no update, so tests may share it."""
    return Lifecycle()


# -- the machine -------------------------------------------------------------------------------------------------------


def test_machine_has_the_tables_rows_and_no_others(lifecycle: Lifecycle) -> None:
    """The triggers, sources, targets and their order are those of the table; there are no automatic ones."""
    events = lifecycle.machine.events
    assert set(events) == {row.trigger.value for row in TABLE}
    walked = {
        (name, transition.source, index): transition.dest
        for name, event in events.items()
        for transitions in event.transitions.values()
        for index, transition in enumerate(transitions)
    }
    told = {
        (trigger.value, state.value, index): row.target.value if row.target else None
        for state, trigger in KNOWN
        for index, row in enumerate(_rows(state, trigger))
    }
    assert walked == told
    assert not [name for name in dir(lifecycle) if name.startswith("to_")]


@pytest.mark.parametrize("trigger", Trigger)
def test_trigger_has_no_namesake(lifecycle: Lifecycle, trigger: Trigger) -> None:
    """The machine leaves out a trigger whose name its model already has, so none may be a name of ours."""
    assert not hasattr(Lifecycle, trigger.value)
    if trigger not in {Trigger.STEP_DONE, Trigger.STEP_FAILED}:  # those of an extended lifecycle
        assert getattr(lifecycle, trigger.value).func == lifecycle.machine.trigger_event


def test_a_callback_of_the_machine_sees_an_event_like_any_other() -> None:
    """Whoever draws or traces it finds there what `transitions` documents; the model is where it has been led."""
    seen: list[EventData] = []
    lifecycle = Lifecycle()
    lifecycle.machine.get_state("waiting").on_exit.append(seen.append)
    lifecycle.machine.get_state("downloading").on_enter.append(seen.append)
    lifecycle.fire(_update(), Trigger.POLICY_ALLOWED, Facts(now=NOW))
    left, event = seen
    assert left is event
    assert event.transition is not None
    assert (event.state.name, event.event.name, event.transition.dest) == ("waiting", "policy_allowed", "downloading")
    assert (event.model, event.args, set(event.kwargs)) == (lifecycle, (), {"walk"})
    assert lifecycle.state == "downloading"


def test_every_callback_resolves() -> None:
    """Each guard, each effect and each entry callback is something that can be called."""
    lifecycle = Lifecycle([lambda _entry: None])
    for event in lifecycle.machine.events.values():
        for transition in (one for several in event.transitions.values() for one in several):
            assert [callable(condition.func) for condition in transition.conditions] == [True] * len(
                transition.conditions
            )
            assert [callable(before) for before in transition.before] == [True]
    for state in State:
        assert [callable(entered) for entered in lifecycle.machine.get_state(state.value).on_enter] == [True]


@pytest.mark.parametrize(("state", "trigger"), KNOWN, ids=_name)
def test_known_trigger_leads_to_a_state_of_the_table(lifecycle: Lifecycle, state: State, trigger: Trigger) -> None:
    """A permitted trigger ends in the target of one of its rows, whatever the facts."""
    after = lifecycle.fire(_update(state), trigger, Facts(now=NOW))
    assert after.state in {row.target or state for row in _rows(state, trigger)}


@pytest.mark.parametrize(("state", "trigger"), UNKNOWN, ids=_name)
def test_unknown_trigger_is_an_error_that_names_what_is_known(state: State, trigger: Trigger) -> None:
    """What has no row raises, calls nobody, and leaves the machine fit for the next trigger."""
    entries: list[Entry] = []
    lifecycle = Lifecycle([entries.append])
    with pytest.raises(LifecycleError) as caught:
        lifecycle.fire(_update(state), trigger, Facts(now=NOW))
    assert f"'{trigger}' means nothing in state '{state}'" in str(caught.value)
    assert caught.value.fix == f"Known here: {', '.join(sorted(PLAIN.known(state)))}"
    assert not entries
    assert lifecycle.fire(_update(State.WAITING), Trigger.POLICY_ALLOWED, Facts(now=NOW)).state is State.DOWNLOADING


_FACTS = st.builds(
    Facts,
    now=st.sampled_from([NOW, LATER_BOOT]),
    failure=st.sampled_from([None, TRANSIENT, PERMANENT]),
    progress=st.sampled_from([None, Progress(10), Progress(10**6)]),
    reboot_required=st.booleans(),
    probe=st.sampled_from([None, *Probe]),
    repeatable=st.booleans(),
    target_runs=st.booleans(),
)
_COUNTERS = st.fixed_dictionaries(
    {
        "attempt": st.integers(1, LIMITS.attempts),
        "restarts": st.integers(0, LIMITS.restarts),
        "reboots": st.integers(0, LIMITS.reboots),
        "damages": st.integers(0, LIMITS.damages),
    }
)


@given(pair=st.sampled_from(KNOWN), facts=_FACTS, counters=_COUNTERS)
def test_rows_are_tried_in_order(
    lifecycle: Lifecycle, pair: tuple[State, Trigger], facts: Facts, counters: dict[str, int]
) -> None:
    """The first row whose guards all hold is taken."""
    state, trigger = pair
    update = _update(state, **counters)
    row = next(row for row in _rows(state, trigger) if all(guard(update, facts, LIMITS) for guard in row.guards))
    assert lifecycle.fire(update, trigger, facts).state is (row.target or state)


def test_fact_that_changes_nothing_returns_the_record_itself(lifecycle: Lifecycle) -> None:
    """A restart in a settled state has no side effect."""
    update = _update(State.APPLY_COMPLETE)
    assert lifecycle.fire(update, Trigger.RESTARTED, Facts(now=LATER_BOOT)) is update


# -- what the rows mean ------------------------------------------------------------------------------------------------

SAME, OTHER = NOW, LATER_BOOT
RESTARTS: list[tuple[State, dict[str, Any], dict[str, Any], State, str | None]] = [
    (State.WAITING, {}, {}, State.WAITING, None),
    (State.DOWNLOADING, {}, {}, State.DOWNLOADING, None),
    (State.DOWNLOADING, {"restarts": 5}, {}, State.DOWNLOAD_FAILED, "restartLoop"),
    (State.DOWNLOADING, {"restarts": 5}, {"progress": Progress(65536)}, State.DOWNLOADING, None),
    (State.DOWNLOAD_COMPLETE, {"restarts": 99}, {}, State.DOWNLOAD_COMPLETE, None),
    (State.INSTALLING, {}, {"probe": Probe.NOT_BEGUN}, State.INSTALLING, None),
    (State.INSTALLING, {}, {"probe": Probe.DONE, "reboot_required": True}, State.REBOOTING, None),
    (State.INSTALLING, {}, {"probe": Probe.DONE, "target_runs": True}, State.CONFIRMING, None),
    (State.INSTALLING, {}, {"probe": Probe.DONE}, State.CONFIRMING, None),
    (State.INSTALLING, {}, {"probe": Probe.UNFINISHED, "repeatable": True}, State.INSTALLING, None),
    (State.INSTALLING, {}, {"probe": Probe.UNFINISHED}, State.ROLLING_BACK, "installInterrupted"),
    (State.INSTALLING, {"restarts": 5}, {"probe": Probe.NOT_BEGUN}, State.ROLLING_BACK, "restartLoop"),
    (State.REBOOTING, {"reboots": 1}, {"now": SAME, "target_runs": True}, State.REBOOTING, None),
    (State.REBOOTING, {"reboots": 3}, {"now": SAME}, State.ROLLING_BACK, "rebootIgnored"),
    (State.REBOOTING, {"reboots": 1}, {"now": OTHER, "target_runs": True}, State.CONFIRMING, None),
    (State.REBOOTING, {"reboots": 1}, {"now": OTHER}, State.APPLY_FAILED, "bootFellBack"),
    (State.CONFIRMING, {}, {"target_runs": True}, State.CONFIRMING, None),
    (State.CONFIRMING, {"restarts": 5}, {"target_runs": True}, State.ROLLING_BACK, "restartLoop"),
    (State.CONFIRMING, {}, {}, State.APPLY_FAILED, "bootFellBack"),
    (State.ROLLING_BACK, {}, {}, State.ROLLING_BACK, None),
    (State.ROLLING_BACK, {"restarts": 5}, {}, State.APPLY_FAILED, "restartLoop"),
]


@pytest.mark.parametrize(("state", "known", "facts", "target", "code"), RESTARTS)
def test_restart_goes_on_where_the_world_stands(
    state: State, known: dict[str, Any], facts: dict[str, Any], target: State, code: str | None
) -> None:
    """Boot id, running slot, installer's probe and counters decide what a restart leads to."""
    after = Lifecycle().fire(_update(state, **known), Trigger.RESTARTED, Facts(**{"now": SAME, **facts}))
    assert (after.state, after.failure.code if after.failure else None) == (target, code)
    assert after.resumed == 1


@pytest.mark.parametrize("state", [State.REBOOTING, State.CONFIRMING])
def test_falling_back_is_recorded_as_a_rollback(lifecycle: Lifecycle, state: State) -> None:
    """The twin must not claim new firmware when the boot loader went back to the old."""
    assert lifecycle.fire(_update(state), Trigger.RESTARTED, Facts(now=OTHER)).rolled_back


def test_update_walks_from_request_to_completion(lifecycle: Lifecycle) -> None:
    """The way on which nothing goes wrong."""
    way = [
        (Trigger.POLICY_ALLOWED, State.DOWNLOADING),
        (Trigger.DOWNLOAD_VERIFIED, State.DOWNLOAD_COMPLETE),
        (Trigger.POLICY_ALLOWED, State.INSTALLING),
        (Trigger.INSTALLED, State.REBOOTING),
        (Trigger.RESTARTED, State.CONFIRMING),
        (Trigger.HEALTH_CONFIRMED, State.APPLY_COMPLETE),
    ]
    update, walked = _update(), []
    for trigger, _ in way:
        now = OTHER if trigger is Trigger.RESTARTED else SAME
        update = lifecycle.fire(update, trigger, Facts(now=now, reboot_required=True, target_runs=True))
        walked.append((trigger, update.state))
    assert walked == way
    assert update.failure is None


@pytest.mark.parametrize(("trigger", "code"), [(Trigger.CANCELLED, "cancelled"), (Trigger.SUPERSEDED, "superseded")])
@pytest.mark.parametrize("state", [state for state in State if state.interruptible])
def test_interrupted_update_says_by_what(lifecycle: Lifecycle, state: State, trigger: Trigger, code: str) -> None:
    """Cancel and supersede end in `downloadFailed`, and the code tells which."""
    after = lifecycle.fire(_update(state), trigger, Facts(now=NOW))
    assert after.state is State.DOWNLOAD_FAILED
    assert after.failure is not None
    assert after.failure.code == code


def test_what_the_facts_say_went_wrong_wins_over_the_row(lifecycle: Lifecycle) -> None:
    """A row's own failure is only for triggers that bring none."""
    update = _update(State.REBOOTING, reboots=LIMITS.reboots)
    own = lifecycle.fire(update, Trigger.REBOOT_OVERDUE, Facts(now=NOW)).failure
    told = lifecycle.fire(update, Trigger.REBOOT_OVERDUE, Facts(now=NOW, failure=PERMANENT)).failure
    assert own is not None
    assert (own.code, told) == ("rebootIgnored", PERMANENT)


# -- loops end ---------------------------------------------------------------------------------------------------------


def _turns(update: Update, trigger: Trigger) -> Iterator[Facts]:
    """Every combination of facts that a guard of this trigger looks at, in the boot of the record and in another."""
    boots = (NOW, replace(NOW, boot_id=f"{update.boot_id}'"))
    match trigger:
        case Trigger.RESTARTED:
            for now, runs, needed, probe in product(boots, (True, False), (True, False), Probe):
                yield Facts(now=now, target_runs=runs, reboot_required=needed, probe=probe, repeatable=True)
                yield Facts(now=now, target_runs=runs, reboot_required=needed, probe=probe)
        case Trigger.INSTALLED:
            yield from (Facts(now=NOW, reboot_required=needed) for needed in (True, False))
        case _:
            yield from (Facts(now=NOW, failure=failure) for failure in (TRANSIENT, PERMANENT))


def test_no_loop_is_without_a_counter() -> None:
    """Whatever happens in whatever order: a record never comes round to where it was.

    Walks every record that can be reached with small limits. `resumed` has no end and no guard looks at it, and the
    name of the boot only matters against the facts', so both are left out of the comparison.
    """
    limits = Limits(attempts=2, restarts=1, reboots=2, damages=1)
    lifecycle = Lifecycle(limits=limits)
    finished: set[Update] = set()
    on_the_way: set[Update] = set()

    def walk(update: Update) -> None:
        assert update not in on_the_way, f"{update} comes round"
        if update in finished:
            return
        on_the_way.add(update)
        for trigger in PLAIN.known(update.state) - ASKED_FOR:
            if (update.state, trigger) in FREE:
                continue
            ahead = {_bare(lifecycle.fire(update, trigger, facts)) for facts in _turns(update, trigger)}
            for after in ahead - {update if update.state.settled else None}:
                assert after is not None
                walk(after)
        on_the_way.remove(update)
        finished.add(update)

    walk(_update())
    assert {update.state for update in finished} == set(State)


def _bare(update: Update) -> Update:
    counted = {name: getattr(update, name) for name in ("attempt", "restarts", "reboots", "damages")}
    return _update(update.state, **counted)


@given(
    start=st.sampled_from(WORKING),
    trigger=st.sampled_from(sorted(set(Trigger) - ASKED_FOR)),
    facts=_FACTS.filter(lambda facts: facts.progress is None),
    new_boot_each_time=st.booleans(),
)
def test_endless_facts_of_one_kind_end_within_the_limits(
    lifecycle: Lifecycle, start: State, trigger: Trigger, facts: Facts, new_boot_each_time: bool
) -> None:
    """One failure, or one kind of restart, over and over: the update settles, or no longer knows the trigger."""
    most = LIMITS.attempts + LIMITS.restarts + LIMITS.reboots
    update = _update(start, deadline=None)
    for turn in range(3 * most):
        if update.state.settled or trigger not in PLAIN.known(update.state) or (update.state, trigger) in FREE:
            break
        now = replace(NOW, boot_id=f"boot-{turn + 2}") if new_boot_each_time else facts.now
        update = lifecycle.fire(update, trigger, replace(facts, now=now))
    else:
        pytest.fail(f"still {update.state} after {3 * most} times {trigger}")


@given(gains=st.lists(st.sampled_from([0, LIMITS.progress_bytes - 1, LIMITS.progress_bytes, 10**6]), max_size=40))
def test_flaky_download_ends_unless_it_gets_on(lifecycle: Lifecycle, gains: list[int]) -> None:
    """Each worthwhile piece of the file buys a new set of tries, and nothing else does."""
    update, in_vain, on_disk_bytes, mark_bytes = _update(State.DOWNLOADING), 0, 0, 0
    for gain in gains:
        on_disk_bytes += gain
        new = on_disk_bytes - mark_bytes >= LIMITS.progress_bytes
        mark_bytes, in_vain = (on_disk_bytes, 0) if new else (mark_bytes, in_vain + 1)
        facts = Facts(now=NOW, failure=TRANSIENT, progress=Progress(on_disk_bytes))
        update = lifecycle.fire(update, Trigger.DOWNLOAD_FAILED, facts)
        assert update.state is (State.DOWNLOAD_FAILED if in_vain == LIMITS.attempts else State.DOWNLOADING)
        if update.state.settled:
            break


# -- entry callbacks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "trigger"), KNOWN, ids=_name)
def test_entry_callbacks_run_once_and_in_order(state: State, trigger: Trigger) -> None:
    """Each entry, also into the same state again, is announced to each callback once; no entry, no announcement."""
    calls: list[tuple[str, Entry]] = []

    def callback(name: str) -> Callable[[Entry], None]:
        return lambda entry: calls.append((name, entry))

    lifecycle = Lifecycle([callback(name) for name in ("commit", "tell", "hook")])
    update, facts = _update(state), Facts(now=NOW)
    after = lifecycle.fire(update, trigger, facts)
    entered = after is not update
    assert [name for name, _ in calls] == ["commit", "tell", "hook"] * entered
    for _, entry in calls:
        assert (entry.before, entry.after, entry.facts) == (update, after, facts)
        assert entry.row in _rows(state, trigger)
        assert entry.row.target is after.state
    assert entered == (state in WORKING or trigger is Trigger.RETRY_REQUESTED)


class _Disk:
    """Takes entries, except while it is broken."""

    def __init__(self, error: BaseException) -> None:
        self.error: BaseException | None = error
        self.kept: list[Entry] = []

    def keep(self, entry: Entry) -> None:
        if self.error is not None:
            raise self.error
        self.kept.append(entry)


@pytest.mark.parametrize(
    "error", [OSError("the disk is gone"), KeyboardInterrupt(), MachineError("of a callback's own machine")], ids=type
)
@pytest.mark.parametrize(("state", "trigger"), [pair for pair in KNOWN if pair[0] in WORKING], ids=_name)
def test_failed_commit_leaves_everything_as_it_was(state: State, trigger: Trigger, error: BaseException) -> None:
    """When the first callback raises, no later one runs, the caller keeps the record, and the same trigger works."""
    disk, told = _Disk(error), list[Entry]()
    lifecycle = Lifecycle([disk.keep, told.append])
    update = _update(state)
    with pytest.raises(type(error)) as caught:
        lifecycle.fire(update, trigger, Facts(now=NOW))
    assert caught.value is error
    assert not told
    assert update == _update(state)
    disk.error = None
    after = lifecycle.fire(update, trigger, Facts(now=NOW))
    assert disk.kept == told
    assert [entry.after for entry in told] == [after]


def test_guards_that_all_refuse_leave_the_machine_where_it_was() -> None:
    """The table has no such group of rows; the machine under it would bear one."""
    lifecycle = Lifecycle()
    lifecycle.machine.add_transition("never", "waiting", "downloading", conditions=[lambda _event: False])
    assert lifecycle.machine.trigger_event(lifecycle, "never") is False
    assert lifecycle.state == "waiting"
