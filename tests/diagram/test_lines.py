"""What the routes are made of."""

from __future__ import annotations

import pytest

from fwsm.core.update import State
from fwsm.diagram.geometry import Point
from fwsm.diagram.graph import Graph
from fwsm.diagram.label import Align
from fwsm.diagram.lines import again, bent, down, over
from fwsm.diagram.placement import Placement
from tests.diagram.journeys import LIFECYCLE

PLACED = Placement.of(Graph.of(LIFECYCLE))
WAITING, DOWNLOADING = PLACED.states[State.WAITING], PLACED.states[State.DOWNLOADING]


def test_down_runs_from_border_to_border() -> None:
    """Its label hangs beside it, a little below the state that is left, or where it is told."""
    route = down(PLACED, State.WAITING, State.DOWNLOADING)
    assert route.points == (Point(405, WAITING.bottom), Point(405, DOWNLOADING.top))
    assert route.spot.at == Point(415, WAITING.bottom + 8)
    assert down(PLACED, State.WAITING, State.DOWNLOADING, 200).spot.at == Point(415, 200)


@pytest.mark.parametrize("up", [False, True])
def test_a_loop_leaves_and_comes_back_at_the_left(up: bool) -> None:
    """Its label ends beside it, and grows down from where it leaves or up from where it comes back."""
    route = again(PLACED, State.WAITING, out=-8, back=8, up=up)
    assert route.points[0] == Point(WAITING.left, WAITING.middle.y - 8)
    assert route.points[-1] == Point(WAITING.left, WAITING.middle.y + 8)
    assert (route.spot.align, route.spot.up) == (Align.RIGHT, up)
    assert route.spot.at == Point(WAITING.left - 38, WAITING.middle.y + (11 if up else -11))


def test_a_label_over_a_line_grows_away_from_it() -> None:
    """Upwards."""
    route = bent((0, 50), (90, 50), label=over(10, 50))
    assert route.points == (Point(0, 50), Point(90, 50))
    assert (route.spot.at, route.spot.up) == (Point(10, 44), True)
