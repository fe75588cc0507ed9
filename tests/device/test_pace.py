"""How often progress is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.device.pace import Pace
from fwsm.testing.clock import FakeClock


def _percent(percent: int) -> dict[str, Any]:
    return {"bytes": percent * 1000, "totalBytes": 100_000, "percent": percent}


@pytest.fixture
def clock() -> FakeClock:
    """Time that passes when it is told to."""
    return FakeClock()


def test_two_are_never_close_together(clock: FakeClock) -> None:
    """However fast the download is."""
    pace = Pace(5.0)
    assert pace.wait_s(_percent(0), clock.now()) == 0.0
    pace.tell(_percent(0), clock.now())
    assert pace.wait_s(_percent(90), clock.now()) == pytest.approx(5.0)
    clock.advance(5.0)
    assert pace.wait_s(_percent(90), clock.now()) == 0.0


def test_what_hardly_moves_is_told_rarely_and_is_told(clock: FakeClock) -> None:
    """Less than five percent more waits for five minutes."""
    pace = Pace(5.0)
    pace.tell(_percent(10), clock.now())
    clock.advance(5.0)
    assert pace.wait_s(_percent(14), clock.now()) == pytest.approx(295.0)
    assert pace.wait_s(_percent(15), clock.now()) == 0.0
    clock.advance(295.0)
    assert pace.wait_s(_percent(10), clock.now()) == 0.0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (_percent(98), _percent(100)),  # the end
        (_percent(60), _percent(0)),  # from the beginning again
        ({"bytes": 1000}, {"bytes": 1051}),  # of how much is not known
        ({"bytes": 1000}, {"bytes": 0}),
        ({"bytes": 0}, {"bytes": 1}),
    ],
)
def test_what_people_want_to_know_does_not_wait_for_long(
    clock: FakeClock, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """It is a step."""
    pace = Pace(5.0)
    pace.tell(before, clock.now())
    clock.advance(5.0)
    assert pace.wait_s(after, clock.now()) == 0.0


def test_another_download_begins_with_a_step(clock: FakeClock) -> None:
    """At whatever percentage it goes on."""
    pace = Pace(5.0)
    pace.tell(_percent(40), clock.now())
    pace.begin()
    clock.advance(5.0)
    assert pace.wait_s(_percent(41), clock.now()) == 0.0


def test_a_hub_that_asks_for_patience_gets_it(clock: FakeClock) -> None:
    """Steps wait as well."""
    pace = Pace(5.0)
    pace.tell(_percent(0), clock.now())
    pace.spare(60.0, clock.now())
    assert pace.wait_s(_percent(50), clock.now()) == pytest.approx(60.0)


@given(st.lists(st.tuples(st.integers(0, 100), st.floats(0.01, 20.0)), max_size=300))
def test_a_download_is_told_in_some_twenty_steps_and_one_for_each_five_minutes(moves: list[tuple[int, float]]) -> None:
    """However it goes on, as long as it goes on."""
    pace, clock, told, percent, passed_s = Pace(5.0), FakeClock(), 0, 0, 0.0
    for further, seconds in moves:
        clock.advance(seconds)
        passed_s += seconds
        percent = max(percent, further)
        if pace.wait_s(_percent(percent), clock.now()) == 0.0:
            pace.tell(_percent(percent), clock.now())
            told += 1
    assert told <= 22 + passed_s / 300.0
    assert told <= 1 + passed_s / 5.0
