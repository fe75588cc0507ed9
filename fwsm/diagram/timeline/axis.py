"""Time along a line: how far along it each thing stands that happened to an update.

An update may take seconds, and wait nine days for its window. So pieces of time that are longer than four times all the
shorter ones together are cut: such a piece takes a fixed room, and says how long it was. The rest is to scale, but for
what would be too narrow to be told apart from its neighbours: that is drawn wider, and the axis knows what is. A
logarithmic axis would need neither, and nobody can read a length off it.

Where the clock was set, nobody knows how long it was; that is cut as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.diagram.journey import Journey
    from fwsm.store.incidents import Incident

__all__ = ["Axis", "Piece", "Room"]

_TIMES_THE_REST: Final = 4
_WORTH_CUTTING_S: Final = 120.0
_WORTH_SEEING_S: Final = 2.0
_MOST_CUTS: Final = 5  # those where the clock was set not counted


@dataclass(frozen=True, slots=True)
class Room:
    """What there is to draw on, in the unit of the drawing.

    Attributes:
        left, right: where time begins and ends.
        cut: how wide a cut is.
        least: how wide any other piece is at least.
    """

    left: float
    right: float
    cut: float
    least: float


@dataclass(frozen=True, slots=True)
class Piece:
    """Time between two things that happened.

    Attributes:
        begin: UTC wall time of the first.
        span_s: how long it was; None if the clock was set meanwhile.
        cut: whether it is not to scale.
        left, right: from where to where it is drawn.
    """

    begin: datetime
    span_s: float | None
    cut: bool = False
    left: float = 0.0
    right: float = 0.0


@dataclass(frozen=True, slots=True)
class Axis:
    """Where things stand.

    Attributes:
        pieces: all of it, in order.
        entries: where each stay of the journey begins.
        incidents: where each incident of the journey stands.
        end: where the last stay has come to.
        widened_s: what is shorter than that, in seconds, is drawn wider than it is; None if there is no such piece.
    """

    pieces: tuple[Piece, ...]
    entries: tuple[float, ...]
    incidents: tuple[float, ...]
    end: float
    widened_s: float | None

    @classmethod
    def of(cls, journey: Journey, room: Room) -> Axis:
        """The axis of a journey that has stays."""
        offsets: list[list[tuple[float, int]]] = [[] for _ in journey.stays]
        for number, incident in enumerate(journey.incidents):
            at, offset_s = _place_of(incident, journey)
            offsets[at].append((offset_s, number))
        raw: list[Piece] = []
        begins: list[int] = []  # for each stay, its first piece
        there: dict[int, int] = {}  # for each incident, the piece that begins with it
        for stay, inside in zip(journey.stays, offsets, strict=True):
            begins.append(len(raw))
            done_s = 0.0
            for offset_s, number in sorted(inside):
                raw.append(Piece(stay.entry.at + timedelta(seconds=done_s), offset_s - done_s))
                there[number], done_s = len(raw), offset_s
            rest_s = None if stay.span_s is None else stay.span_s - done_s
            raw.append(Piece(stay.entry.at + timedelta(seconds=done_s), rest_s))
        pieces, widened_s = _laid(_cut(raw), room)
        return cls(
            pieces=pieces,
            entries=tuple(pieces[number].left for number in begins),
            incidents=tuple(pieces[there[number]].left for number in range(len(journey.incidents))),
            end=pieces[-1].right,
            widened_s=widened_s,
        )


def _place_of(incident: Incident, journey: Journey) -> tuple[int, float]:
    """In which stay an incident was, and how many seconds after its beginning.

    Its boot tells more than its time: the clock may have been set.
    """
    numbers = range(len(journey.stays))
    same_boot = [number for number in numbers if journey.stays[number].entry.boot_id == incident.boot_id]
    before = [number for number in same_boot or numbers if journey.stays[number].entry.at <= incident.at]
    number = before[-1] if before else (same_boot or numbers)[0]
    stay = journey.stays[number]
    offset_s = (incident.at - stay.entry.at).total_seconds()
    return number, min(max(offset_s, 0.0), stay.span_s or 0.0)


def _cut(pieces: list[Piece]) -> list[Piece]:
    """The same, with what is out of all proportion cut."""
    spans_s = sorted((piece.span_s for piece in pieces if piece.span_s is not None), reverse=True)
    limit_s = inf
    for number, span_s in enumerate(spans_s[:_MOST_CUTS], start=1):
        rest_s = sum(spans_s[number:])
        if span_s >= _WORTH_CUTTING_S and _WORTH_SEEING_S <= rest_s < span_s / _TIMES_THE_REST:
            limit_s = span_s
    return [replace(piece, cut=piece.span_s is None or piece.span_s >= limit_s) for piece in pieces]


def _laid(pieces: list[Piece], room: Room) -> tuple[tuple[Piece, ...], float | None]:
    """The same, each in its place, and below which length they are drawn wider.

    Behind an update that has settled is nothing, which takes no room.
    """
    width = room.right - room.left
    ended = pieces[-1].span_s == 0
    cuts = sum(piece.cut for piece in pieces)
    spans_s = [piece.span_s or 0.0 for piece in (pieces[:-1] if ended else pieces) if not piece.cut]
    cut = min(room.cut, width / 2 / cuts) if cuts else 0.0
    least = min(room.least, width / 3 / len(spans_s)) if spans_s else 0.0
    per_s = _scale(spans_s, width - cuts * cut, least)
    laid: list[Piece] = []
    left = room.left
    for piece in pieces:
        right = left + (cut if piece.cut else max(least, (piece.span_s or 0.0) * per_s))
        laid.append(replace(piece, left=left, right=right))
        left = right
    if ended:
        laid[-1] = replace(laid[-1], right=laid[-1].left)
    some = per_s > 0 and min(spans_s) * per_s < least
    return tuple(laid), least / per_s if some else None


def _scale(spans_s: list[float], width: float, least: float) -> float:
    """How wide a second is where all take so much room, and none less than the least; 0 if none has a length."""
    rest_s = sorted(spans_s, reverse=True)
    while rest_s and rest_s[-1] * _shared(rest_s, width) < least:
        rest_s.pop()
        width -= least
    return _shared(rest_s, width)


def _shared(spans_s: list[float], width: float) -> float:
    whole_s = sum(spans_s)
    return width / whole_s if whole_s else 0.0
