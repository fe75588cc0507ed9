from __future__ import annotations

from itertools import combinations

import pytest

from fwsm.core.update import State
from fwsm.diagram.geometry import Box, Point
from fwsm.diagram.graph import Composite, Graph
from fwsm.diagram.placement import Placement, Stretch
from fwsm.errors import LifecycleError
from tests.diagram.extended import EXTENDED
from tests.diagram.journeys import GOOD, LIFECYCLE, told

GRAPHS = {name: Graph.of(lifecycle) for name, lifecycle in {"built-in": LIFECYCLE, **EXTENDED}.items()}
BUILT_IN = GRAPHS["built-in"]
each = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
WIDEST_LETTER = 14 * 0.66  # semi-bold, in the widest common system font


@each
def test_every_state_has_a_place_of_its_own(graph: Graph) -> None:
    """All states and all composites of the machine are placed on the page and do not overlap."""
    placed = Placement.of(graph)
    assert set(placed.states) == set(graph.states)
    assert set(placed.composites) == {place.name for place in graph.places if isinstance(place, Composite)}
    for one, other in combinations(placed.states.values(), 2):
        assert not one.meets(other)
    for box in [*placed.states.values(), *placed.composites.values()]:
        assert Box(0, 0, *placed.size).holds(box)


@each
def test_composite_holds_its_children_and_nothing_else(graph: Graph) -> None:
    """A state lies inside the frame of its parent, or wholly outside."""
    placed = Placement.of(graph)
    for state, box in placed.states.items():
        for name, frame in placed.composites.items():
            assert frame.holds(box) == (state.status == name)
            assert frame.meets(box) == (state.status == name)


@each
def test_name_fits_its_state(graph: Graph) -> None:
    """No name is wider than the box around it."""
    for state, box in Placement.of(graph).states.items():
        assert len(state.substatus or state.status) * WIDEST_LETTER < box.width


@each
def test_way_forward_is_one_straight_line_down(graph: Graph) -> None:
    """From the start to applyComplete everything stands on one upright line, in the order of the states."""
    placed = Placement.of(graph)
    aside = {State.DOWNLOAD_FAILED, State.ROLLING_BACK, State.APPLY_FAILED}
    way = [state for state in graph.states if state not in aside]
    assert {placed.states[state].middle.x for state in way} == {placed.main_x}
    assert placed.start_mark[0].x == placed.main_x
    heights = [placed.start_mark[0].y, *(placed.states[state].middle.y for state in way)]
    assert heights == sorted(set(heights))


def test_the_built_in_picture_stands_where_it_was_placed() -> None:
    """Nothing in it is stretched."""
    placed = Placement.of(BUILT_IN)
    assert placed.size == Point(1200, 1056)
    assert (placed.main_x, placed.legend, placed.title) == (405, Point(640, 966), Point(40, 52))


def test_each_step_makes_the_picture_higher_by_a_row() -> None:
    """And what lies below it moves down by as much."""
    before, after = Placement.of(BUILT_IN), Placement.of(GRAPHS["one"])
    moved = {state: after.states[state].middle.y - box.middle.y for state, box in before.states.items()}
    above = {State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE, State.DOWNLOAD_FAILED}
    assert moved == {state: 0 if state in above else 110 for state in before.states}
    assert after.size == Point(before.size.x, before.size.y + 110)


def test_a_stretch_moves_what_lies_beyond_its_cuts() -> None:
    """And nothing else; several cuts add up."""
    stretch = Stretch({10: 5, 20: 7}, {30: 1})
    assert [stretch.x(x) for x in (10, 11, 20, 21)] == [10, 16, 25, 33]
    assert [stretch.y(y) for y in (30, 31)] == [30, 32]


def test_every_settled_state_has_an_end_mark() -> None:
    """The end stands beside each state in which nothing more happens by itself."""
    assert set(Placement.of(BUILT_IN).end_marks) == {state for state in State if state.settled}


def test_a_state_that_nobody_here_has_declared_is_refused() -> None:
    """What it stands before is not known; who knows it can name the extension."""
    journey = told(*GOOD[:6], (31, "step_done", "applying.backingUp"))
    with pytest.raises(LifecycleError, match=r"no place for the state 'applying\.backingUp'.*--extension"):
        Placement.of(BUILT_IN.including(journey))
