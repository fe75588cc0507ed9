"""Room for labels; test_layout measures that there is enough."""

from __future__ import annotations

import pytest

from fwsm.core.lifecycle import Extension, Lifecycle, Row, Trigger
from fwsm.core.update import State
from fwsm.diagram.applying import inside_applying
from fwsm.diagram.graph import Graph
from fwsm.diagram.placement import Placement, Stretch
from fwsm.diagram.room import room_for
from fwsm.diagram.routes import around_applying
from tests.diagram.extended import tampered, the_battery_would_not_last_till_the_end_of_it
from tests.diagram.journeys import LIFECYCLE


def _room(lifecycle: Lifecycle) -> Stretch:
    graph = Graph.of(lifecycle)
    placed = Placement.of(graph)
    return room_for(graph.edges, placed, {**around_applying(placed), **inside_applying(placed)})


def test_the_built_in_picture_needs_none() -> None:
    """It has been placed for its labels."""
    assert _room(LIFECYCLE) == Stretch()


@pytest.mark.parametrize(
    ("row", "across", "down"),
    [
        (Row(Trigger.POLICY_ALLOWED, State.WAITING, State.DOWNLOAD_FAILED, (tampered,)), [], [72]),
        (Row(Trigger.INSTALLED, State.INSTALLING, State.CONFIRMING, (tampered,)), [], []),
        (
            Row(Trigger.INSTALLED, State.INSTALLING, State.REBOOTING, (the_battery_would_not_last_till_the_end_of_it,)),
            [510],
            [703],
        ),
        (
            Row(
                Trigger.INSTALLED, State.INSTALLING, State.CONFIRMING, (the_battery_would_not_last_till_the_end_of_it,)
            ),
            [60],
            [],
        ),
    ],
    ids=["higher", "small", "higher and wider", "wider at the left"],
)
def test_a_label_asks_for_what_it_lacks(row: Row, across: list[float], down: list[float]) -> None:
    """In the direction in which it has grown, and only if it has no room yet."""
    room = _room(Lifecycle(extension=Extension(rows=(row,))))
    assert (list(room.across), list(room.down)) == (across, down)
    assert all(by > 0 for by in [*room.across.values(), *room.down.values()])
