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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fwsm.diagram.graph import Edge
    from fwsm.diagram.layout import Layout
    from fwsm.diagram.lines import Route

__all__ = ["HEIGHT", "pills"]

HEIGHT: Final = 15.0
_ADVANCE: Final = 6.2  # a character of 10 pixels, in the widest common monospaced font
_PADDING: Final = 5.0
_GAP: Final = 3.0
_STEP: Final = 6
# How far it keeps from labels, whose letters it should not seem to belong to, and how far from its line it may stand
# for that: what finds no place so comes closer to a label rather than lose its line.
_WAYS_OUT: Final = ((9.0, 24), (3.0, 96))


def pills(layout: Layout, edges: Sequence[Edge], words: Mapping[Edge, str]) -> dict[Edge, Box]:
    """A place for the words of each edge that has some. What finds none, which no test has seen, is left out.

    Args:
        layout: of the picture.
        edges: all that are drawn.
        words: what is to stand there.
    """
    standing = [_standing(layout, edges, gap) for gap, _ in _WAYS_OUT]
    page = Box(4, 4, layout.placed.size.x - 4, layout.placed.size.y - 4)
    found: dict[Edge, Box] = {}
    for edge, text in words.items():
        lines = [piece for other in edges if other != edge for piece in segments(layout.route_of(other).points)]
        taken = [*lines, *(_wider(other, _GAP) for other in found.values())]
        width = len(text) * _ADVANCE + 2 * _PADDING
        free = (
            box
            for there, (_, reach) in zip(standing, _WAYS_OUT, strict=True)
            for box in _nearest(layout.route_of(edge), width, reach)
            if page.holds(box) and not any(map(box.meets, [*there, *taken]))
        )
        box = next(free, None)
        if box is not None:
            found[edge] = box
    return found


def _standing(layout: Layout, edges: Sequence[Edge], from_labels: float) -> list[Box]:
    """What a count keeps off, lines aside; so far from labels."""
    placed, legend_at = layout.placed, layout.placed.legend
    labels = [Label.of(edge, layout.route_of(edge).spot).box for edge in edges]
    marks = [
        Box.around(point, 20, 20)
        for point in (placed.start_mark[0], *(points[1] for points in placed.end_marks.values()))
    ]
    arrows = [piece for points in (placed.start_mark, *placed.end_marks.values()) for piece in segments(points)]
    frames = [side for box in placed.composites.values() for side in segments(_corners(box))]
    names = [Box(box.left, box.top, box.left + 110, box.top + 36) for box in placed.composites.values()]
    legend = Box(legend_at.x, legend_at.y - 12, *placed.size)
    others = (*placed.states.values(), *marks, *arrows, *frames, *names, legend)
    return [*(_wider(box, from_labels) for box in labels), *(_wider(box, _GAP) for box in others)]


def _nearest(route: Route, width: float, reach: int) -> Iterator[Box]:
    """Boxes on the edge's line, from the middle of its longest piece outwards, then ever further off."""
    points = _along(route.points)
    for across, down in _offsets(reach):
        for point in points:
            yield Box.around(Point(point.x + across, point.y + down), width, HEIGHT)


@cache
def _offsets(reach: int) -> tuple[tuple[int, int], ...]:
    steps = range(-reach, reach + 1, _STEP)
    return tuple(sorted(product(steps, steps), key=lambda step: (hypot(*step), step)))


def _along(points: tuple[Point, ...]) -> list[Point]:
    """Points on a line, those near the middle of its longest piece first."""
    dense: list[Point] = []
    longest, middle = 0.0, 0
    for a, b in pairwise(points):
        if hypot(b.x - a.x, b.y - a.y) > longest:
            longest = hypot(b.x - a.x, b.y - a.y)
            middle = len(dense) + int(longest // _STEP) // 2
        count = max(1, int(hypot(b.x - a.x, b.y - a.y) // _STEP))
        dense += [Point(a.x + (b.x - a.x) * n / count, a.y + (b.y - a.y) * n / count) for n in range(count + 1)]
    order = sorted(range(len(dense)), key=lambda number: (abs(number - middle), number))
    return [dense[number] for number in order]


def _corners(box: Box) -> tuple[Point, ...]:
    left_top, right_bottom = Point(box.left, box.top), Point(box.right, box.bottom)
    return left_top, Point(box.right, box.top), right_bottom, Point(box.left, box.bottom), left_top


def _wider(box: Box, by: float) -> Box:
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)
