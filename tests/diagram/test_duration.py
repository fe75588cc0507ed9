from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.diagram.duration import in_words


@pytest.mark.parametrize(
    ("span_s", "words"),
    [
        (0, "0 s"),
        (0.0421, "0.04 s"),
        (0.996, "1.0 s"),
        (4.24, "4.2 s"),
        (9.96, "10 s"),
        (59.6, "1 m"),
        (190, "3 m 10 s"),
        (3600, "1 h"),
        (7260, "2 h 1 m"),
        (9 * 86400 + 2 * 3600, "9 d 2 h"),
        (400 * 86400, "400 d"),
        (20833 * 86400 + 8 * 3600, "20833 d"),
    ],
)
def test_a_span_is_said_in_at_most_two_units(span_s: float, words: str) -> None:
    """As fine as anybody wants it."""
    assert in_words(span_s) == words


@given(st.floats(0, 3e9))
def test_no_span_takes_much_room(span_s: float) -> None:
    """A line of a timeline has reckoned with ten characters."""
    assert 0 < len(in_words(span_s)) <= 10
