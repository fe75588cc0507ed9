"""Where everything stands in the picture of a timeline: a lane a state, and below them the reports and the incidents.

Only boxes and points; `svg` gives them their looks. Words that are not needed give way: a time above a bar is left out
where there is no room, for it stands at the end of the lane as well.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fwsm.diagram.duration import in_words
from fwsm.diagram.geometry import Box, Point
from fwsm.diagram.journey import Sign
from fwsm.diagram.overlay import plural
from fwsm.diagram.tally import Tally
from fwsm.diagram.timeline.axis import Axis, Room
from fwsm.diagram.timeline.parts import Band, Bar, Lane, Link, Mark, Shape, Word
from fwsm.diagram.timeline.story import clock_words, folded, incident_words, short
from fwsm.diagram.timeline.ticks import ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fwsm.core.update import State
    from fwsm.diagram.journey import Journey, Stay, Visit
    from fwsm.diagram.timeline.ticks import Tick

__all__ = ["LEFT", "RIGHT", "TOP", "WIDTH", "Layout"]

WIDTH: Final = 1040
LEFT: Final = 28.0
_ROOM: Final = Room(left=196, right=868, cut=84, least=9)
RIGHT: Final = 888.0  # the sums stand here
TOP: Final = 128.0
_LANE: Final = 38.0
_BAR: Final = 14.0
_ADVANCE: Final = 6.2  # a character of 10 pixels, in the widest common monospaced font
_HEIGHT: Final = 12.0  # of such a character
_APART: Final = 84.0  # a tick from the next
_LEAST_BAR: Final = 4.0
_SUMS: Final = 20  # characters of a line behind a lane
_SIGN: Final = 14.0  # how wide a mark is in a lane of states
_DOT: Final = 9.0  # and in the others
_LEAST_SCALE: Final = 0.35


_SHAPES: Final = {
    Sign.RESTART: Shape.RESTART,
    Sign.RETRY: Shape.RETRY,
    Sign.DEFERRED: Shape.DEFERRED,
    Sign.COMMAND: Shape.COMMAND,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture.

    Attributes:
        height: how high it is.
        floor: where the lanes end and the axis is.
        reboots: where the device has booted.
        now: where now is; None if it has settled.
        widened_s: what is shorter than that is drawn wider than it is; None if nothing is.
    """

    height: float
    floor: float
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    links: tuple[Link, ...]
    marks: tuple[Mark, ...]
    bands: tuple[Band, ...]
    words: tuple[Word, ...]
    ticks: tuple[Tick, ...]
    reboots: tuple[float, ...]
    now: float | None
    widened_s: float | None

    @classmethod
    def of(cls, journey: Journey, order: tuple[State, ...]) -> Layout:
        """The picture of a journey that has stays.

        Args:
            journey: the journey.
            order: the states of the lifecycle; a strange one stands behind that from which it was first entered.
        """
        axis = Axis.of(journey, _ROOM)
        lanes = tuple(_lanes(journey, order))
        floor = lanes[-1].y + _LANE / 2 + 6
        y = {lane.state: lane.y for lane in lanes if lane.state is not None}
        bars = tuple(_bars(journey, axis, y))
        links = tuple(_links(journey, axis, y))
        marks = (
            *_apart(tuple(_state_marks(journey, axis, y)), _SIGN),
            *_apart(tuple(_lower_marks(journey, axis, lanes)), _DOT),
            *_boots(journey, axis),
        )
        reboots = tuple(at for at, stay in zip(axis.entries, journey.stays, strict=True) if stay.rebooted)
        bands = tuple(_bands(journey, axis, floor))
        lines = [Box(x, TOP, x, floor) for x in (*reboots, *([axis.end] if journey.open else []))]
        gaps = [Box.around(band.box.middle, 14, band.box.height) for band in bands]
        obstacles = [*(link.box for link in links), *lines, *gaps, *(Box.around(mark.at, 12, 12) for mark in marks)]
        return cls(
            height=floor + 100,
            floor=floor,
            lanes=lanes,
            bars=bars,
            links=links,
            marks=marks,
            bands=bands,
            words=tuple(_words(journey, bars, marks, obstacles)),
            ticks=tuple(ticks(axis, _APART)),
            reboots=reboots,
            now=axis.end if journey.open else None,
            widened_s=axis.widened_s,
        )


def _lanes(journey: Journey, order: tuple[State, ...]) -> Iterator[Lane]:
    tally = Tally.of(journey)
    seen = [state for state in order if state in tally.states]
    before: State | None = None
    for state in tally.states:
        if state not in seen:  # an extension's step, which stands where it was passed
            seen.insert(seen.index(before) + 1 if before else 0, state)
        before = state
    y = TOP + _LANE / 2
    for state in seen:
        passed = tally.states[state]
        more = [plural(passed.visits, "visit")] if passed.visits > 1 else []
        more += [f"{passed.tries} tries"] if passed.tries > passed.visits else []
        more += [plural(passed.restarts, "restart")] if passed.restarts else []
        sums = () if state.settled else (str(passed.time),)
        yield Lane(short(state), state, y, (*sums, *folded(tuple(more), _SUMS)))
        y += _LANE
    told = len(journey.stays) - journey.pending
    yield Lane(
        "reports", None, y, (f"{told} acknowledged", *([f"{journey.pending} pending"] if journey.pending else []))
    )
    if journey.incidents:
        yield Lane("incidents", None, y + _LANE, (str(len(journey.incidents)),))


