"""How the edges between the states around `applying` run, and where their labels stand; placed by hand.

None of them crosses another one, a state or a label. The tests measure this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.update import State
from fwsm.diagram.geometry import Point
from fwsm.diagram.label import Spot
from fwsm.diagram.lines import ABOVE, BESIDE, Route, again, bent, down, over

if TYPE_CHECKING:
    from fwsm.diagram.placement import Placement

__all__ = ["around_applying"]


def around_applying(placed: Placement) -> dict[tuple[State, State], Route]:
    """The routes of all edges that do not lead to, from or between the children of `applying`."""
    return {**_main_line(placed), **_download_goes_wrong(placed)}


def _main_line(placed: Placement) -> dict[tuple[State, State], Route]:
    s, boxes = State, placed.states
    # The image runs already: around everything, at the far left.
    around_x, around_y, out_x = 16.0, placed.y(98), placed.x(345)
    done = boxes[s.APPLY_COMPLETE]
    return {
        (s.WAITING, s.APPLY_COMPLETE): bent(
            (out_x, boxes[s.WAITING].top),
            (out_x, around_y),
            (around_x, around_y),
            (around_x, done.middle.y),
            (done.left, done.middle.y),
            label=over(around_x + 24, around_y),
        ),
        (s.WAITING, s.DOWNLOADING): down(placed, s.WAITING, s.DOWNLOADING),
        (s.DOWNLOADING, s.DOWNLOAD_COMPLETE): down(placed, s.DOWNLOADING, s.DOWNLOAD_COMPLETE),
        **{(state, state): again(placed, state, out=-8, back=8) for state in (s.WAITING, s.DOWNLOADING)},
        (s.DOWNLOAD_COMPLETE, s.DOWNLOAD_COMPLETE): again(placed, s.DOWNLOAD_COMPLETE, out=-8, back=8),
    }


def _download_goes_wrong(placed: Placement) -> dict[tuple[State, State], Route]:
    s, boxes = State, placed.states
    waiting, loading = boxes[s.WAITING], boxes[s.DOWNLOADING]
    complete, failed = boxes[s.DOWNLOAD_COMPLETE], boxes[s.DOWNLOAD_FAILED]
    right, into_x, retry_x = waiting.right, failed.middle.x - 10, failed.middle.x + 30
    label_x, again_x = placed.x(525), placed.x(555)
    waiting_y, loading_y, complete_y = waiting.middle.y, loading.middle.y - 10, complete.middle.y + 10
    retry_y, retry_in_x = placed.y(70), placed.main_x + 62
    return {
        (s.WAITING, s.DOWNLOAD_FAILED): bent(
            (right, waiting_y), (into_x, waiting_y), (into_x, failed.top), label=over(label_x, waiting_y)
        ),
        (s.DOWNLOADING, s.DOWNLOAD_FAILED): bent(
            (right, loading_y), (failed.left, loading_y), label=over(label_x, loading_y)
        ),
        (s.DOWNLOAD_COMPLETE, s.DOWNLOAD_FAILED): bent(
            (right, complete_y),
            (failed.middle.x, complete_y),
            (failed.middle.x, failed.bottom),
            label=Spot(Point(label_x, complete_y + ABOVE)),
        ),
        (s.DOWNLOAD_COMPLETE, s.DOWNLOADING): bent(
            (right, complete_y - 20),
            (again_x, complete_y - 20),
            (again_x, loading.middle.y + 10),
            (right, loading.middle.y + 10),
            label=Spot(Point(again_x + BESIDE, placed.y(316))),
        ),
        (s.DOWNLOAD_FAILED, s.WAITING): bent(
            (retry_x, failed.top),
            (retry_x, retry_y),
            (retry_in_x, retry_y),
            (retry_in_x, waiting.top),
            label=over(label_x, retry_y),
        ),
    }
