"""What the routes are made of: lines that are upright and bend in round corners, each with the spot of its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.diagram.geometry import Point
from fwsm.diagram.label import Align, Spot

if TYPE_CHECKING:
    from fwsm.core.update import State
    from fwsm.diagram.placement import Placement

__all__ = ["ABOVE", "BESIDE", "LOOP", "Route", "again", "bent", "down", "over"]

ABOVE: Final = 6.0  # from a label to the line below it
BESIDE: Final = 10.0  # from a label to the line at its side
LOOP: Final = 30.0  # how far a loop reaches out


@dataclass(frozen=True, slots=True)
class Route:
    """How an edge runs and where its label stands."""

    points: tuple[Point, ...]
    spot: Spot


def bent(*points: tuple[float, float], label: Spot) -> Route:
    """A line with corners."""
    return Route(tuple(Point(*point) for point in points), label)


def over(x: float, line_y: float) -> Spot:
    """A label that stands on a level line."""
    return Spot(Point(x, line_y - ABOVE), up=True)


def down(placed: Placement, source: State, target: State, label_y: float | None = None) -> Route:
    """Straight down the main line; the label stands at the right of it, below the state that is left."""
    top, bottom, x = placed.states[source].bottom, placed.states[target].top, placed.main_x
    return bent((x, top), (x, bottom), label=Spot(Point(x + BESIDE, top + 8 if label_y is None else label_y)))


def again(placed: Placement, state: State, *, out: float, back: float, up: bool = False) -> Route:
    """A loop at the left of a state, leaving and coming back so far below its middle; the label ends beside it."""
    box = placed.states[state]
    out_y, back_y = box.middle.y + out, box.middle.y + back
    far = box.left - LOOP
    label = Spot(Point(far - 8, back_y + 3 if up else out_y - 3), Align.RIGHT, up)
    return bent((box.left, out_y), (far, out_y), (far, back_y), (box.left, back_y), label=label)
