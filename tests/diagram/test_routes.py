"""Measures the picture: nothing may lie on anything else."""

from __future__ import annotations

from itertools import combinations, pairwise

import pytest

from fwsm.core.lifecycle import Lifecycle
from fwsm.core.update import State
from fwsm.diagram.geometry import Box, Point, segments
from fwsm.diagram.graph import Edge, Graph
from fwsm.diagram.label import Label
from fwsm.diagram.placement import COMPOSITES, END_MARKS, LEGEND, SIZE, START_MARK, STATES, TITLE
from fwsm.diagram.routes import ROUTES, route_of
from fwsm.errors import LifecycleError

EDGES = Graph.of(Lifecycle()).edges
LABELS = {(edge.source, edge.target): Label.of(edge, route_of(edge).spot).box for edge in EDGES}
PIECES = [(pair, piece) for pair, route in ROUTES.items() for piece in segments(route.points)]
MARKS = [*segments(START_MARK), *(Box.around(START_MARK[0], 14, 14),)]
MARKS += [piece for points in END_MARKS.values() for piece in segments(points)]
MARKS += [Box.around(points[1], 16, 16) for points in END_MARKS.values()]
WORDS = [Box(LEGEND.x, LEGEND.y - 12, SIZE.x, SIZE.y), Box(TITLE.x, TITLE.y - 18, TITLE.x + 340, TITLE.y + 6)]


def _borders(box: Box) -> tuple[Box, ...]:
    corners = (
        Point(box.left, box.top),
        Point(box.right, box.top),
        Point(box.right, box.bottom),
        Point(box.left, box.bottom),
        Point(box.left, box.top),
    )
    return segments(corners)


def test_every_edge_has_a_route_and_no_route_is_left_over() -> None:
    """Routes and edges of the graph are the same pairs."""
    assert {(edge.source, edge.target) for edge in EDGES} == set(ROUTES)


def test_edge_without_a_route_is_refused() -> None:
    """An edge that nobody has placed is named, with what to do."""
    edge = Edge(State.APPLY_COMPLETE, State.WAITING, EDGES[0].rows)
    with pytest.raises(LifecycleError, match=r"'applyComplete' to 'waiting'.*routes\.py"):
        route_of(edge)


def test_lines_are_upright_and_end_at_their_states() -> None:
    """Each piece is level or upright, and the ends lie on the borders of source and target."""
    for (source, target), route in ROUTES.items():
        for a, b in pairwise(route.points):
            assert (a.x == b.x) != (a.y == b.y)
        for state, end in ((source, route.points[0]), (target, route.points[-1])):
            box = STATES[state]
            on_side = end.x in {box.left, box.right} and box.top < end.y < box.bottom
            on_top_or_bottom = end.y in {box.top, box.bottom} and box.left < end.x < box.right
            assert on_side or on_top_or_bottom


def test_no_line_runs_through_a_state() -> None:
    """Lines touch only the borders of the states they connect."""
    for _, piece in PIECES:
        assert not any(piece.meets(box) for box in STATES.values())


def test_no_two_labels_overlap() -> None:
    """Every label has its own room."""
    for one, other in combinations(LABELS, 2):
        assert not LABELS[one].meets(LABELS[other]), (one, other)


def test_no_label_lies_on_a_state_or_a_frame() -> None:
    """Labels keep off the states and off the border around `applying`."""
    obstacles = [*STATES.values(), *(border for frame in COMPOSITES.values() for border in _borders(frame))]
    for pair, label in LABELS.items():
        assert not any(label.meets(obstacle) for obstacle in obstacles), pair


def test_no_line_runs_through_a_label() -> None:
    """Not even through its own."""
    for pair, label in LABELS.items():
        assert not [other for other, piece in PIECES if label.meets(piece)], pair


def test_every_label_stands_beside_its_own_line() -> None:
    """Nothing is nearer to a label than the line it belongs to."""
    for pair, label in LABELS.items():
        distances = sorted((_distance(label, piece), other != pair) for other, piece in PIECES)
        assert distances[0][1] is False, pair


def test_two_lines_cross_once() -> None:
    """Only the way from rebooting to applyFailed has to cross another one."""
    crossings = [
        {one, other}
        for (one, piece), (other, second) in combinations(PIECES, 2)
        if one != other and piece.meets(second)
    ]
    assert crossings == [{(State.REBOOTING, State.APPLY_FAILED), (State.CONFIRMING, State.ROLLING_BACK)}]


def test_marks_and_words_stand_free() -> None:
    """Start, ends, title and legend lie on nothing, and everything is on the page."""
    things = [*LABELS.values(), *(piece for _, piece in PIECES), *STATES.values()]
    for thing in things:
        assert not any(thing.meets(box) for box in [*MARKS, *WORDS])
        assert Box(8, 8, SIZE.x - 8, SIZE.y - 8).holds(thing)


def _distance(one: Box, other: Box) -> float:
    across = max(other.left - one.right, one.left - other.right, 0.0)
    down = max(other.top - one.bottom, one.top - other.bottom, 0.0)
    return across + down
