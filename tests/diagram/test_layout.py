"""Measures the pictures, of the built-in and of extended lifecycles: nothing may lie on anything else."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from fwsm.diagram.geometry import Box, Point, segments
from fwsm.diagram.graph import Edge, Graph
from fwsm.diagram.label import Label
from fwsm.diagram.layout import Layout
from fwsm.errors import LifecycleError
from tests.diagram.extended import EXTENDED
from tests.diagram.journeys import LIFECYCLE

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Lifecycle

GRAPHS = {name: Graph.of(lifecycle) for name, lifecycle in {"built-in": LIFECYCLE, **EXTENDED}.items()}


class Picture:
    """What stands where in the picture of a graph."""

    def __init__(self, graph: Graph) -> None:
        self.layout = Layout.of(graph)
        self.placed = self.layout.placed
        self.states = self.placed.states
        self.routes = {(edge.source, edge.target): self.layout.route_of(edge) for edge in graph.edges}
        self.labels = {
            (edge.source, edge.target): Label.of(edge, self.layout.route_of(edge).spot).box for edge in graph.edges
        }
        self.pieces = [(pair, piece) for pair, route in self.routes.items() for piece in segments(route.points)]


@pytest.fixture(params=list(GRAPHS.values()), ids=list(GRAPHS))
def picture(request: pytest.FixtureRequest) -> Picture:
    """Of each of them."""
    return Picture(request.param)


def _borders(box: Box) -> tuple[Box, ...]:
    left_top, right_bottom = Point(box.left, box.top), Point(box.right, box.bottom)
    return segments((left_top, Point(box.right, box.top), right_bottom, Point(box.left, box.bottom), left_top))


def test_no_route_is_left_over() -> None:
    """Routes and edges of the built-in graph are the same pairs."""
    picture = Picture(GRAPHS["built-in"])
    assert set(picture.layout.routes) == set(picture.routes)


def test_edge_without_a_route_is_refused() -> None:
    """An edge that nobody has placed is named, with what to do."""
    graph = GRAPHS["built-in"]
    edge = Edge(State.APPLY_COMPLETE, State.WAITING, graph.edges[0].rows)
    with pytest.raises(LifecycleError, match=r"'applyComplete' to 'waiting'.*routes\.py"):
        Layout.of(graph).route_of(edge)


def test_lines_are_upright_and_end_at_their_states(picture: Picture) -> None:
    """Each piece is level or upright, and the ends lie on the borders of source and target."""
    for (source, target), route in picture.routes.items():
        for a, b in pairwise(route.points):
            assert (a.x == b.x) != (a.y == b.y)
        for state, end in ((source, route.points[0]), (target, route.points[-1])):
            box = picture.states[state]
            on_side = end.x in {box.left, box.right} and box.top < end.y < box.bottom
            on_top_or_bottom = end.y in {box.top, box.bottom} and box.left < end.x < box.right
            assert on_side or on_top_or_bottom, (source, target)


def test_no_line_runs_through_a_state(picture: Picture) -> None:
    """Lines touch only the borders of the states they connect."""
    for pair, piece in picture.pieces:
        assert not any(piece.meets(box) for box in picture.states.values()), pair


def test_no_two_labels_overlap(picture: Picture) -> None:
    """Every label has its own room."""
    for one, other in combinations(picture.labels, 2):
        assert not picture.labels[one].meets(picture.labels[other]), (one, other)


def test_no_label_lies_on_a_state_or_a_frame(picture: Picture) -> None:
    """Labels keep off the states and off the border around `applying`."""
    frames = picture.placed.composites.values()
    obstacles = [*picture.states.values(), *(border for frame in frames for border in _borders(frame))]
    for pair, label in picture.labels.items():
        assert not any(label.meets(obstacle) for obstacle in obstacles), pair


def test_no_line_runs_through_a_label(picture: Picture) -> None:
    """Not even through its own."""
    for pair, label in picture.labels.items():
        assert not [other for other, piece in picture.pieces if label.meets(piece)], pair


def test_every_label_stands_beside_its_own_line(picture: Picture) -> None:
    """Near it, and in the built-in picture nothing is nearer."""
    for pair, label in picture.labels.items():
        nearest = min(_distance(label, piece) for other, piece in picture.pieces if other == pair)
        assert nearest <= 12.0, pair


def test_nothing_is_nearer_to_a_label_of_the_built_in_picture_than_its_line() -> None:
    """So a reader takes it for what it is."""
    picture = Picture(GRAPHS["built-in"])
    for pair, label in picture.labels.items():
        distances = sorted((_distance(label, piece), other != pair) for other, piece in picture.pieces)
        assert distances[0][1] is False, pair


def test_only_lines_of_firmware_that_fell_back_cross_others(picture: Picture) -> None:
    """They pass what leads from rows below to `rollingBack`; no two lines lie on each other."""
    ahead = [state for row in picture.placed.rows.values() for state in row]
    expected = {
        frozenset({(source, State.APPLY_FAILED), (below, State.ROLLING_BACK)})
        for source, below in combinations(ahead[ahead.index(State.REBOOTING) :], 2)
    }
    crossings = {
        frozenset({one, other})
        for (one, piece), (other, second) in combinations(picture.pieces, 2)
        if one != other and _touch(piece, second)
    }
    assert crossings == expected


def test_marks_and_words_stand_free(picture: Picture) -> None:
    """Start, ends, title and legend lie on nothing, and everything is on the page."""
    placed = picture.placed
    marks = [*segments(placed.start_mark), Box.around(placed.start_mark[0], 14, 14)]
    marks += [piece for points in placed.end_marks.values() for piece in segments(points)]
    marks += [Box.around(points[1], 16, 16) for points in placed.end_marks.values()]
    legend, title, size = placed.legend, placed.title, placed.size
    words = [Box(legend.x, legend.y - 12, size.x, size.y), Box(title.x, title.y - 18, title.x + 340, title.y + 6)]
    for thing in [*picture.labels.values(), *(piece for _, piece in picture.pieces), *picture.states.values()]:
        assert not any(thing.meets(box) for box in [*marks, *words])
        assert Box(8, 8, size.x - 8, size.y - 8).holds(thing)


@pytest.mark.parametrize("lifecycle", [LIFECYCLE, EXTENDED["one"]], ids=["built-in", "one"])
def test_a_picture_whose_labels_have_room_is_not_stretched_for_them(lifecycle: Lifecycle) -> None:
    """The built-in one stands where it was placed by hand."""
    room: Any = Layout.of(Graph.of(lifecycle)).placed.room
    assert (dict(room.across), dict(room.down)) == ({}, {})


def _touch(one: Box, other: Box) -> bool:
    """Whether two pieces of lines cross or lie on each other."""
    return one.left <= other.right and other.left <= one.right and one.top <= other.bottom and other.top <= one.bottom


def _distance(one: Box, other: Box) -> float:
    across = max(other.left - one.right, one.left - other.right, 0.0)
    down = max(other.top - one.bottom, one.top - other.bottom, 0.0)
    return across + down