def _bars(journey: Journey, axis: Axis, y: dict[State, float]) -> Iterator[Bar]:
    first = 0
    for visit in journey.visits:
        last = first + len(visit.stays)
        if not visit.state.settled or last < len(journey.stays):
            right = axis.entries[last] if last < len(axis.entries) else axis.end
            left = axis.entries[first]
            middle = y[visit.state] + 4
            box = Box(left, middle - _BAR / 2, max(right, left + _LEAST_BAR), middle + _BAR / 2)
            yield Bar(visit.state, box, journey.open and last == len(journey.stays), _visit_words(visit))
        first = last


def _visit_words(visit: Visit) -> str:
    entry = visit.stays[0].entry
    time = _time(visit.stays)
    return f"{visit.state} from {entry.at:%Y-%m-%d %H:%M:%S} UTC{f', {time}' if time else ''}"


def _time(stays: Iterable[Stay]) -> str:
    """How long stays took together; empty if that cannot be told."""
    spans_s = [stay.span_s for stay in stays]
    known_s = [span_s for span_s in spans_s if span_s is not None]
    return in_words(sum(known_s)) if len(known_s) == len(spans_s) else ""


def _links(journey: Journey, axis: Axis, y: dict[State, float]) -> Iterator[Link]:
    for x, (before, after) in zip(axis.entries[1:], journey.moves, strict=True):
        if not after.again:
            ends = y[before.entry.state] + 4, y[after.entry.state] + 4
            shape = _SHAPES[after.sign] if after.sign else None
            yield Link(shape, Box(x, min(ends), x, max(ends)), _entry_words(after))


def _state_marks(journey: Journey, axis: Axis, y: dict[State, float]) -> Iterator[Mark]:
    for x, stay in zip(axis.entries, journey.stays, strict=True):
        state = stay.entry.state
        at = Point(x, y[state] + 4)
        if state.settled:
            good = state.status == "applyComplete"
            yield Mark(Shape.GOOD if good else Shape.BAD, at, _entry_words(stay))
        elif stay.sign is not None:
            yield Mark(_SHAPES[stay.sign], at, _entry_words(stay))


def _boots(journey: Journey, axis: Axis) -> Iterator[Mark]:
    for x, stay in zip(axis.entries, journey.stays, strict=True):
        if stay.rebooted:
            yield Mark(Shape.REBOOT, Point(x, TOP - 9), f"the device has booted before {stay.entry.at:%H:%M:%S} UTC")


def _apart(marks: tuple[Mark, ...], width: float) -> Iterator[Mark]:
    """The same, those of a lane as small as the narrowest place between two of them asks for."""
    lanes: dict[float, list[float]] = {}
    for mark in marks:
        lanes.setdefault(mark.at.y, []).append(mark.at.x)
    nearest = {y: min((b - a for a, b in pairwise(sorted(xs))), default=width) for y, xs in lanes.items()}
    for mark in marks:
        yield replace(mark, scale=min(1.0, max(nearest[mark.at.y] / width, _LEAST_SCALE)))


def _lower_marks(journey: Journey, axis: Axis, lanes: tuple[Lane, ...]) -> Iterator[Mark]:
    y = {lane.name: lane.y for lane in lanes if lane.state is None}
    for x, stay in zip(axis.entries, journey.stays, strict=True):
        shape = Shape.REPORTED if stay.reported else Shape.PENDING
        yield Mark(shape, Point(x, y["reports"]), f"report of {stay.entry.state}: {shape}")
    for x, incident in zip(axis.incidents, journey.incidents, strict=True):
        yield Mark(Shape.INCIDENT, Point(x, y["incidents"]), incident_words(incident.code, incident.message))


def _entry_words(stay: Stay) -> str:
    entry = stay.entry
    failure = f", {entry.failure_code}" if entry.failure_code else ""
    return f"{entry.trigger} at {entry.at:%Y-%m-%d %H:%M:%S} UTC{failure}"


def _bands(journey: Journey, axis: Axis, floor: float) -> Iterator[Band]:
    following = [*(stay.entry.at for stay in journey.stays[1:]), journey.until]
    for piece in axis.pieces:
        if not piece.cut:
            continue
        box = Box(piece.left, TOP, piece.right, floor)
        if piece.span_s is not None:
            label, title = in_words(piece.span_s), f"{in_words(piece.span_s)}, not to scale"
        else:
            number = max(n for n, x in enumerate(axis.entries) if x <= piece.left)
            label, title = "clock set", clock_words(journey.stays[number], following[number])
        yield Band(box, label if len(label) * _ADVANCE + 16 <= box.width else "", title)


def _words(journey: Journey, bars: tuple[Bar, ...], marks: tuple[Mark, ...], obstacles: list[Box]) -> Iterator[Word]:
    """The times above the bars and the names of the incidents, as far as there is room."""
    taken = list(obstacles)
    visits = [visit for visit in journey.visits if not visit.state.settled or visit is not journey.visits[-1]]
    wanted = [
        (_time(visit.stays), Point(bar.box.left + 3, bar.box.top - 2)) for visit, bar in zip(visits, bars, strict=False)
    ]
    wanted += [
        (mark.title.partition(":")[0], Point(mark.at.x + 10, mark.at.y + 4))
        for mark in marks
        if mark.shape is Shape.INCIDENT
    ]
    for text, at in wanted:
        width = len(text) * _ADVANCE
        box = Box(at.x, at.y - _HEIGHT + 2, at.x + width, at.y + 2)
        if text and box.right <= RIGHT - 8 and not any(box.meets(other) for other in taken):
            taken.append(box)
            yield Word(text, box)
