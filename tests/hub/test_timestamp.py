"""Time as the hub writes it."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.timestamp import NEVER, timestamp


def test_timestamp_has_seven_digits_and_a_zone() -> None:
    """The form is that of the service."""
    assert timestamp(1_700_000_000.123456) == "2023-11-14T22:13:20.1234560Z"


@given(st.integers(0, 4_000_000_000))
def test_timestamps_sort_as_time_does(at: int) -> None:
    """Later is larger, and everything is after never."""
    assert NEVER < timestamp(at) < timestamp(at + 1)
    assert datetime.fromisoformat(timestamp(at)).timestamp() == at
