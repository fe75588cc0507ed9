from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.timeline.axis import Axis, Room
from fwsm.diagram.timeline.ticks import ticks
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey

ROOM = Room(left=0, right=700, cut=80, least=9)


@pytest.mark.parametrize(
    ("span_s", "labels"),
    [
        (0.8, ["12:00:00.0", "12:00:00.1"]),
        (0.05, ["12:00:00.00", "12:00:00.01"]),
        (50, ["12:00:00", "12:00:10"]),
        (3600, ["12:00", "12:10"]),
        (9 * 86400, ["2026-05-05", "2026-05-07"]),
    ],
)
def test_times_are_round(span_s: float, labels: list[str]) -> None:
    """From hundredths of a second to days."""
    found = ticks(Axis.of(told((0, ACCEPTED, State.WAITING), now_s=span_s), ROOM), apart=84)
    assert [tick.label for tick in found[:2]] == labels


def test_a_date_stands_where_it_changes() -> None:
    """Once below the first time of each day."""
    found = ticks(Axis.of(told((0, ACCEPTED, State.WAITING), now_s=86400), ROOM), apart=84)
    assert [(tick.label, tick.date) for tick in found if tick.date] == [
        ("12:00", "2026-05-04"),
        ("00:00", "2026-05-05"),
    ]


def test_a_stretch_too_short_for_a_round_time_tells_its_beginning() -> None:
    """Between two cuts, or before one."""
    rows = (GOOD[0], *((at + 900_000, *rest) for at, *rest in GOOD[1:]))
    found = ticks(Axis.of(told(*rows), ROOM), apart=84)
    assert found[0].date == "2026-05-14"
    jumped = told((0.3, ACCEPTED, State.WAITING), (-500, Trigger.POLICY_ALLOWED, State.DOWNLOADING), now_s=-499.9)
    assert [tick.label for tick in ticks(Axis.of(jumped, ROOM), apart=800)] == ["11:51:40"]


@settings(max_examples=40)
@given(journeys())
def test_times_stand_apart_and_on_the_axis(journey: Journey) -> None:
    """In order."""
    axis = Axis.of(journey, ROOM)
    found = ticks(axis, apart=84)
    assert all(b.at - a.at >= 84 for a, b in pairwise(found))
    assert all(-1e-6 <= tick.at <= axis.end + 1e-6 for tick in found)
    assert len(found) <= 9
