from __future__ import annotations

from itertools import combinations

from fwsm.core.lifecycle import Lifecycle
from fwsm.core.update import State
from fwsm.diagram.geometry import Box
from fwsm.diagram.graph import Composite, Graph
from fwsm.diagram.placement import COMPOSITES, END_MARKS, MAIN_X, SIZE, START_MARK, STATES

GRAPH = Graph.of(Lifecycle())
PAGE = Box(0, 0, *SIZE)
WIDEST_LETTER = 14 * 0.66  # semi-bold, in the widest common system font


def test_every_state_has_a_place_of_its_own() -> None:
    """All states and all composites of the machine are placed on the page and do not overlap."""
    assert set(STATES) == set(GRAPH.states)
    assert set(COMPOSITES) == {place.name for place in GRAPH.places if isinstance(place, Composite)}
    for one, other in combinations(STATES.values(), 2):
        assert not one.meets(other)
    for box in [*STATES.values(), *COMPOSITES.values()]:
        assert PAGE.holds(box)


def test_composite_holds_its_children_and_nothing_else() -> None:
    """A state lies inside the frame of its parent, or wholly outside."""
    for state, box in STATES.items():
        for name, frame in COMPOSITES.items():
            assert frame.holds(box) == (state.status == name)
            assert frame.meets(box) == (state.status == name)


def test_name_fits_its_state() -> None:
    """No name is wider than the box around it."""
    for state, box in STATES.items():
        assert len(state.substatus or state.status) * WIDEST_LETTER < box.width


def test_way_forward_is_one_straight_line_down() -> None:
    """From the start to applyComplete everything stands on one upright line, in the order of the states."""
    way = [state for state, box in STATES.items() if box.middle.x == MAIN_X]
    assert way == [
        State.WAITING,
        State.DOWNLOADING,
        State.DOWNLOAD_COMPLETE,
        State.INSTALLING,
        State.REBOOTING,
        State.CONFIRMING,
        State.APPLY_COMPLETE,
    ]
    heights = [START_MARK[0].y, *(STATES[state].middle.y for state in way)]
    assert heights == sorted(heights)
    assert START_MARK[0].x == MAIN_X


def test_every_settled_state_has_an_end_mark() -> None:
    """The end stands beside each state in which nothing more happens by itself."""
    assert set(END_MARKS) == {state for state in State if state.settled}
