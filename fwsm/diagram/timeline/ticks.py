"""Wall time beside the axis: round times, as many as there is room for, and a date where it changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from math import ceil, inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from fwsm.diagram.timeline.axis import Axis, Piece

__all__ = ["Tick", "ticks"]

_DAY_S: Final = 86400
_STEPS_S: Final = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30),
    *(minutes * 60 for minutes in (1, 2, 5, 10, 15, 30)),
    *(hours * 3600 for hours in (1, 2, 3, 6, 12)),
    *(days * _DAY_S for days in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000)),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Tick:
    """A time beside the axis.

    Attributes:
        at: where it stands.
        label: the time, or the date if it is a whole day's.
        date: the date, where it is another one than before; empty elsewhere.
    """

    at: float
    label: str
    date: str


def ticks(axis: Axis, apart: float) -> list[Tick]:
    """The times beside an axis, at least so far apart; in UTC.

    Args:
        axis: the axis.
        apart: the least distance, in the unit of the axis.
    """
    found: list[Tick] = []
    day: date | None = None
    for cut, stretch in groupby(axis.pieces, key=lambda piece: piece.cut):
        if cut:
            continue
        for at, moment, step_s in _of_stretch(list(stretch), apart):
            if found and at - found[-1].at < apart:
                continue
            whole_day = step_s >= _DAY_S
            new = not whole_day and moment.date() != day
            found.append(Tick(at, _label(moment, step_s), f"{moment:%Y-%m-%d}" if new else ""))
            day = moment.date()
    return found


def _of_stretch(pieces: Sequence[Piece], apart: float) -> Iterator[tuple[float, datetime, float]]:
    """Round moments of a stretch without a cut; its beginning if there is none."""
    span_s = sum(piece.span_s or 0.0 for piece in pieces)
    width = pieces[-1].right - pieces[0].left
    begin = pieces[0].begin
    step_s = next((step for step in _STEPS_S if span_s and step / span_s * width >= apart), inf)
    some = False
    if step_s <= span_s:
        first = ceil((begin - _EPOCH).total_seconds() / step_s)
        last = int(((begin - _EPOCH).total_seconds() + span_s) / step_s)
        for number in range(first, last + 1):
            moment = _EPOCH + timedelta(seconds=number * step_s)
            some = True
            yield _where(moment, pieces), moment, step_s
    if not some:
        yield pieces[0].left, begin, 1.0


def _where(moment: datetime, pieces: Sequence[Piece]) -> float:
    """Where in a stretch a moment stands."""
    for piece in pieces:
        offset_s, span_s = (moment - piece.begin).total_seconds(), piece.span_s or 0.0
        if offset_s <= span_s:
            return piece.left + (piece.right - piece.left) * (max(offset_s, 0.0) / span_s if span_s else 0.0)
    return pieces[-1].right


def _label(moment: datetime, step_s: float) -> str:
    if step_s < 1:
        return f"{moment:%H:%M:%S.%f}"[: -5 if step_s >= 0.1 else -4]  # noqa: PLR2004  # one digit or two
    if step_s < 60:  # noqa: PLR2004  # seconds matter
        return f"{moment:%H:%M:%S}"
    return f"{moment:%H:%M}" if step_s < _DAY_S else f"{moment:%Y-%m-%d}"
