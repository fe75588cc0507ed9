"""How the edges run in the picture, and where their labels stand.

Lines are upright and bend in round corners. One pair of them crosses; none crosses a state or a label. The tests
measure this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.geometry import Point
from fwsm.diagram.label import Align, Spot
from fwsm.diagram.placement import MAIN_X, STATES
from fwsm.errors import LifecycleError

if TYPE_CHECKING:
    from fwsm.diagram.graph import Edge, Graph

__all__ = ["ROUTES", "Route", "require_places", "route_of"]

_ABOVE: Final = 6.0  # from a label to the line below it
_BESIDE: Final = 10.0  # from a label to the line at its side
_LOOP: Final = 30.0  # how far a loop reaches out


@dataclass(frozen=True, slots=True)
class Route:
    """How an edge runs and where its label stands."""

    points: tuple[Point, ...]
    spot: Spot


def require_places(graph: Graph) -> None:
    """Check that everything can be drawn.

    Raises:
        LifecycleError: somebody has extended the lifecycle.
    """
    strange = [state for state in graph.states if state not in STATES]
    if strange:
        raise LifecycleError(
            f"the picture has no place for the state '{strange[0]}'",
            why="states are placed by hand, and this one is an extension's",
            fix="Choose the format mermaid or dot, or draw a timeline",
        )
    for edge in graph.edges:
        route_of(edge)


def route_of(edge: Edge) -> Route:
    """The route of an edge.

    Raises:
        LifecycleError: the table has an edge that nobody has placed yet.
    """
    try:
        return ROUTES[edge.source, edge.target]
    except KeyError:
        raise LifecycleError(
            f"the picture has no place for the edge from '{edge.source}' to '{edge.target}'",
            why="edges are placed by hand",
            fix="Choose the format mermaid or dot; one of the table's own belongs into fwsm/diagram/routes.py",
        ) from None


def _down(source: State, target: State, label_y: float | None = None) -> Route:
    """Straight down the main line; the label stands at the right of it, below the state that is left."""
    top, bottom = STATES[source].bottom, STATES[target].top
    spot = Spot(Point(MAIN_X + _BESIDE, top + 8 if label_y is None else label_y))
    return Route((Point(MAIN_X, top), Point(MAIN_X, bottom)), spot)


def _again(state: State, *, out: float, back: float, up: bool = False) -> Route:
    """A loop at the left of a state, leaving and coming back so far below its middle; the label ends beside it."""
    box = STATES[state]
    out_y, back_y = box.middle.y + out, box.middle.y + back
    far = box.left - _LOOP
    points = (Point(box.left, out_y), Point(far, out_y), Point(far, back_y), Point(box.left, back_y))
    return Route(points, Spot(Point(far - 8, back_y + 3 if up else out_y - 3), Align.RIGHT, up))


def _bent(*points: tuple[float, float], label: Spot) -> Route:
    return Route(tuple(Point(*point) for point in points), label)


def _over(x: float, line_y: float) -> Spot:
    """A label that stands on a level line."""
    return Spot(Point(x, line_y - _ABOVE), up=True)


def _main_line() -> dict[tuple[State, State], Route]:
    s = State
    boxes, skip_x = STATES, 178.0
    skip_out_y, skip_in_y = boxes[s.INSTALLING].middle.y + 14, boxes[s.CONFIRMING].middle.y - 14
    left = boxes[s.INSTALLING].left
    # The image runs already: around everything, at the far left.
    around_x, around_y, out_x = 16.0, 98.0, MAIN_X - 60
    done = boxes[s.APPLY_COMPLETE]
    return {
        (s.WAITING, s.APPLY_COMPLETE): _bent(
            (out_x, boxes[s.WAITING].top),
            (out_x, around_y),
            (around_x, around_y),
            (around_x, done.middle.y),
            (done.left, done.middle.y),
            label=_over(around_x + 24, around_y),
        ),
        (s.WAITING, s.DOWNLOADING): _down(s.WAITING, s.DOWNLOADING),
        (s.DOWNLOADING, s.DOWNLOAD_COMPLETE): _down(s.DOWNLOADING, s.DOWNLOAD_COMPLETE),
        (s.DOWNLOAD_COMPLETE, s.INSTALLING): _down(s.DOWNLOAD_COMPLETE, s.INSTALLING),
        (s.INSTALLING, s.REBOOTING): _down(s.INSTALLING, s.REBOOTING),
        (s.REBOOTING, s.CONFIRMING): _down(s.REBOOTING, s.CONFIRMING, boxes[s.REBOOTING].bottom + 50),
        (s.CONFIRMING, s.APPLY_COMPLETE): _down(s.CONFIRMING, s.APPLY_COMPLETE, 952),
        (s.INSTALLING, s.CONFIRMING): _bent(
            (left, skip_out_y),
            (skip_x, skip_out_y),
            (skip_x, skip_in_y),
            (left, skip_in_y),
            label=Spot(Point(skip_x - _BESIDE, 694), Align.RIGHT),
        ),
    }


def _loops() -> dict[tuple[State, State], Route]:
    s = State
    rolling_back = STATES[s.ROLLING_BACK]
    x, top = rolling_back.middle.x + 14, rolling_back.top
    return {
        (s.WAITING, s.WAITING): _again(s.WAITING, out=-8, back=8),
        (s.DOWNLOADING, s.DOWNLOADING): _again(s.DOWNLOADING, out=-8, back=8),
        (s.DOWNLOAD_COMPLETE, s.DOWNLOAD_COMPLETE): _again(s.DOWNLOAD_COMPLETE, out=-8, back=8),
        (s.INSTALLING, s.INSTALLING): _again(s.INSTALLING, out=-14, back=2, up=True),
        (s.REBOOTING, s.REBOOTING): _again(s.REBOOTING, out=-8, back=8),
        (s.CONFIRMING, s.CONFIRMING): _again(s.CONFIRMING, out=-2, back=14),
        (s.ROLLING_BACK, s.ROLLING_BACK): _bent(
            (x, top), (x, top - _LOOP), (x + 20, top - _LOOP), (x + 20, top), label=_over(x - 4, top - _LOOP)
        ),
    }


def _download_goes_wrong() -> dict[tuple[State, State], Route]:
    s = State
    waiting, loading = STATES[s.WAITING], STATES[s.DOWNLOADING]
    complete, failed = STATES[s.DOWNLOAD_COMPLETE], STATES[s.DOWNLOAD_FAILED]
    right, into_x, retry_x = waiting.right, failed.middle.x - 10, failed.middle.x + 30
    label_x, again_x = right + 34, right + 64
    waiting_y, loading_y, complete_y = waiting.middle.y, loading.middle.y - 10, complete.middle.y + 10
    retry_y, retry_in_x = 70.0, MAIN_X + 62
    return {
        (s.WAITING, s.DOWNLOAD_FAILED): _bent(
            (right, waiting_y), (into_x, waiting_y), (into_x, failed.top), label=_over(label_x, waiting_y)
        ),
        (s.DOWNLOADING, s.DOWNLOAD_FAILED): _bent(
            (right, loading_y), (failed.left, loading_y), label=_over(label_x, loading_y)
        ),
        (s.DOWNLOAD_COMPLETE, s.DOWNLOAD_FAILED): _bent(
            (right, complete_y),
            (failed.middle.x, complete_y),
            (failed.middle.x, failed.bottom),
            label=Spot(Point(label_x, complete_y + _ABOVE)),
        ),
        (s.DOWNLOAD_COMPLETE, s.DOWNLOADING): _bent(
            (right, complete_y - 20),
            (again_x, complete_y - 20),
            (again_x, loading.middle.y + 10),
            (right, loading.middle.y + 10),
            label=Spot(Point(again_x + _BESIDE, 316)),
        ),
        (s.DOWNLOAD_FAILED, s.WAITING): _bent(
            (retry_x, failed.top),
            (retry_x, retry_y),
            (retry_in_x, retry_y),
            (retry_in_x, waiting.top),
            label=_over(label_x, retry_y),
        ),
    }


def _applying_goes_wrong() -> dict[tuple[State, State], Route]:
    s = State
    installing, rebooting, confirming = STATES[s.INSTALLING], STATES[s.REBOOTING], STATES[s.CONFIRMING]
    rolling_back, failed = STATES[s.ROLLING_BACK], STATES[s.APPLY_FAILED]
    right, into_x, label_x = installing.right, rolling_back.middle.x - 24, installing.right + 80
    aside_x, below_y = right + 62, rolling_back.bottom + 44
    installing_y, confirming_y = installing.middle.y, confirming.middle.y - 12
    failed_left_x, failed_right_x, gone_y = failed.middle.x - 24, failed.middle.x + 24, confirming.middle.y + 12
    retry_y, retry_in_x = 40.0, MAIN_X + 36
    return {
        (s.INSTALLING, s.ROLLING_BACK): _bent(
            (right, installing_y),
            (into_x, installing_y),
            (into_x, rolling_back.top),
            label=_over(label_x, installing_y),
        ),
        (s.REBOOTING, s.ROLLING_BACK): _bent(
            (right, rebooting.middle.y - 8),
            (rolling_back.left, rebooting.middle.y - 8),
            label=_over(label_x, rebooting.middle.y - 8),
        ),
        (s.CONFIRMING, s.ROLLING_BACK): _bent(
            (right, confirming_y),
            (into_x, confirming_y),
            (into_x, rolling_back.bottom),
            label=_over(label_x, confirming_y),
        ),
        (s.REBOOTING, s.APPLY_FAILED): _bent(
            (right, rebooting.middle.y + 10),
            (aside_x, rebooting.middle.y + 10),
            (aside_x, below_y),
            (failed_left_x, below_y),
            (failed_left_x, failed.bottom),
            label=_over(rolling_back.middle.x + 6, below_y),
        ),
        (s.CONFIRMING, s.APPLY_FAILED): _bent(
            (right, gone_y),
            (failed_right_x, gone_y),
            (failed_right_x, failed.bottom),
            label=_over(rolling_back.middle.x + 6, gone_y),
        ),
        (s.ROLLING_BACK, s.APPLY_FAILED): _bent(
            (rolling_back.right, rolling_back.middle.y),
            (failed.left, failed.middle.y),
            label=_over(902, failed.middle.y),
        ),
        (s.APPLY_FAILED, s.WAITING): _bent(
            (failed.middle.x, failed.top),
            (failed.middle.x, retry_y),
            (retry_in_x, retry_y),
            (retry_in_x, STATES[s.WAITING].top),
            label=_over(950, retry_y),
        ),
    }


ROUTES: Final = {**_main_line(), **_loops(), **_download_goes_wrong(), **_applying_goes_wrong()}
