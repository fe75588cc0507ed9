"""Where the states stand in the picture; placed by hand, because ten of them are few enough to be placed well.

The way to `applyComplete` runs straight down. To the left of it a state turns back on itself, or a step is left out;
to the right of it things go wrong, and the further right, the worse.

An extended lifecycle has the same picture, stretched: each step gets a row where it is passed, and what lies below
moves down. Every coordinate here is that of the built-in picture, and is moved by the same rule, so what lay apart
stays so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.geometry import Box, Point
from fwsm.errors import LifecycleError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.diagram.graph import Graph

__all__ = ["Placement", "Stretch"]

_MAIN_X: Final = 405.0  # the way forward runs down here
_BACK_X: Final = 738.0  # downloadFailed and rollingBack
_LAST_X: Final = 1100.0  # applyFailed
_WAITING_Y: Final = 142.0
_DOWNLOADING_Y: Final = 264.0
_COMPLETE_Y: Final = 396.0
_DONE_Y: Final = 1004.0
_HIGH: Final = 44.0
_WIDE: Final = 172.0
_NARROW: Final = 120.0
_LETTER: Final = 14 * 0.66  # semi-bold, in the widest common system font
_MARK_GAP: Final = 34.0  # from a state to its end mark
_ROW: Final = 110.0  # of a step: the label of its loop needs most of that

# The states that a step can stand before, where they stand in the built-in picture, and where it is cut for a step.
_CHILDREN: Final = {State.INSTALLING: (594.0, 540.0), State.REBOOTING: (726.0, 660.0), State.CONFIRMING: (882.0, 820.0)}
# Left and right of the main line, where room is made for a long name.
_BESIDE_MAIN: Final = (312.0, 500.0)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where room is made: whatever lies beyond a cut moves on by so much.

    Attributes:
        across: cuts from top to bottom, by their x; what lies right of one moves right.
        down: cuts from left to right, by their y; what lies below one moves down.
    """

    across: Mapping[float, float] = field(default_factory=dict)
    down: Mapping[float, float] = field(default_factory=dict)

    def x(self, x: float) -> float:
        """Where it is moved to."""
        return x + sum(by for cut, by in self.across.items() if cut < x)

    def y(self, y: float) -> float:
        """Where it is moved to."""
        return y + sum(by for cut, by in self.down.items() if cut < y)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where everything but the edges stands.

    Attributes:
        rows: the children of `applying` on the way forward: by the built-in ones, each with the steps before it.
        states: the boxes of the states.
        steps: how the built-in picture is stretched for the steps.
        room: how that is stretched once more for long labels.
    """

    rows: Mapping[State, tuple[State, ...]]
    states: Mapping[State, Box]
    steps: Stretch
    room: Stretch

    @classmethod
    def of(cls, graph: Graph, room: Stretch = Stretch()) -> Placement:  # a value that never changes
        """The places of a graph's states.

        Args:
            graph: of the built-in or an extended lifecycle.
            room: what labels ask for beside that.

        Raises:
            LifecycleError: it has a state of which nobody knows where it is passed.
        """
        rows = _rows(graph)
        widest = max(_width(state) for row in rows.values() for state in row)
        steps = Stretch(
            across=dict.fromkeys(_BESIDE_MAIN, (widest - _NARROW) / 2),
            down={cut: _ROW * (len(rows[child]) - 1) for child, (_, cut) in _CHILDREN.items()},
        )
        placement = cls(rows, {}, steps, room)
        return cls(rows, dict(placement._boxes()), steps, room)

    def x(self, x: float) -> float:
        """Where an x of the built-in picture has moved to."""
        return self.room.x(self.steps.x(x))

    def y(self, y: float) -> float:
        """Where a y of the built-in picture has moved to."""
        return self.room.y(self.steps.y(y))

    def point(self, x: float, y: float) -> Point:
        """Where a point of the built-in picture has moved to."""
        return Point(self.x(x), self.y(y))

    @property
    def main_x(self) -> float:
        """The way forward runs down here."""
        return self.x(_MAIN_X)

    @property
    def size(self) -> Point:
        """Of the page."""
        return self.point(1200, 1056)

    @property
    def title(self) -> Point:
        """Where the title begins."""
        return Point(40, self.y(52))

    @property
    def legend(self) -> Point:
        """Where the legend begins."""
        return self.point(640, 966)

    @property
    def composites(self) -> dict[str, Box]:
        """The frames around nested states."""
        return {"applying": Box(32, self.y(488), self.x(892), self.y(936))}

    @property
    def start_mark(self) -> tuple[Point, Point]:
        """The start, and where its arrow ends."""
        return Point(self.main_x, self.y(78)), Point(self.main_x, self.states[State.WAITING].top)

    @property
    def end_marks(self) -> dict[State, tuple[Point, Point]]:
        """From where to where the arrow to each end runs."""
        return {
            state: (Point(box.right, box.middle.y), Point(box.right + _MARK_GAP, box.middle.y))
            if state is not State.APPLY_FAILED
            else (Point(box.middle.x, box.bottom), Point(box.middle.x, box.bottom + _MARK_GAP))
            for state, box in self.states.items()
            if state.settled
        }

    def _boxes(self) -> list[tuple[State, Box]]:
        s = State
        rebooting_y = _CHILDREN[s.REBOOTING][0]
        places = [
            (s.WAITING, _MAIN_X, _WAITING_Y, _WIDE),
            (s.DOWNLOADING, _MAIN_X, _DOWNLOADING_Y, _WIDE),
            (s.DOWNLOAD_COMPLETE, _MAIN_X, _COMPLETE_Y, _WIDE),
            (s.APPLY_COMPLETE, _MAIN_X, _DONE_Y, _WIDE),
            (s.DOWNLOAD_FAILED, _BACK_X, _DOWNLOADING_Y, _WIDE),
            (s.ROLLING_BACK, _BACK_X, rebooting_y, _NARROW),
            (s.APPLY_FAILED, _LAST_X, rebooting_y, 136.0),
        ]
        boxes = [(state, Box.around(self.point(x, y), width, _HIGH)) for state, x, y, width in places]
        for child, (y, _) in _CHILDREN.items():
            last_y = self.steps.y(y)
            for number, state in enumerate(reversed(self.rows[child])):
                middle = Point(self.main_x, self.room.y(last_y - number * _ROW))
                boxes.append((state, Box.around(middle, _width(state), _HIGH)))
        return boxes


def _rows(graph: Graph) -> dict[State, tuple[State, ...]]:
    rows: dict[State, tuple[State, ...]] = {}
    row: list[State] = []
    for state in graph.states:
        if state in State.__members__.values() and state not in _CHILDREN:
            continue
        row.append(state)
        if state in _CHILDREN:
            rows[state], row = tuple(row), []
    if row:
        raise LifecycleError(
            f"the picture has no place for the state '{row[0]}'",
            why="it is an extension's, and what it stands before is not known here",
            fix="Name the extension with --extension, choose the format mermaid or dot, or draw a timeline",
        )
    return rows


def _width(state: State) -> float:
    name = state.substatus or state.status
    return max(_NARROW, len(name) * _LETTER + 12)
