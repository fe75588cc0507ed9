"""Deadlines, whatever the clocks do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.moment import Deadline, Moment

WALL = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = Moment(WALL, 1000.0, "boot-1")

_walls = st.datetimes(timezones=st.just(UTC))
_moments = st.builds(Moment, wall=_walls, boottime_s=st.floats(0, 1e10), boot_id=st.sampled_from(["boot-1", "boot-2"]))
_spans = st.floats(-1e12, 1e12) | st.just(float("inf"))


@given(start=_moments, span_s=_spans, now=_moments)
def test_remaining_is_never_negative_nor_over_the_span(start: Moment, span_s: float, now: Moment) -> None:
    """However wrong a clock is, nobody waits longer than was said, nor less than nothing."""
    deadline = Deadline.after(start, span_s)
    assert 0.0 <= deadline.remaining_s(now) <= deadline.span_s == max(0.0, span_s)


@given(start=_moments, span_s=_spans, wall=_walls, passed_s=st.floats(0, 1e10))
def test_wall_clock_does_not_count_within_a_boot(start: Moment, span_s: float, wall: datetime, passed_s: float) -> None:
    """A time server that moves the clock by years moves no deadline."""
    deadline = Deadline.after(start, span_s)
    later = replace(start, boottime_s=start.boottime_s + passed_s)
    assert deadline.remaining_s(replace(later, wall=wall)) == deadline.remaining_s(later)


@given(start=_moments, span_s=_spans, now=_moments)
def test_anchored_deadline_has_the_same_time_left(start: Moment, span_s: float, now: Moment) -> None:
    """Anchoring changes the clock that counts, not what is left; afterwards the wall clock is out of it."""
    deadline = Deadline.after(start, span_s)
    anchored = deadline.anchored(now)
    assert anchored.boot_id == now.boot_id
    assert anchored.remaining_s(now) == pytest.approx(deadline.remaining_s(now), abs=1e-3)  # floats of this size
    assert anchored.anchored(now) is anchored


def test_deadline_falls_due_on_the_boot_clock() -> None:
    """So many seconds after it was set it is over, and stays over."""
    deadline = Deadline.after(NOW, 60.0)
    left_s = [deadline.remaining_s(replace(NOW, boottime_s=1000.0 + passed_s)) for passed_s in (0, 59, 60, 61)]
    assert left_s == [60.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("wall_passed_s", "left_s"), [(0, 60.0), (45, 15.0), (60, 0.0), (10**9, 0.0), (-(10**9), 60.0)]
)
def test_later_boot_trusts_the_wall_clock_within_bounds(wall_passed_s: int, left_s: float) -> None:
    """After a reboot wall time is the only witness: believed between nothing and the whole span."""
    now = Moment(WALL + timedelta(seconds=wall_passed_s), 3.0, "boot-2")
    assert Deadline.after(NOW, 60.0).remaining_s(now) == left_s


def test_clock_that_lost_years_delays_a_deadline_by_its_span_at_most() -> None:
    """A board without a battery starts in 1970: it waits the whole span once more, and then no longer."""
    in_1970 = Moment(datetime(1970, 1, 1, tzinfo=UTC), 3.0, "boot-2")
    anchored = Deadline.after(NOW, 60.0).anchored(in_1970)
    assert [anchored.remaining_s(replace(in_1970, boottime_s=at_s)) for at_s in (3.0, 62.0, 63.0)] == [60.0, 1.0, 0.0]


def test_deadline_that_says_it_was_set_in_the_future_is_put_off_once() -> None:
    """Within a boot the clock never runs backwards, so it comes from damage; a restart counts its span anew."""
    damaged = replace(Deadline.after(NOW, 60.0), boottime_s=1e9)
    anchored = damaged.anchored(NOW)
    assert [anchored.remaining_s(replace(NOW, boottime_s=at_s)) for at_s in (1000.0, 1059.0, 1060.0)] == [60.0, 1.0, 0]
    in_order = Deadline.after(NOW, 60.0)
    assert in_order.anchored(NOW) is in_order


@pytest.mark.parametrize("far_s", [1e300, float("inf")])
def test_deadline_that_is_farther_off_than_any_can_be_set_is_cut_off(far_s: float) -> None:
    """It comes from damage, in this boot or in another; one that is in order keeps its place."""
    damaged = replace(
        Deadline.after(NOW, 60.0), boottime_s=far_s, wall_at=NOW.wall + timedelta(days=9000), span_s=far_s
    )
    for now in (NOW, replace(NOW, boottime_s=3.0, boot_id="boot-2")):
        anchored = damaged.anchored(now, 600.0)
        assert anchored == Deadline.after(now, 600.0)
        assert anchored.anchored(now, 600.0) is anchored


@pytest.mark.parametrize("span_s", [1e12, float("inf")])
def test_span_beyond_the_calendar_ends_at_its_end(span_s: float) -> None:
    """A wait without end is a deadline like any other."""
    deadline = Deadline.after(NOW, span_s)
    assert deadline.wall_at == datetime.max.replace(tzinfo=UTC)
    assert deadline.remaining_s(NOW) == span_s
