"""Measures the counts on the edges: nothing may lie on anything else."""

from __future__ import annotations

from itertools import combinations

from fwsm.diagram.geometry import Box, segments
from fwsm.diagram.graph import Graph
from fwsm.diagram.label import Label
from fwsm.diagram.pills import HEIGHT, placed
from fwsm.diagram.placement import LEGEND, SIZE, STATES
from fwsm.diagram.routes import ROUTES, route_of
from tests.diagram.journeys import LIFECYCLE

EDGES = Graph.of(LIFECYCLE).edges
LONGEST = "99x 23 h 59 m"
BOXES = placed(EDGES, dict.fromkeys(EDGES, LONGEST))


def test_every_edge_has_room_for_its_count() -> None:
    """Also if all were taken, each often and after long."""
    assert set(BOXES) == set(EDGES)
    assert all(box.height == HEIGHT and box.width >= len(LONGEST) * 6.2 for box in BOXES.values())


def test_counts_lie_on_nothing_but_their_own_line() -> None:
    """Not on each other, on states, labels, other lines or the legend, and all are on the page."""
    labels = [Label.of(edge, route_of(edge).spot).box for edge in EDGES]
    page = Box(4, 4, SIZE.x - 4, SIZE.y - 4)
    legend = Box(LEGEND.x, LEGEND.y - 12, SIZE.x, SIZE.y)
    assert not any(one.meets(other) for one, other in combinations(BOXES.values(), 2))
    for edge, box in BOXES.items():
        others = (route.points for pair, route in ROUTES.items() if pair != (edge.source, edge.target))
        lines = [piece for points in others for piece in segments(points)]
        assert not any(box.meets(other) for other in [*STATES.values(), *labels, *lines, legend]), edge
        assert page.holds(box), edge


def test_counts_stand_near_their_line() -> None:
    """A reader sees which it belongs to."""
    for edge, box in BOXES.items():
        near = Box(box.left - 30, box.top - 30, box.right + 30, box.bottom + 30)
        assert any(near.meets(piece) for piece in segments(ROUTES[edge.source, edge.target].points)), edge
