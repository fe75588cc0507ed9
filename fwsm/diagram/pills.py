"""Where the counts of the edges stand: on their line if there is room, else as near to it as there is.

Unlike labels, they come and go with the device. So each looks for its own place, among all that stands there already.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product
from math import hypot
from typing import TYPE_CHECKING, Final

from fwsm.diagram.geometry import Box, Point, segments
from fwsm.diagram.label import Label
from fwsm.diagram.placement import COMPOSITES, END_MARKS, LEGEND, SIZE, START_MARK, STATES
from fwsm.diagram.routes import ROUTES, route_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fwsm.diagram.graph import Edge

__all__ = ["HEIGHT", "placed"]

HEIGHT: Final = 15.0
_ADVANCE: Final = 6.2  # a character of 10 pixels, in the widest common monospaced font
_PADDING: Final = 5.0
_GAP: Final = 3.0
_STEP: Final = 6
_PAGE: Final = Box(4, 4, SIZE.x - 4, SIZE.y - 4)
_REACH: Final = 96  # how far from its line a count may stand


def placed(edges: Sequence[Edge], words: Mapping[Edge, str]) -> dict[Edge, Box]:
    """A place for the words of each edge that has some. What finds none, which no test has seen, is left out.

    Args:
        edges: all that are drawn.
        words: what is to stand there.
    """
    standing = _standing(edges)
    found: dict[Edge, Box] = {}
    for edge, text in words.items():
        lines = [piece for other in edges if other != edge for piece in _line(other)]
        taken = [*standing, *lines, *(_wider(other, _GAP) for other in found.values())]
        width = len(text) * _ADVANCE + 2 * _PADDING
        free = (box for box in _nearest(edge, width) if _PAGE.holds(box) and not any(map(box.meets, taken)))
        box = next(free, None)
        if box is not None:
            found[edge] = box
    return found


def _standing(edges: Sequence[Edge]) -> list[Box]:
    """What a count keeps off, lines aside."""
    labels = [Label.of(edge, route_of(edge).spot).box for edge in edges]
    marks = [Box.around(point, 20, 20) for point in (START_MARK[0], *(points[1] for points in END_MARKS.values()))]
    ends = [piece for points in (START_MARK, *END_MARKS.values()) for piece in segments(points)]
    frames = [side for box in COMPOSITES.values() for side in segments(_corners(box))]
    names = [Box(box.left, box.top, box.left + 110, box.top + 36) for box in COMPOSITES.values()]
    legend = Box(LEGEND.x, LEGEND.y - 12, SIZE.x, SIZE.y)
    return [_wider(box, _GAP) for box in (*STATES.values(), *labels, *marks, *ends, *frames, *names, legend)]


def _line(edge: Edge) -> tuple[Box, ...]:
    return segments(ROUTES[edge.source, edge.target].points)


def _nearest(edge: Edge, width: float) -> Iterator[Box]:
    """Boxes on the edge's line, from the middle of it outwards, then ever further off."""
    points = _along(route_of(edge).points)
    for across, down in _offsets():
        for point in points:
            yield Box.around(Point(point.x + across, point.y + down), width, HEIGHT)


@cache
def _offsets() -> tuple[tuple[int, int], ...]:
    steps = range(-_REACH, _REACH + 1, _STEP)
    return tuple(sorted(product(steps, steps), key=lambda step: (hypot(*step), step)))


def _along(points: tuple[Point, ...]) -> list[Point]:
    """Points on a line, those near its middle first."""
    dense: list[Point] = []
    for a, b in pairwise(points):
        count = max(1, int(hypot(b.x - a.x, b.y - a.y) // _STEP))
        dense += [Point(a.x + (b.x - a.x) * n / count, a.y + (b.y - a.y) * n / count) for n in range(count + 1)]
    order = sorted(range(len(dense)), key=lambda number: (abs(number - len(dense) // 2), number))
    return [dense[number] for number in order]


def _corners(box: Box) -> tuple[Point, ...]:
    left_top, right_bottom = Point(box.left, box.top), Point(box.right, box.bottom)
    return left_top, Point(box.right, box.top), right_bottom, Point(box.left, box.bottom), left_top


def _wider(box: Box, by: float) -> Box:
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)
