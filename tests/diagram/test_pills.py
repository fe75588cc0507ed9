"""Measures the counts on the edges: nothing may lie on anything else."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from fwsm.core.lifecycle import Trigger
from fwsm.diagram.geometry import Box, segments
from fwsm.diagram.graph import Graph
from fwsm.diagram.label import Label
from fwsm.diagram.layout import Layout
from fwsm.diagram.pills import HEIGHT, pills
from tests.diagram.extended import THREE
from tests.diagram.journeys import LIFECYCLE

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Lifecycle

LONGEST = "99x 23 h 59 m"


class Drawn:
    """A picture with the longest count on every edge."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        graph = Graph.of(lifecycle)
        self.edges, self.layout = graph.edges, Layout.of(graph)
        self.boxes = pills(self.layout, self.edges, dict.fromkeys(self.edges, LONGEST))


@pytest.fixture(scope="module", params=[LIFECYCLE, THREE], ids=["built-in", "extended"])
def drawn(request: pytest.FixtureRequest) -> Drawn:
    """Of the built-in lifecycle and of an extended one."""
    return Drawn(request.param)


def test_every_edge_has_room_for_its_count(drawn: Drawn) -> None:
    """Also if all were taken, each often and after long."""
    assert set(drawn.boxes) == set(drawn.edges)
    assert all(box.height == HEIGHT and box.width >= len(LONGEST) * 6.2 for box in drawn.boxes.values())


def test_counts_lie_on_nothing_but_their_own_line(drawn: Drawn) -> None:
    """Not on each other, on states, labels, other lines or the legend, and all are on the page."""
    layout, placed = drawn.layout, drawn.layout.placed
    labels = [Label.of(edge, layout.route_of(edge).spot).box for edge in drawn.edges]
    page = Box(4, 4, placed.size.x - 4, placed.size.y - 4)
    legend = Box(placed.legend.x, placed.legend.y - 12, *placed.size)
    assert not any(one.meets(other) for one, other in combinations(drawn.boxes.values(), 2))
    for edge, box in drawn.boxes.items():
        others = (route.points for pair, route in layout.routes.items() if pair != (edge.source, edge.target))
        lines = [piece for points in others for piece in segments(points)]
        assert not any(box.meets(other) for other in [*placed.states.values(), *labels, *lines, legend]), edge
        assert page.holds(box), edge


def test_a_count_on_a_way_back_does_not_stand_at_the_name_of_it() -> None:
    """Nor at that of the way beside it: with a few counts in the picture there is room."""
    graph = Graph.of(LIFECYCLE)
    layout = Layout.of(graph)
    back = [edge for edge in graph.edges if any(row.trigger is Trigger.RETRY_REQUESTED for row in edge.rows)]
    boxes = pills(layout, graph.edges, dict.fromkeys(back, LONGEST))
    assert len(boxes) == 2
    for edge in graph.edges:
        label = Label.of(edge, layout.route_of(edge).spot).box
        near = Box(label.left - 8, label.top - 8, label.right + 8, label.bottom + 8)
        assert not any(near.meets(box) for box in boxes.values()), edge


def test_counts_stand_near_their_line(drawn: Drawn) -> None:
    """A reader sees which it belongs to."""
    for edge, box in drawn.boxes.items():
        near = Box(box.left - 30, box.top - 30, box.right + 30, box.bottom + 30)
        assert any(near.meets(piece) for piece in segments(drawn.layout.route_of(edge).points)), edge
