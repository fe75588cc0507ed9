"""From what a program has written to what the screen showed, picture by picture. The terminal is pyte's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

import pyte

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyte.screens import Char

    from docs.recording.capture import Capture

__all__ = ["Frame", "Row", "Run", "frames"]

# What comes within so short a time is one picture.
_AT_ONCE_S = 0.05


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one look.

    Attributes:
        column: of the first, from 0.
        text: the characters.
        colour: by its name in pyte; "default" for none.
        bold: whether they are.
    """

    column: int
    text: str
    colour: str
    bold: bool


Row: TypeAlias = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture: from when on it was to be seen, in seconds, and its rows."""

    at_s: float
    rows: tuple[Row, ...]

    @property
    def lines(self) -> list[str]:
        """The text alone."""
        return ["".join(run.text for run in _filled(row)) for row in self.rows]


def frames(capture: Capture, *, prompt: str = "", longest_pause_s: float = 1.0) -> list[Frame]:
    """Play what was captured; pauses are shortened to `longest_pause_s`, and nothing else is changed.

    Args:
        capture: what a program has written.
        prompt: what stands above it, such as the command that was typed.
        longest_pause_s: in seconds.
    """
    screen = pyte.Screen(capture.size.columns, capture.size.rows)
    stream = pyte.Stream(screen)
    if prompt:
        stream.feed(f"{prompt}\r\n")
    shown = [Frame(0.0, _rows(screen))]
    at_s = last_s = 0.0
    for written in capture.written:
        at_s += min(written.at_s - last_s, longest_pause_s)
        last_s = written.at_s
        stream.feed(written.text)
        rows = _rows(screen)
        if rows == shown[-1].rows:
            continue
        if len(shown) > 1 and at_s - shown[-1].at_s < _AT_ONCE_S:
            shown[-1] = Frame(shown[-1].at_s, rows)
        else:
            shown.append(Frame(at_s, rows))
    return shown


def _rows(screen: pyte.Screen) -> tuple[Row, ...]:
    return tuple(tuple(_runs([screen.buffer[y][x] for x in range(screen.columns)])) for y in range(screen.lines))


def _runs(characters: list[Char]) -> Iterator[Run]:
    column = 0
    for (colour, bold), group in groupby(characters, lambda one: (one.fg, one.bold)):
        text = "".join(one.data for one in group)
        words = text.strip(" ")
        if words:
            yield Run(column + len(text) - len(text.lstrip(" ")), words, colour, bold)
        column += len(text)


def _filled(row: Row) -> Iterator[Run]:
    """A row with the blanks between its runs."""
    end = 0
    for run in row:
        yield Run(end, " " * (run.column - end), "default", bold=False)
        yield run
        end = run.column + len(run.text)
