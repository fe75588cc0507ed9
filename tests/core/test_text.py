"""Text that fits."""

from __future__ import annotations

from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.text import cut, is_seen, said_by, when


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("exactly10!", "exactly10!"),
        ("eleven char", "eleven ch…"),
        ("a\x00b\nc\x1bd", "a b c d"),
        ("\udcff", " "),
        ("\u202eexe.\u200b", " exe. "),
        ("naïve «日本»", "naïve «日本»"),
    ],
)
def test_what_cannot_be_printed_is_blank_and_the_rest_stays(text: str, shown: str) -> None:
    """Control characters, half surrogate pairs, marks of direction and of no width; at most ten characters here."""
    assert cut(text, 10) == shown


@pytest.mark.parametrize("text", ["", "1.2 «beta»", "日本", "e\u0301", "😀"])
def test_what_has_a_shape_is_seen(text: str) -> None:
    """Letters of any script, and the marks on them."""
    assert is_seen(text)


@pytest.mark.parametrize(
    "mark", ["\n", "\x7f", "\u00ad", "\u200b", "\u202e", "\u2800", "\u3164", "\ufe0f", "\U000e0101", "\ud800"]
)
def test_what_has_no_shape_is_not_seen(mark: str) -> None:
    """Two texts that differ in such a mark look the same."""
    assert not is_seen(f"1{mark}2")


@given(st.text(st.characters()), st.integers(1, 50))
def test_whatever_comes_it_can_be_stored_and_shown(text: str, length: int) -> None:
    """It is UTF-8, has one line, and is no longer than it may be."""
    shown = cut(text, length)
    assert len(shown) <= length
    assert shown.encode().decode() == shown
    assert shown.isprintable()


class Speechless(Exception):  # noqa: N818  # it is somebody else's
    """Its text cannot be made."""

    def __str__(self) -> NoReturn:
        """Fail."""
        raise TypeError


def test_an_error_says_something_whatever_is_wrong_with_it() -> None:
    """Whoever wants to tell of a failure must not meet another one."""
    assert said_by(ValueError("no")) == "no"
    assert said_by(Speechless()) == "(its text cannot be made: TypeError)"


@pytest.mark.parametrize(
    ("pause_s", "told"),
    [(0.0, "at once"), (0.049, "at once"), (0.051, "in 0.1 s"), (1.0, "in 1.0 s"), (61.26, "in 61.3 s")],
)
def test_a_pause_that_nobody_notices_is_none(pause_s: float, told: str) -> None:
    """Nothing is told to come in 0.0 s."""
    assert when(pause_s) == told
