"""From bytes to pictures: what stood on the screen, in which colours, and for how long."""

from __future__ import annotations

import pytest

from docs.recording.capture import Capture, Size, Written
from docs.recording.screen import Run, frames

SIZE = Size(20, 3)


def played(*written: tuple[float, str]) -> Capture:
    """A capture of these texts."""
    return Capture(SIZE, tuple(Written(at_s, text) for at_s, text in written), 0)


def test_colours_and_columns_are_those_of_the_screen() -> None:
    """Neighbours of one look are one run; blanks at either end of it are left out."""
    frame = frames(played((0.5, "a \x1b[31;1m red \x1b[0m b")))[-1]
    assert frame.rows[0] == (
        Run(0, "a", "default", bold=False),
        Run(3, "red", "red", bold=True),
        Run(8, "b", "default", bold=False),
    )
    assert frame.lines == ["a  red  b", "", ""]


def test_the_screen_scrolls_and_can_be_written_over() -> None:
    """As a terminal does it: the prompt is gone at last, and a carriage return begins the line again."""
    shown = frames(played((0.1, "one\r\n"), (0.3, "two\r\n"), (0.5, "12 %\r99 %")), prompt="$ it")
    assert [frame.lines for frame in shown] == [
        ["$ it", "", ""],
        ["$ it", "one", ""],
        ["one", "two", ""],
        ["one", "two", "99 %"],
    ]


def test_pauses_are_shortened_and_nothing_else() -> None:
    """A longer one lasts as long as the longest; what comes at once is one picture; what changes nothing is none."""
    shown = frames(played((0.4, "a"), (0.41, "b"), (0.9, "\x1b[0m"), (30.0, "c")), longest_pause_s=1.0)
    assert [frame.lines[0] for frame in shown] == ["", "ab", "abc"]
    assert [frame.at_s for frame in shown] == pytest.approx([0.0, 0.4, 1.9])
