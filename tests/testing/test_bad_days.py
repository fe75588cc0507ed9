"""The bad days by name: each can be played, and each says what it is."""

from __future__ import annotations

from fwsm.testing.bad_days import BadDay
from fwsm.testing.rehearsal import FAULTS


def test_each_bad_day_can_be_played_and_none_is_played_that_has_no_name() -> None:
    """Under its name on the command line, with a story of its own."""
    assert [*FAULTS] == [*BadDay]
    assert FAULTS["power-cut"] is FAULTS[BadDay("power-cut")]  # type: ignore[index]  # the name is as good as the day
    assert len({day.story for day in BadDay}) == len(BadDay)
