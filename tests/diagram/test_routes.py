"""The routes around `applying`; test_layout measures that nothing lies on them."""

from __future__ import annotations

from fwsm.core.update import State
from fwsm.diagram.graph import Graph
from fwsm.diagram.placement import Placement, Stretch
from fwsm.diagram.routes import around_applying
from tests.diagram.journeys import LIFECYCLE

GRAPH = Graph.of(LIFECYCLE)


def test_they_are_those_that_have_no_end_in_applying_and_no_part_of_it() -> None:
    """All of these are placed, and the retry from `applyFailed` belongs to the others."""
    outside = {
        (edge.source, edge.target)
        for edge in GRAPH.edges
        if "applying" not in {edge.source.status, edge.target.status} and edge.source is not State.APPLY_FAILED
    }
    assert set(around_applying(Placement.of(GRAPH))) == outside


def test_they_have_the_same_corners_wherever_the_picture_is_stretched() -> None:
    """Room for a label moves them, and changes none."""
    rooms = Stretch(), Stretch({510: 100, 645: 7}, {72: 31, 372: 3})
    before, after = (around_applying(Placement.of(GRAPH, room)) for room in rooms)
    assert [len(route.points) for route in before.values()] == [len(route.points) for route in after.values()]
    assert before != after
