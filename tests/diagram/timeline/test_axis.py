from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.timeline.axis import Axis, Room
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey

ROOM = Room(left=100, right=800, cut=80, least=9)
DAY_S = 86400.0


def test_time_is_to_scale() -> None:
    """But for what is so short that it would not be seen: that has the least width, and the axis knows what it is."""
    axis = Axis.of(told(*GOOD), ROOM)
    assert axis.entries[0] == 100
    assert axis.end == pytest.approx(800)
    assert not any(piece.cut for piece in axis.pieces)
    widths = {piece.span_s: piece.right - piece.left for piece in axis.pieces if piece.span_s}
    assert widths.pop(min(widths)) == ROOM.least
    (scale,) = {round(width / span_s, 6) for span_s, width in widths.items()}
    assert axis.widened_s == pytest.approx(ROOM.least / scale)


def test_all_is_to_scale_where_nothing_is_short() -> None:
    """Then nothing is to be said of it; nor where time has no length at all."""
    rows = ((0.0, ACCEPTED, State.WAITING), (30.0, Trigger.POLICY_ALLOWED, State.DOWNLOADING))
    axis = Axis.of(told(*rows, now_s=90.0), ROOM)
    assert axis.widened_s is None
    assert axis.entries[1] == pytest.approx(100 + 700 / 3)
    assert Axis.of(told(rows[0]), ROOM).widened_s is None


def test_a_long_wait_is_cut() -> None:
    """So nine days do not hide a minute of work; what is cut takes a fixed room."""
    axis = Axis.of(told(GOOD[0], *((at + 9 * DAY_S, *rest) for at, *rest in GOOD[1:])), ROOM)
    assert [piece.cut for piece in axis.pieces] == [True] + [False] * 8
    assert axis.pieces[0].right - axis.pieces[0].left == ROOM.cut


def test_a_wait_in_several_parts_is_cut_as_a_whole() -> None:
    """A restart in the middle of it does not make it short."""
    rows = (
        GOOD[0],
        (3 * DAY_S, Trigger.RESTARTED, State.WAITING),
        *((at + 9 * DAY_S, *rest) for at, *rest in GOOD[1:]),
    )
    assert [piece.cut for piece in Axis.of(told(*rows), ROOM).pieces] == [True, True] + [False] * 8


@pytest.mark.parametrize("seconds", [(0, 0.4, 300, 420), (0, 1, 9 * DAY_S), (0, 30, 100)])
def test_what_would_leave_nothing_to_see_is_not_cut(seconds: tuple[float, ...]) -> None:
    """Where the rest takes no time, or the wait is short, all of it is to scale."""
    rows = [(at_s, ACCEPTED if at_s == 0 else Trigger.POLICY_DEFERRED, State.WAITING) for at_s in seconds]
    assert not any(piece.cut for piece in Axis.of(told(*rows), ROOM).pieces)


def test_time_that_nobody_knows_is_cut() -> None:
    """The clock was set back."""
    rows = ((0, ACCEPTED, State.WAITING), (-500, Trigger.POLICY_ALLOWED, State.DOWNLOADING))
    first, second = Axis.of(told(*rows, now_s=-490), ROOM).pieces
    assert (first.cut, first.span_s) == (True, None)
    assert (second.cut, second.span_s) == (False, 10.0)


def test_an_incident_stands_where_it_happened() -> None:
    """In its boot, if the times cannot tell; never outside of the journey."""
    axis = Axis.of(told(*GOOD, incidents=[(12.0, "in the download"), (-50, "too early"), (9000, "too late")]), ROOM)
    assert axis.entries[3] < axis.incidents[0] < axis.entries[4]
    assert axis.entries[0] <= axis.incidents[1] < axis.entries[1]
    assert axis.incidents[2] <= axis.entries[7]  # the last entry of its boot is the one before the reboot


def test_there_is_an_axis_for_a_moment() -> None:
    """An update that was taken just now."""
    axis = Axis.of(told((0, ACCEPTED, State.WAITING)), ROOM)
    assert ROOM.left <= axis.entries[0] <= axis.end <= ROOM.right


@settings(max_examples=40)
@given(journeys())
def test_everything_stands_in_its_order_and_in_the_room(journey: Journey) -> None:
    """Whatever the clock did."""
    axis = Axis.of(journey, ROOM)
    assert axis.entries[0] == ROOM.left
    assert axis.end <= ROOM.right + 1e-6
    assert all(a <= b for a, b in pairwise((*axis.entries, axis.end)))
    assert all(a < b for a, b in pairwise(axis.entries))
    assert all(a.right == b.left for a, b in pairwise(axis.pieces))
    assert all(ROOM.left <= at <= axis.end for at in axis.incidents)
