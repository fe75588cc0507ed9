"""The timeline for a terminal: a line an entry, 79 characters wide, with a bar that shows when.

Nothing is told by colour alone, and letters beyond ASCII can be left out.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from math import ceil, floor
from typing import TYPE_CHECKING, Final

from fwsm.core.text import cut
from fwsm.diagram.duration import in_words
from fwsm.diagram.journey import Sign
from fwsm.diagram.timeline.axis import Axis, Room
from fwsm.diagram.timeline.story import (
    clock_words,
    facts,
    folded,
    headline,
    incident_words,
    remarks,
    require_stays,
    short,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.core.update import State
    from fwsm.diagram.journey import Journey, Stay
    from fwsm.store.incidents import Incident

__all__ = ["WIDTH", "Tone", "text"]

WIDTH: Final = 79  # a terminal of 80 columns breaks a line that fills the last one
_BARS: Final = 20
_INDENT: Final = " " * 11


class Tone(enum.StrEnum):
    """What a part of the text is, for whoever has colours."""

    PLAIN = "plain"
    HEAD = "head"
    STATE = "state"
    GOOD = "good"
    BAD = "bad"
    RESTART = "restart"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class _Letters:
    told: str
    untold: str
    bar: str
    gap: str
    open: str
    signs: dict[Sign, str]
    boot: str
    alarm: str


_FINE: Final = _Letters(
    told="●",
    untold="○",
    bar="█",
    gap="\N{BOX DRAWINGS LIGHT DIAGONAL UPPER RIGHT TO LOWER LEFT}",
    open="▒",
    signs={Sign.RESTART: "↻", Sign.RETRY: "✕", Sign.DEFERRED: "‖", Sign.COMMAND: "»"},
    boot="⇑",
    alarm="▲",
)
_ASCII: Final = _Letters(
    told="*",
    untold="o",
    bar="#",
    gap="/",
    open=":",
    signs={Sign.RESTART: "@", Sign.RETRY: "x", Sign.DEFERRED: "=", Sign.COMMAND: ">"},
    boot="^",
    alarm="!",
)


def _unpainted(_tone: Tone, words: str) -> str:
    return words


def text(journey: Journey, *, ascii_only: bool = False, paint: Callable[[Tone, str], str] = _unpainted) -> str:
    """The whole timeline, with a newline at its end.

    Args:
        journey: what to tell.
        ascii_only: for terminals that know no other letters.
        paint: puts colours around words; must not change how wide they are.

    Raises:
        ConfigError: nothing is left of the history.
    """
    require_stays(journey)
    letters = _ASCII if ascii_only else _FINE
    rows = _Rows(journey, letters, paint)
    lines = [
        paint(Tone.HEAD, _fit(headline(journey))),
        *folded(facts(journey), WIDTH),
        *(paint(Tone.FAINT, remark) for remark in remarks(journey)),
        "",
        *rows.lines(),
        "",
        *(paint(Tone.FAINT, line) for line in folded(tuple(_legend(journey, letters, rows.cuts)), WIDTH)),
    ]
    whole = "\n".join(line.rstrip() for line in lines) + "\n"
    return whole.encode("ascii", "replace").decode() if ascii_only else whole


class _Rows:
    """The lines between the head and the legend."""

    def __init__(self, journey: Journey, letters: _Letters, paint: Callable[[Tone, str], str]) -> None:
        self._journey = journey
        self._letters = letters
        self._paint = paint
        self._axis = Axis.of(journey, Room(left=0, right=_BARS, cut=3, least=0.25))

    @property
    def cuts(self) -> bool:
        """Whether a bar is not to scale."""
        return any(piece.cut for piece in self._axis.pieces)

    def lines(self) -> Iterator[str]:
        journey, axis = self._journey, self._axis
        ends = (*axis.entries[1:], axis.end)
        following = (*(stay.entry.at for stay in journey.stays[1:]), journey.until)
        incidents = sorted(zip(axis.incidents, journey.incidents, strict=True), key=lambda each: each[0])
        day, failure = "", None
        for number, (stay, begin, end) in enumerate(zip(journey.stays, axis.entries, ends, strict=True)):
            if f"{stay.entry.at:%Y-%m-%d}" != day:
                day = f"{stay.entry.at:%Y-%m-%d}"
                yield self._paint(Tone.FAINT, day)
            if stay.rebooted:
                yield self._paint(Tone.RESTART, f"{_INDENT}{self._letters.boot} the device has booted")
            yield self._entry(stay, begin, end, last=number == len(journey.stays) - 1)
            if stay.entry.failure_code and stay.entry.failure_code != failure:
                yield self._paint(Tone.BAD, f"{_INDENT}  error {cut(stay.entry.failure_code, 50)}")
            failure = stay.entry.failure_code
            while incidents and (incidents[0][0] < end or number == len(journey.stays) - 1):
                yield self._incident(incidents.pop(0)[1])
            if stay.span_s is None:
                yield self._paint(Tone.BAD, f"{_INDENT}~ {clock_words(stay, following[number])}")

    def _entry(self, stay: Stay, begin: float, end: float, *, last: bool) -> str:
        entry, letters = stay.entry, self._letters
        told = letters.told if stay.reported else letters.untold
        mark = letters.signs[stay.sign] if stay.sign else " "
        name = f"{mark} {cut(short(entry.state), 16):<16}"
        going = last and self._journey.open
        bar = self._bar(begin, end, letters.open if going else letters.bar)
        time = "" if stay.span_s is None else in_words(stay.span_s)
        if last and not going:
            bar, time = " " * _BARS, ""
        name = self._paint(_tone(entry.state, stay.sign), name)
        return f"{entry.at:%H:%M:%S} {told} {name} {time:>10} {bar} {cut(entry.trigger, 17)}"

    def _bar(self, begin: float, end: float, letter: str) -> str:
        first, behind = min(floor(begin), _BARS - 1), max(ceil(end), floor(begin) + 1)
        cells = []
        for column in range(_BARS):
            middle = column + 0.5
            gap = any(piece.cut and piece.left <= middle < piece.right for piece in self._axis.pieces)
            inside = first <= column < behind
            cells.append((self._letters.gap if gap else letter) if inside else " ")
        return "".join(cells)

    def _incident(self, incident: Incident) -> str:
        words = incident_words(incident.code, incident.message)
        return self._paint(Tone.BAD, cut(f"{incident.at:%H:%M:%S}   {self._letters.alarm} {words}", WIDTH))


def _tone(state: State, sign: Sign | None) -> Tone:
    if state.settled:
        return Tone.GOOD if state.status == "applyComplete" else Tone.BAD
    if sign is Sign.RESTART:
        return Tone.RESTART
    return Tone.BAD if sign is Sign.RETRY else Tone.STATE


def _legend(journey: Journey, letters: _Letters, cuts: bool) -> Iterator[str]:
    words = {
        Sign.RESTART: "the process came back",
        Sign.RETRY: "failed, tried again",
        Sign.DEFERRED: "waits on",
        Sign.COMMAND: "an operator's command",
    }
    yield f"{letters.told} report acknowledged"
    if journey.pending:
        yield f"{letters.untold} not yet"
    there = {stay.sign for stay in journey.stays}
    yield from (f"{letters.signs[sign]} {said}" for sign, said in words.items() if sign in there)
    if cuts:
        yield f"{letters.gap} not to scale"


def _fit(words: str) -> str:
    return cut(words, WIDTH)
