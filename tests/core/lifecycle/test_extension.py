"""The extended lifecycle keeps everything that the built-in one promises."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.entry import Facts
from fwsm.core.guards import boot_unchanged, reboot_required
from fwsm.core.lifecycle import TABLE, Extension, Lifecycle, Row, Step, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Failure, Limits, Probe, Request, State, Update
from fwsm.errors import ConfigError, Kind, LifecycleError
from fwsm.testing.clock import FakeClock

if TYPE_CHECKING:
    import threading

NOW = FakeClock().now()
LATER_BOOT = Moment(NOW.wall, 5.0, "boot-2")
LIMITS = Limits(attempts=3, restarts=3, reboots=3, damages=2)
TRANSIENT = Failure("busy", "later", Kind.TRANSIENT)
PERMANENT = Failure("broken", "never", Kind.PERMANENT)


def nothing(_update: Update, _stop: threading.Event) -> None:
    """The work of a step; the core never calls it."""


FIRST = Step("backingUp", State.INSTALLING, nothing)
SECOND = Step("freezing", State.INSTALLING, nothing)
WARNING = Step("warning", State.REBOOTING, nothing)
MIGRATING = Step("migratingData", State.CONFIRMING, nothing)
ALL = Extension(steps=(FIRST, SECOND, WARNING, MIGRATING))
EXTENSIONS = {
    "one before installing": Extension(steps=(FIRST,)),
    "one before rebooting": Extension(steps=(WARNING,)),
    "one before confirming": Extension(steps=(MIGRATING,)),
    "all": ALL,
    "a row": Extension(
        rows=(Row(Trigger.INSTALLED, State.INSTALLING, State.CONFIRMING, (reboot_required, boot_unchanged)),)
    ),
}


@pytest.fixture(params=list(EXTENSIONS.values()), ids=list(EXTENSIONS))
def extension(request: pytest.FixtureRequest) -> Extension:
    """Each of several extensions."""
    found: Extension = request.param
    return found


def _update(state: State, **known: Any) -> Update:
    return Update(id="u1", request=Request("https://h/i"), state=state, boot_id=NOW.boot_id, **known)


def _walk(lifecycle: Lifecycle, *facts: tuple[Trigger, dict[str, Any]]) -> list[str]:
    update = _update(State.DOWNLOAD_COMPLETE)
    path = []
    for trigger, known in facts:
        update = lifecycle.fire(update, trigger, Facts(**{"now": NOW, **known}))
        path.append(update.state.substatus or update.state.status)
    return path


# -- what the built-in table promises ----------------------------------------------------------------------------------


def test_without_an_extension_nothing_is_added() -> None:
    """The table and the states are the built-in ones."""
    assert Extension().table == TABLE
    assert Extension().states == tuple(State)


def test_guarded_rows_end_in_an_unguarded_one(extension: Extension) -> None:
    """So a trigger that a state knows always leads somewhere."""
    for state, trigger in product(extension.states, Trigger):
        rows = [row for row in extension.table if row.source is state and row.trigger is trigger]
        assert not rows or not rows[-1].guards
        assert all(row.guards for row in rows[:-1])


def test_every_state_knows_a_restart_and_a_way_to_a_settled_one(extension: Extension) -> None:
    """Also the steps."""
    onward: dict[State, set[State]] = {state: set() for state in extension.states}
    for row in extension.table:
        if row.target is not None:
            onward[row.source].add(row.target)
    for state in extension.states:
        assert any(row.source is state and row.trigger is Trigger.RESTARTED for row in extension.table)
        reached, front = {state}, {state}
        while front:
            front = {target for source in front for target in onward[source]} - reached
            reached |= front
        assert any(each.settled for each in reached)


def test_the_machine_has_the_extended_tables_rows(extension: Extension) -> None:
    """In their order, and its states are those of the table."""
    lifecycle = Lifecycle(extension=extension)
    assert lifecycle.table == extension.table
    assert set(lifecycle.machine.leaves) - {"applying"} == set(extension.states)
    for state, trigger in product(extension.states, Trigger):
        rows = [row for row in extension.table if row.source is state and row.trigger is trigger]
        event = lifecycle.machine.events.get(trigger.value)
        walked = event.transitions.get(state.value, []) if event else []
        assert [transition.dest for transition in walked] == [row.target for row in rows]
        assert (trigger in lifecycle.known(state)) == bool(rows)


@pytest.mark.parametrize("state", ALL.states)
@pytest.mark.parametrize("trigger", [Trigger.STEP_FAILED, Trigger.RESTARTED])
@pytest.mark.parametrize("runs", [True, False])
def test_what_keeps_happening_comes_to_an_end(state: State, trigger: Trigger, runs: bool) -> None:
    """A step that fails or dies at every turn is broken off by a counter on disk."""
    lifecycle = Lifecycle(limits=LIMITS, extension=ALL)
    update = _update(state)
    seen = []
    for _ in range(30):
        if trigger not in lifecycle.known(update.state) or update.state.settled:
            break
        seen.append(update)
        facts = Facts(now=NOW, failure=TRANSIENT, target_runs=runs, probe=Probe.NOT_BEGUN, repeatable=True)
        update = lifecycle.fire(update, trigger, facts)
        assert update not in seen
    else:
        free = {State.WAITING, State.DOWNLOAD_COMPLETE}  # a restart repeats nothing but a question here
        assert update.state in free


# -- where a step stands -----------------------------------------------------------------------------------------------


def test_an_update_passes_its_steps_in_order() -> None:
    """Each before the state that it stands before; the order given counts."""
    lifecycle = Lifecycle(extension=ALL)
    done: tuple[Trigger, dict[str, Any]] = (Trigger.STEP_DONE, {})
    assert _walk(
        lifecycle,
        (Trigger.POLICY_ALLOWED, {}),
        done,
        done,
        (Trigger.INSTALLED, {"reboot_required": True}),
        done,
        (Trigger.RESTARTED, {"now": LATER_BOOT, "target_runs": True}),
        done,
        (Trigger.HEALTH_CONFIRMED, {}),
    ) == ["backingUp", "freezing", "installing", "warning", "rebooting", "migratingData", "confirming", "applyComplete"]
    assert [state.substatus for state in lifecycle.states if state.status == "applying"] == [
        "backingUp",
        "freezing",
        "installing",
        "warning",
        "rebooting",
        "migratingData",
        "confirming",
        "rollingBack",
    ]


def test_what_enters_the_same_state_again_passes_no_step_again() -> None:
    """A restart during the installation goes on with it."""
    loops = {row for row in TABLE if row.target is row.source and row.target in {State.INSTALLING, State.CONFIRMING}}
    assert loops
    assert loops <= set(ALL.table)


def test_the_order_of_steps_is_the_one_given() -> None:
    """Whatever else stands between them."""
    for steps in permutations((FIRST, SECOND, WARNING)):
        path = _walk(Lifecycle(extension=Extension(steps)), (Trigger.POLICY_ALLOWED, {}), (Trigger.STEP_DONE, {}))
        assert path == [step.name for step in steps if step.before is State.INSTALLING]


def test_without_a_reboot_what_stands_before_it_is_passed_by() -> None:
    """The way leads to what stands before `confirming`."""
    path = _walk(
        Lifecycle(extension=Extension((WARNING, MIGRATING))),
        (Trigger.POLICY_ALLOWED, {}),
        (Trigger.INSTALLED, {"reboot_required": False}),
    )
    assert path == ["installing", "migratingData"]


def test_what_belongs_to_an_entry_happens_once_and_where_it_belongs() -> None:
    """The start of applying at its first child; the reboot where it is ordered; the deadline when confirming begins."""
    lifecycle = Lifecycle(extension=ALL)
    fire = lifecycle.fire
    backing_up = fire(_update(State.DOWNLOAD_COMPLETE), Trigger.POLICY_ALLOWED, Facts(now=NOW, target_slot="b"))
    assert (backing_up.started_applying_at, backing_up.target_slot) == (NOW.wall, "b")
    later = Facts(now=replace(NOW, boottime_s=NOW.boottime_s + 9))
    installing = fire(fire(backing_up, Trigger.STEP_DONE, later), Trigger.STEP_DONE, later)
    assert installing.started_applying_at == NOW.wall
    warning = fire(installing, Trigger.INSTALLED, Facts(now=NOW, reboot_required=True))
    assert (warning.state.substatus, warning.reboots) == ("warning", 0)
    rebooting = fire(warning, Trigger.STEP_DONE, Facts(now=NOW))
    assert (rebooting.state, rebooting.reboots) == (State.REBOOTING, 1)
    migrating = fire(rebooting, Trigger.RESTARTED, Facts(now=LATER_BOOT, target_runs=True))
    assert (migrating.state.substatus, migrating.resumed, migrating.deadline) == ("migratingData", 1, None)
    confirming = fire(migrating, Trigger.STEP_DONE, Facts(now=LATER_BOOT))
    assert confirming.deadline is not None


def test_coming_back_after_the_installation_leads_into_the_steps_as_well() -> None:
    """The process died between the installation and its record."""
    lifecycle = Lifecycle(extension=ALL)
    facts = Facts(now=NOW, probe=Probe.DONE, reboot_required=True)
    update = lifecycle.fire(_update(State.INSTALLING), Trigger.RESTARTED, facts)
    assert (update.state.substatus, update.reboots, update.resumed) == ("warning", 0, 1)


# -- failing, and coming back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", ALL.steps, ids=lambda step: step.name)
def test_a_step_that_fails_is_tried_again_or_rolled_back(step: Step) -> None:
    """As long as time may help and tries are left."""
    lifecycle = Lifecycle(limits=LIMITS, extension=ALL)
    again = lifecycle.fire(_update(step.state), Trigger.STEP_FAILED, Facts(now=NOW, failure=TRANSIENT))
    assert (again.state, again.attempt, again.failure) == (step.state, 2, TRANSIENT)
    last = lifecycle.fire(_update(step.state, attempt=3), Trigger.STEP_FAILED, Facts(now=NOW, failure=TRANSIENT))
    assert last.state is State.ROLLING_BACK
    broken = lifecycle.fire(_update(step.state), Trigger.STEP_FAILED, Facts(now=NOW, failure=PERMANENT))
    assert (broken.state, broken.failure) == (State.ROLLING_BACK, PERMANENT)


@pytest.mark.parametrize("step", [FIRST, WARNING], ids=lambda step: step.name)
def test_a_step_on_the_old_firmware_runs_again(step: Step) -> None:
    """Whatever runs; until the restarts are used up."""
    lifecycle = Lifecycle(limits=LIMITS, extension=ALL)
    again = lifecycle.fire(_update(step.state), Trigger.RESTARTED, Facts(now=LATER_BOOT))
    assert (again.state, again.restarts, again.resumed) == (step.state, 1, 1)
    ended = lifecycle.fire(_update(step.state, restarts=3), Trigger.RESTARTED, Facts(now=NOW))
    assert ended.state is State.ROLLING_BACK
    assert ended.failure is not None
    assert ended.failure.code == "restartLoop"


def test_a_step_on_the_new_firmware_asks_what_runs() -> None:
    """If the board has fallen back, the update has failed."""
    lifecycle = Lifecycle(limits=LIMITS, extension=ALL)
    here = MIGRATING.state
    again = lifecycle.fire(_update(here), Trigger.RESTARTED, Facts(now=NOW, target_runs=True))
    assert (again.state, again.restarts) == (here, 1)
    ended = lifecycle.fire(_update(here, restarts=3), Trigger.RESTARTED, Facts(now=NOW, target_runs=True))
    assert ended.state is State.ROLLING_BACK
    assert ended.failure is not None
    assert ended.failure.code == "restartLoop"
    fell_back = lifecycle.fire(_update(here), Trigger.RESTARTED, Facts(now=NOW, target_runs=False))
    assert (fell_back.state, fell_back.rolled_back) == (State.APPLY_FAILED, True)
    assert fell_back.failure is not None
    assert fell_back.failure.code == "bootFellBack"


@pytest.mark.parametrize("runs", [True, False])
def test_a_step_that_this_program_does_not_know_is_taken_for_confirming(runs: bool) -> None:
    """The program that knew it may have gone with the firmware that was rolled back."""
    told: list[State] = []
    lifecycle = Lifecycle([lambda entry: told.append(entry.before.state)])
    update = _update(State.child("unheardOf"))
    with pytest.raises(LifecycleError, match=r"means nothing in state 'applying\.unheardOf'"):
        lifecycle.fire(update, Trigger.STEP_DONE, Facts(now=NOW))
    after = lifecycle.fire(update, Trigger.RESTARTED, Facts(now=NOW, target_runs=runs))
    assert after.state is (State.CONFIRMING if runs else State.APPLY_FAILED)
    assert told == [update.state]


# -- further rows ------------------------------------------------------------------------------------------------------


def test_a_further_row_is_tried_first() -> None:
    """Where its guards hold; else the built-in rows decide."""
    lifecycle = Lifecycle(extension=EXTENSIONS["a row"])
    here = _update(State.INSTALLING)
    taken = lifecycle.fire(here, Trigger.INSTALLED, Facts(now=NOW, reboot_required=True))
    assert taken.state is State.CONFIRMING
    passed = lifecycle.fire(here, Trigger.INSTALLED, Facts(now=LATER_BOOT, reboot_required=True))
    assert passed.state is State.REBOOTING


def test_a_further_row_does_not_lead_past_a_step() -> None:
    """The step is entered by every way into the state behind it."""
    rows = EXTENSIONS["a row"].rows
    lifecycle = Lifecycle(extension=Extension((MIGRATING,), rows))
    taken = lifecycle.fire(_update(State.INSTALLING), Trigger.INSTALLED, Facts(now=NOW, reboot_required=True))
    assert taken.state is MIGRATING.state


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (Row(Trigger.INSTALLED, State.INSTALLING, State.CONFIRMING), "without a guard it would hide"),
        (Row(Trigger.INSTALLED, State.WAITING, State.DOWNLOADING, (reboot_required,)), "does not know this trigger"),
        (
            Row(Trigger.RESTARTED, State.CONFIRMING, State.APPLY_COMPLETE, (reboot_required,)),
            r"what the table promises\. Lead it to applyFailed or applying\.rollingBack",
        ),
        (Row(Trigger.POLICY_ALLOWED, State.WAITING, State.WAITING, (reboot_required,)), "what the table promises"),
        (Row(Trigger.POLICY_ALLOWED, State.WAITING, None, (reboot_required,)), "Lead it to downloadFailed or"),
        (Row(Trigger.RESTARTED, State.APPLY_COMPLETE, State.WAITING, (reboot_required,)), "nothing can be added here"),
        (Row(Trigger.ROLLED_BACK, State.ROLLING_BACK, State.CONFIRMING, (reboot_required,)), "Lead it to applyFailed$"),
    ],
)
def test_a_row_that_breaks_a_promise_is_refused(row: Row, message: str) -> None:
    """With what it would break, and what to do."""
    with pytest.raises(ConfigError, match=message):
        Extension(rows=(row,))


def test_a_row_may_always_lead_to_the_failure_of_its_part_of_the_way() -> None:
    """Before `applying` the download has failed, from there on it is rolled back."""
    Extension(rows=(Row(Trigger.POLICY_ALLOWED, State.DOWNLOAD_COMPLETE, State.DOWNLOAD_FAILED, (reboot_required,)),))
    Extension(rows=(Row(Trigger.HEALTH_CONFIRMED, State.CONFIRMING, State.ROLLING_BACK, (reboot_required,)),))


# -- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "Big", "with space", "dot.ted", "x" * 41, "ümlaut", "1st", "a\n"])
def test_an_odd_name_is_refused(name: str) -> None:
    """It is written on the twin and into the database."""
    with pytest.raises(ConfigError, match="cannot be a state"):
        Step(name, State.INSTALLING, nothing)


def test_a_name_that_is_taken_is_refused() -> None:
    """By a built-in state, or by another step."""
    with pytest.raises(ConfigError, match="the name of a built-in state"):
        Step("installing", State.INSTALLING, nothing)
    with pytest.raises(ConfigError, match="two steps have the same name: warning, warning"):
        Extension((WARNING, WARNING))


@pytest.mark.parametrize("before", [state for state in State if state not in {*[step.before for step in ALL.steps]}])
def test_a_step_stands_inside_applying(before: State) -> None:
    """And not before rolling back, which is no way on."""
    with pytest.raises(ConfigError, match="Choose one of INSTALLING, REBOOTING, CONFIRMING"):
        Step("early", before, nothing)


def test_a_child_is_one_object_and_no_member_of_the_list() -> None:
    """So states are compared by identity everywhere."""
    child = FIRST.state
    assert State.child("backingUp") is child
    assert State("applying.backingUp") is child
    assert pickle.loads(pickle.dumps(child)) is child
    assert copy.deepcopy(child) is child
    assert (child.status, child.substatus) == ("applying", "backingUp")
    assert not child.settled
    assert not child.interruptible
    assert child not in list(State)
    assert f"{child}" == "applying.backingUp"
    assert State.child("installing") is State.INSTALLING
    with pytest.raises(ValueError, match="is not a valid State"):
        State("applying.undeclared")
