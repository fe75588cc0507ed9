"""How the edges to, from and between the children of `applying` run, and where their labels stand.

Each child on the way forward has a row, the steps of an extension as well, and the rows follow one rule. Where several
of them lead to the same state, their lines run side by side, the nearer row inside, so that none of these cross. What
has to cross is the way of firmware that fell back: it passes what leads from the rows below it to `rollingBack`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.geometry import Point
from fwsm.diagram.label import Align, Spot
from fwsm.diagram.lines import BESIDE, LOOP, Route, again, bent, down, over

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.diagram.placement import Placement

__all__ = ["inside_applying"]

_LANE: Final = 12.0  # from one line to the next beside it
_ROLLBACK_LANES: Final = 60.0  # how much of the state they may take up together
_FAILED_LANES: Final = 42.0


def inside_applying(placed: Placement) -> dict[tuple[State, State], Route]:
    """The routes of all edges that lead to, from or between the children of `applying`."""
    return dict([*_forward(placed), *_loops(placed), *_back(placed), *_to_the_end(placed)])


def _forward(placed: Placement) -> Iterator[tuple[tuple[State, State], Route]]:
    s, boxes = State, placed.states
    way = [s.DOWNLOAD_COMPLETE, *(state for row in placed.rows.values() for state in row), s.APPLY_COMPLETE]
    for source, target in pairwise(way):
        label_y = None
        if source is s.REBOOTING:
            label_y = boxes[source].bottom + 50
        elif source is s.CONFIRMING:
            label_y = placed.y(952)
        yield (source, target), down(placed, source, target, label_y)
    installing, trial = boxes[s.INSTALLING], placed.rows[s.CONFIRMING][0]
    skip_x, out_y, in_y = placed.x(178), installing.middle.y + 14, boxes[trial].middle.y - 14
    yield (
        (s.INSTALLING, trial),
        bent(
            (installing.left, out_y),
            (skip_x, out_y),
            (skip_x, in_y),
            (boxes[trial].left, in_y),
            label=Spot(Point(skip_x - BESIDE, installing.middle.y + 100), Align.RIGHT),
        ),
    )


def _loops(placed: Placement) -> Iterator[tuple[tuple[State, State], Route]]:
    s = State
    for state in placed.rows[s.INSTALLING]:
        yield (state, state), again(placed, state, out=-14, back=2, up=True)
    for state in placed.rows[s.REBOOTING]:
        yield (state, state), again(placed, state, out=-8, back=8)
    for state in placed.rows[s.CONFIRMING]:
        yield (state, state), again(placed, state, out=-2, back=14)
    rolling_back = placed.states[s.ROLLING_BACK]
    x, top = rolling_back.middle.x + 14, rolling_back.top
    yield (
        (s.ROLLING_BACK, s.ROLLING_BACK),
        bent((x, top), (x, top - LOOP), (x + 20, top - LOOP), (x + 20, top), label=over(x - 4, top - LOOP)),
    )


def _back(placed: Placement) -> Iterator[tuple[tuple[State, State], Route]]:
    """What leads to `rollingBack`: from above into its top, from beside it, from below into its bottom."""
    s, boxes = State, placed.states
    rolling_back, rebooting, label_x = boxes[s.ROLLING_BACK], boxes[s.REBOOTING], placed.x(545)
    into_x = rolling_back.middle.x - 24
    above = [*placed.rows[s.INSTALLING], *placed.rows[s.REBOOTING][:-1]]
    below = placed.rows[s.CONFIRMING]
    for number, state in enumerate(above):
        box, x = boxes[state], into_x - _aside(number, len(above))
        points = (box.right, box.middle.y), (x, box.middle.y), (x, rolling_back.top)
        yield (state, s.ROLLING_BACK), bent(*points, label=over(label_x, box.middle.y))
    beside_y = rebooting.middle.y - 8
    yield (
        (s.REBOOTING, s.ROLLING_BACK),
        bent((rebooting.right, beside_y), (rolling_back.left, beside_y), label=over(label_x, beside_y)),
    )
    for number, state in enumerate(below):
        box, x = boxes[state], into_x + _aside(number, len(below))
        y = box.middle.y - 12
        points = (box.right, y), (x, y), (x, rolling_back.bottom)
        yield (state, s.ROLLING_BACK), bent(*points, label=over(label_x, y))


def _to_the_end(placed: Placement) -> Iterator[tuple[tuple[State, State], Route]]:
    """What leads to `applyFailed`, and the retry from there."""
    s, boxes = State, placed.states
    rebooting, rolling_back, failed = boxes[s.REBOOTING], boxes[s.ROLLING_BACK], boxes[s.APPLY_FAILED]
    aside_x, below_y, label_x = placed.x(527), placed.y(792), rolling_back.middle.x + 6
    left_x, retry_y, retry_in_x = failed.middle.x - 24, placed.y(40), placed.main_x + 36
    yield (
        (s.REBOOTING, s.APPLY_FAILED),
        bent(
            (rebooting.right, rebooting.middle.y + 10),
            (aside_x, rebooting.middle.y + 10),
            (aside_x, below_y),
            (left_x, below_y),
            (left_x, failed.bottom),
            label=over(label_x, below_y),
        ),
    )
    on_trial = placed.rows[s.CONFIRMING]
    for number, state in enumerate(on_trial):
        box, y = boxes[state], boxes[state].middle.y + 12
        apart = min(_LANE, _FAILED_LANES / max(1, len(on_trial) - 1))
        x = failed.middle.x + (18 + number * apart if len(on_trial) > 1 else 24)  # right of the end mark
        yield (
            (state, s.APPLY_FAILED),
            bent((box.right, y), (x, y), (x, failed.bottom), label=over(label_x, y)),
        )
    yield (
        (s.ROLLING_BACK, s.APPLY_FAILED),
        bent(
            (rolling_back.right, rolling_back.middle.y),
            (failed.left, failed.middle.y),
            label=over(placed.x(902), failed.middle.y),
        ),
    )
    yield (
        (s.APPLY_FAILED, s.WAITING),
        bent(
            (failed.middle.x, failed.top),
            (failed.middle.x, retry_y),
            (retry_in_x, retry_y),
            (retry_in_x, boxes[s.WAITING].top),
            label=over(placed.x(950), retry_y),
        ),
    )


def _aside(number: int, count: int) -> float:
    """How far right of the middle of `count` lines side by side this one runs."""
    return min(_LANE, _ROLLBACK_LANES / max(1, count - 1)) * (number - (count - 1) / 2)
