"""The table, exhaustively."""

from __future__ import annotations

import inspect
from itertools import product

import pytest

from fwsm.core import guards
from fwsm.core.lifecycle import TABLE, Lifecycle, Row, Trigger
from fwsm.core.update import State

PLAIN = Lifecycle()
WORKING = [state for state in State if not state.settled]
KNOWN = [(state, trigger) for state, trigger in product(State, Trigger) if trigger in PLAIN.known(state)]


def _rows(state: State, trigger: Trigger) -> list[Row]:
    return [row for row in TABLE if row.source is state and row.trigger is trigger]


def _name(value: object) -> str | None:
    return str(value) if isinstance(value, State | Trigger) else None


def test_statuses_are_the_tutorials() -> None:
    """The seven strings of the wire are fixed."""
    assert {state.status for state in State} == {
        "waiting",
        "downloading",
        "downloadComplete",
        "downloadFailed",
        "applying",
        "applyComplete",
        "applyFailed",
    }


@pytest.mark.parametrize(("state", "trigger"), KNOWN, ids=_name)
def test_guarded_rows_end_in_an_unguarded_one(state: State, trigger: Trigger) -> None:
    """A trigger that the state knows always leads somewhere, and no row stands behind the last resort."""
    rows = _rows(state, trigger)
    assert [bool(row.guards) for row in rows] == [True] * (len(rows) - 1) + [False]


@pytest.mark.parametrize("state", State)
def test_every_state_knows_a_restart(state: State) -> None:
    """The process may come back in any state."""
    assert Trigger.RESTARTED in PLAIN.known(state)


@pytest.mark.parametrize("state", WORKING)
def test_every_working_state_has_a_way_to_a_settled_one(state: State) -> None:
    """No working state is a trap."""
    seen, ahead = {state}, [state]
    while ahead:
        source = ahead.pop()
        targets = {row.target for row in TABLE if row.source is source and row.target is not None} - seen
        seen |= targets
        ahead += targets
    assert seen & {State.DOWNLOAD_FAILED, State.APPLY_COMPLETE, State.APPLY_FAILED}


def test_every_state_is_reached_from_waiting() -> None:
    """No state is without a way in."""
    assert {row.target for row in TABLE if row.target is not row.source} - {None} == set(State)


@pytest.mark.parametrize("state", [state for state in State if state.settled])
def test_only_an_operator_leaves_a_settled_state(state: State) -> None:
    """A settled update stays so, whatever happens to the process."""
    leaving = {row.trigger for row in TABLE if row.source is state and row.target is not None}
    assert leaving <= {Trigger.RETRY_REQUESTED}


@pytest.mark.parametrize("state", State)
def test_an_operator_interrupts_only_before_applying(state: State) -> None:
    """Cancel and supersede are known where the record says that they are."""
    assert {Trigger.CANCELLED, Trigger.SUPERSEDED} <= PLAIN.known(state) or not state.interruptible
    assert state.interruptible or not {Trigger.CANCELLED, Trigger.SUPERSEDED} & PLAIN.known(state)


def test_every_trigger_and_every_guard_is_used() -> None:
    """Nothing is declared that no row needs, and every guard is a named public predicate."""
    assert {row.trigger for row in TABLE} == set(Trigger) - {Trigger.STEP_DONE, Trigger.STEP_FAILED}
    predicates = {name for name in guards.__all__ if inspect.isfunction(getattr(guards, name))}
    assert {guard.__name__ for row in TABLE for guard in row.guards} == predicates
