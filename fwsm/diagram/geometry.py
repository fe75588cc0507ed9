"""Points, boxes and bent lines, in SVG's units: x to the right, y down, one unit a CSS pixel."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import NamedTuple

__all__ = ["Box", "Point", "rounded", "segments"]


class Point(NamedTuple):
    """A place on the canvas."""

    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Box:
    """An upright rectangle; without width or height it is a line."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def around(cls, centre: Point, width: float, height: float) -> Box:
        """The box of this size with its middle there."""
        return cls(centre.x - width / 2, centre.y - height / 2, centre.x + width / 2, centre.y + height / 2)

    @property
    def width(self) -> float:
        """How far it reaches from left to right."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """How far it reaches from top to bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> Point:
        """Its centre."""
        return Point((self.left + self.right) / 2, (self.top + self.bottom) / 2)

    def meets(self, other: Box) -> bool:
        """Whether the two share more than an edge; a line meets a box that it runs through."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Box) -> bool:
        """Whether the other lies wholly inside."""
        return (
            self.left <= other.left
            and other.right <= self.right
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def segments(points: tuple[Point, ...]) -> tuple[Box, ...]:
    """The straight pieces of an upright bent line, as boxes without width or height."""
    return tuple(Box(min(a.x, b.x), min(a.y, b.y), max(a.x, b.x), max(a.y, b.y)) for a, b in pairwise(points))


def rounded(points: tuple[Point, ...], radius: float) -> str:
    """SVG path data of a bent line whose corners are curves.

    A corner's curve takes `radius` from each side, or half of a side that is shorter than two corners.
    """
    data = [f"M{_pair(points[0])}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        data.append(
            f"L{_pair(_towards(corner, before, radius))}Q{_pair(corner)} {_pair(_towards(corner, after, radius))}"
        )
    return "".join([*data, f"L{_pair(points[-1])}"])


def _towards(start: Point, end: Point, length: float) -> Point:
    whole = hypot(end.x - start.x, end.y - start.y)
    part = min(length, whole / 2) / whole
    return Point(start.x + (end.x - start.x) * part, start.y + (end.y - start.y) * part)


def _pair(point: Point) -> str:
    return f"{point.x:g} {point.y:g}"
