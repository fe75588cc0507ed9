"""The routes inside `applying`; test_layout measures that nothing lies on them."""

from __future__ import annotations

from itertools import pairwise

import pytest

from fwsm.core.update import State
from fwsm.diagram.applying import inside_applying
from fwsm.diagram.graph import Graph
from fwsm.diagram.label import Align
from fwsm.diagram.placement import Placement
from fwsm.diagram.routes import around_applying
from tests.diagram.extended import EXTENDED

GRAPHS = {name: Graph.of(lifecycle) for name, lifecycle in EXTENDED.items()}


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_every_edge_has_one_route(graph: Graph) -> None:
    """Those of the steps as well, and none is left over."""
    placed = Placement.of(graph)
    inside, around = inside_applying(placed), around_applying(placed)
    assert {(edge.source, edge.target) for edge in graph.edges} == inside.keys() | around.keys()
    assert not inside.keys() & around.keys()


def test_the_way_forward_leads_from_row_to_row() -> None:
    """Straight down, through each step where it is passed."""
    placed = Placement.of(GRAPHS["three"])
    routes = inside_applying(placed)
    child = State.child
    way = [
        State.DOWNLOAD_COMPLETE,
        child("backingUp"),
        State.INSTALLING,
        child("warningPeople"),
        State.REBOOTING,
        child("migratingData"),
        State.CONFIRMING,
        State.APPLY_COMPLETE,
    ]
    for source, target in pairwise(way):
        assert {point.x for point in routes[source, target].points} == {placed.main_x}


def test_who_needs_no_reboot_leaves_its_steps_out() -> None:
    """The way past them ends at the first state in which the new firmware is on trial."""
    route = inside_applying(Placement.of(GRAPHS["three"]))[State.INSTALLING, State.child("migratingData")]
    assert route.spot.align is Align.RIGHT
    assert min(point.x for point in route.points) == 178


@pytest.mark.parametrize(("graph", "side"), [("three", "above"), ("many", "above"), ("many", "below")])
def test_lines_side_by_side_do_not_cross(graph: str, side: str) -> None:
    """The nearer a row is to `rollingBack`, the nearer to it its line comes down or up, from inside."""
    placed = Placement.of(GRAPHS[graph])
    routes, rows = inside_applying(placed), placed.rows
    if side == "above":
        sources = [*rows[State.INSTALLING], *rows[State.REBOOTING][:-1]]
    else:
        sources = list(reversed(rows[State.CONFIRMING]))
    lanes = [routes[source, State.ROLLING_BACK].points[-1].x for source in sources]
    assert lanes == sorted(lanes, reverse=True)
    assert min(a - b for a, b in pairwise(lanes)) >= 6
