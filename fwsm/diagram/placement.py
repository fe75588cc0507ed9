"""Where the states stand in the picture; placed by hand, because ten of them are few enough to be placed well.

The way to `applyComplete` runs straight down. To the left of it a state turns back on itself, or a step is left out;
to the right of it things go wrong, and the further right, the worse.
"""

from __future__ import annotations

from typing import Final

from fwsm.core.update import State
from fwsm.diagram.geometry import Box, Point

__all__ = ["COMPOSITES", "END_MARKS", "LEGEND", "MAIN_X", "SIZE", "START_MARK", "STATES", "TITLE"]

SIZE: Final = Point(1200, 1056)
TITLE: Final = Point(40, 52)
LEGEND: Final = Point(640, 966)

MAIN_X: Final = 405.0  # the way forward runs down here
_BACK_X: Final = 738.0  # downloadFailed and rollingBack
_LAST_X: Final = 1100.0  # applyFailed
_DOWNLOADING_Y: Final = 264.0
_REBOOTING_Y: Final = 726.0
_HIGH: Final = 44.0
_MARK_GAP: Final = 34.0  # from a state to its end mark


def _box(x: float, y: float, width: float) -> Box:
    return Box.around(Point(x, y), width, _HIGH)


STATES: Final = {
    State.WAITING: _box(MAIN_X, 142, 172),
    State.DOWNLOADING: _box(MAIN_X, _DOWNLOADING_Y, 172),
    State.DOWNLOAD_COMPLETE: _box(MAIN_X, 396, 172),
    State.INSTALLING: _box(MAIN_X, 594, 120),
    State.REBOOTING: _box(MAIN_X, _REBOOTING_Y, 120),
    State.CONFIRMING: _box(MAIN_X, 882, 120),
    State.APPLY_COMPLETE: _box(MAIN_X, 1004, 172),
    State.DOWNLOAD_FAILED: _box(_BACK_X, _DOWNLOADING_Y, 172),
    State.ROLLING_BACK: _box(_BACK_X, _REBOOTING_Y, 120),
    State.APPLY_FAILED: _box(_LAST_X, _REBOOTING_Y, 136),
}
COMPOSITES: Final = {"applying": Box(32, 488, 892, 936)}

START_MARK: Final = (Point(MAIN_X, 78), Point(MAIN_X, STATES[State.WAITING].top))
END_MARKS: Final = {
    state: (Point(box.right, box.middle.y), Point(box.right + _MARK_GAP, box.middle.y))
    if state is not State.APPLY_FAILED
    else (Point(box.middle.x, box.bottom), Point(box.middle.x, box.bottom + _MARK_GAP))
    for state, box in STATES.items()
    if state.settled
}
