"""Time as the hub writes it."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.timestamp import NEVER, moment, timestamp


def test_timestamp_has_seven_digits_and_a_zone() -> None:
    """The form is that of the service."""
    assert timestamp(1_700_000_000.123456) == "2023-11-14T22:13:20.1234560Z"


@given(st.integers(0, 4_000_000_000))
def test_timestamps_sort_as_time_does(at: int) -> None:
    """Later is larger, and everything is after never."""
    assert NEVER < timestamp(at) < timestamp(at + 1)
    assert datetime.fromisoformat(timestamp(at)).timestamp() == at


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2023-11-14T22:13:20.1234567Z", 1_700_000_000.123456),
        ("2023-11-14T22:13:20", 1_700_000_000.0),
        ("2023-11-15T00:13:20+02:00", 1_700_000_000.0),
        (NEVER, -62_135_596_800.0),
    ],
)
def test_time_is_read_as_clients_write_it(text: str, at: float) -> None:
    """With any number of digits, with a zone or in UTC."""
    assert moment(text) == at


def test_other_text_is_no_time() -> None:
    """The caller says what it was meant to be."""
    with pytest.raises(ValueError, match="soon"):
        moment("soon")
