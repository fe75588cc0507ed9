"""How much room the labels ask for beside what the picture has.

The built-in labels have room enough. A program may add rows, whose guards have names of its own, to nearly every edge:
a label then has more lines or longer ones. Each label has a border that it must not pass, and a cut at which the
picture is stretched by as much as it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.label import Align, Label
from fwsm.diagram.placement import Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from fwsm.diagram.graph import Edge
    from fwsm.diagram.lines import Route
    from fwsm.diagram.placement import Placement

__all__ = ["room_for"]

_S: Final = State
_GAP: Final = 2.0

# Borders and cuts in the built-in picture, of labels that stand above a line: the highest top, and the cut.
_TOPS: Final = {
    (_S.APPLY_FAILED, _S.WAITING): (14, 8),
    (_S.DOWNLOAD_FAILED, _S.WAITING): (44, 42),
    (_S.WAITING, _S.APPLY_COMPLETE): (62, 62),
    (_S.WAITING, _S.DOWNLOAD_FAILED): (72, 72),
    (_S.DOWNLOADING, _S.DOWNLOAD_FAILED): (144, 200),
    (_S.REBOOTING, _S.APPLY_FAILED): (752, 770),
}
# Of labels that hang below a line: the lowest bottom, and the cut.
_BOTTOMS: Final = {
    (_S.WAITING, _S.DOWNLOADING): (238, 238),
    (_S.DOWNLOADING, _S.DOWNLOAD_COMPLETE): (370, 372),
    (_S.DOWNLOAD_COMPLETE, _S.DOWNLOADING): (382, 372),
    (_S.DOWNLOAD_COMPLETE, _S.DOWNLOAD_FAILED): (488, 486),
    (_S.CONFIRMING, _S.APPLY_COMPLETE): (980, 981),
}
# How far to the right a label may reach, and the cut.
_RIGHTS: Final = {
    (_S.DOWNLOADING, _S.DOWNLOAD_COMPLETE): (550, 510),
    (_S.CONFIRMING, _S.APPLY_COMPLETE): (620, 510),
    (_S.WAITING, _S.APPLY_COMPLETE): (335, 312),
    (_S.DOWNLOAD_FAILED, _S.WAITING): (756, 645),
    (_S.DOWNLOAD_COMPLETE, _S.DOWNLOADING): (732, 645),
    (_S.REBOOTING, _S.APPLY_FAILED): (886, 870),
    (_S.ROLLING_BACK, _S.APPLY_FAILED): (1026, 1010),
    (_S.APPLY_FAILED, _S.WAITING): (1092, 1010),
}


def room_for(edges: Iterable[Edge], placed: Placement, routes: Mapping[tuple[State, State], Route]) -> Stretch:
    """What is to be stretched so that every label has room; nothing for the built-in lifecycle.

    Args:
        edges: all that are drawn.
        placed: where the states stand without that room.
        routes: how the edges run without it.
    """
    across: dict[float, float] = {}
    down: dict[float, float] = {}
    for edge in edges:
        if edge.again:
            continue  # no program can add to these
        spot = routes[edge.source, edge.target].spot
        box = Label.of(edge, spot).box
        if spot.align is Align.RIGHT:
            _widen(across, placed.x(60), 40 - box.left)
        else:
            right, cut = _right(edge, placed)
            _widen(across, cut, box.right - right)
        for border, cut in _heights(edge, placed):
            _widen(down, cut, border - box.top if spot.up else box.bottom - border)
    return Stretch(across, down)


def _widen(cuts: dict[float, float], cut: float, by: float) -> None:
    """Stretch it there by so much at least."""
    if by > 0:
        cuts[cut] = max(by, cuts.get(cut, 0.0))


def _right(edge: Edge, placed: Placement) -> tuple[float, float]:
    """How far to the right a label may reach, and the cut."""
    pair = edge.source, edge.target
    if pair in _RIGHTS:
        border, cut = _RIGHTS[pair]
    elif edge.target is State.DOWNLOAD_FAILED:
        border, cut = 648, 645
    elif edge.target is State.ROLLING_BACK:
        border, cut = 676, 645
    elif edge.target is State.APPLY_FAILED:
        border, cut = 886, 870
    elif edge.source is State.REBOOTING:
        border, cut = 522, 510
    else:
        border, cut = (540, 510) if edge.source.status == "applying" else (522, 510)
    return placed.x(border), placed.x(cut)


def _heights(edge: Edge, placed: Placement) -> Iterator[tuple[float, float]]:
    """How far up or down a label may reach, whichever way it grows, and the cut."""
    pair, boxes = (edge.source, edge.target), placed.states
    if pair in _TOPS or pair in _BOTTOMS:
        border, cut = _TOPS.get(pair) or _BOTTOMS[pair]
        yield placed.y(border), placed.y(cut)
    elif edge.source is State.DOWNLOAD_COMPLETE:
        yield placed.composites["applying"].top - _GAP, placed.composites["applying"].top - 1
    elif edge.target in {State.ROLLING_BACK, State.APPLY_FAILED}:
        yield _line_above(edge, placed) + _GAP, boxes[edge.source].top - 1
    else:
        yield boxes[edge.target].top - _GAP, boxes[edge.target].top - 1


def _line_above(edge: Edge, placed: Placement) -> float:
    """The y of the next level line above that of an edge from a child of `applying`."""
    way = [state for row in placed.rows.values() for state in row]
    place = way.index(edge.source) if edge.source in way else 0
    if place == 0:
        return placed.composites["applying"].top
    if edge.source is placed.rows[State.CONFIRMING][0]:
        return placed.y(792)
    before = placed.states[way[place - 1]].middle.y
    return before + 12 if edge.source in placed.rows[State.CONFIRMING] else before
