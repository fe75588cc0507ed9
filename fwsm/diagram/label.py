"""What stands beside an edge: its triggers, and below each, smaller, its guards.

Triggers and guards are set in a monospaced type, whose widths can be known without the font: 0.6 of the size in all
common ones, 0.62 in the widest. So a label has a box, and a test can prove that nothing runs through it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.diagram.geometry import Box
from fwsm.diagram.graph import Way, guards_of, way_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.core.lifecycle import Row
    from fwsm.diagram.geometry import Point
    from fwsm.diagram.graph import Edge

__all__ = ["Align", "Label", "Line", "Spot"]

_ADVANCE: Final = 0.62  # of the size, a character of the widest common monospaced font
_TRIGGER_SIZE: Final = 12.0
_GUARD_SIZE: Final = 10.0
_LEADING: Final = 1.3  # of the size, from line to line
_MARK_WIDTH: Final = 14.0  # the little sign before a restart or a command


class Align(enum.StrEnum):
    """Which side of a label stands at its spot. The values are SVG's `text-anchor`."""

    LEFT = "start"
    RIGHT = "end"


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a label stands: the corner of it that does not move when rows come or go.

    Attributes:
        at: the corner.
        align: whether it is a left or a right one.
        up: whether it is the bottom, so that the label grows upwards.
    """

    at: Point
    align: Align = Align.LEFT
    up: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a label.

    Attributes:
        text: what it says.
        way: what kind of trigger it belongs to.
        guard: whether it is part of a guard and so in smaller type.
    """

    text: str
    way: Way
    guard: bool = False

    @property
    def size(self) -> float:
        """Font size."""
        return _GUARD_SIZE if self.guard else _TRIGGER_SIZE

    @property
    def marked(self) -> bool:
        """Whether a sign stands before it."""
        return self.way is not Way.FACT and not self.guard

    @property
    def indent(self) -> float:
        """How far its text stands in from the left of the label."""
        return 0.0 if self.way is Way.FACT else _MARK_WIDTH

    @property
    def width(self) -> float:
        """How wide it is at most, with its indent."""
        return self.indent + len(self.text) * self.size * _ADVANCE

    @property
    def height(self) -> float:
        """How much room it takes from top to bottom."""
        return self.size * _LEADING


@dataclass(frozen=True, slots=True)
class Label:
    """The lines beside an edge, and where they stand."""

    lines: tuple[Line, ...]
    box: Box

    @classmethod
    def of(cls, edge: Edge, spot: Spot) -> Label:
        """The label of an edge at its spot."""
        lines = tuple(line for row in edge.rows for line in _lines(row))
        width = max(line.width for line in lines)
        height = sum(line.height for line in lines)
        left = spot.at.x if spot.align is Align.LEFT else spot.at.x - width
        top = spot.at.y - height if spot.up else spot.at.y
        return cls(lines, Box(left, top, left + width, top + height))

    def placed(self) -> Iterator[tuple[Line, float]]:
        """Each line with the y of its baseline."""
        top = self.box.top
        for line in self.lines:
            yield line, top + line.size
            top += line.height


def _lines(row: Row) -> Iterator[Line]:
    way = way_of(row.trigger)
    yield Line(row.trigger.value, way)
    guards = guards_of(row)
    for number, guard in enumerate(guards, start=1):
        opening = "[" if number == 1 else " "
        closing = "]" if number == len(guards) else ","
        yield Line(f"{opening}{guard}{closing}", way, guard=True)
