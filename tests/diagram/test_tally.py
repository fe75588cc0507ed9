from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.tally import Passed, Spent, Taken, Tally
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey


def test_states_are_counted() -> None:
    """Visits, tries, restarts, and where the time went."""
    tally = Tally.of(told(*GOOD))
    assert tally.states[State.DOWNLOADING] == Passed(visits=1, tries=2, restarts=1, time=Spent(19.0))
    assert tally.states[State.APPLY_COMPLETE] == Passed(visits=1, tries=1, restarts=0, time=Spent(0.0))
    assert State.ROLLING_BACK not in tally.states


def test_edges_are_counted() -> None:
    """With the time in the source before, and what led there."""
    tally = Tally.of(told(*GOOD))
    again = tally.edges[State.DOWNLOADING, State.DOWNLOADING]
    assert again == Taken(2, Spent(8.0), frozenset({Trigger.DOWNLOAD_FAILED, Trigger.RESTARTED}))
    assert tally.edges[State.DOWNLOADING, State.DOWNLOAD_COMPLETE].time == Spent(11.0)


def test_time_that_a_set_clock_hides_is_marked() -> None:
    """What is known of it is a lower bound, and nothing may be known."""
    tally = Tally.of(told((0, ACCEPTED, State.WAITING), (-50, Trigger.POLICY_ALLOWED, State.DOWNLOADING), now_s=-48))
    assert tally.states[State.WAITING].time == Spent(0.0, whole=False)
    assert str(tally.states[State.WAITING].time) == "?"
    assert str(tally.states[State.WAITING].time + Spent(4.2)) == "≥4.2 s"
    assert str(tally.states[State.DOWNLOADING].time) == "2.0 s"


@settings(max_examples=40)
@given(journeys())
def test_time_in_a_state_is_time_before_its_edges(journey: Journey) -> None:
    """Nothing is counted twice and nothing is lost; only the time in the last state has no edge behind it."""
    tally = Tally.of(journey)
    rest = {journey.stays[-1].entry.state: journey.stays[-1].span_s or 0.0}
    for state, passed in tally.states.items():
        before = sum(taken.time.seconds for (source, _), taken in tally.edges.items() if source is state)
        assert math.isclose(passed.time.seconds, before + rest.get(state, 0.0), abs_tol=1e-3)
    assert sum(taken.times for taken in tally.edges.values()) == len(journey.stays) - 1
    assert sum(passed.visits for passed in tally.states.values()) == len(journey.visits)
