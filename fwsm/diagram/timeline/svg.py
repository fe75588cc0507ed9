"""The timeline as a picture that stands alone, light and dark as the reader's system is. No script, no link, no font.

Every visit is a group with the class `bar`, every event one with the class `mark`; each has a `title` that says it in
words, which browsers show under the pointer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from fwsm.core.text import cut
from fwsm.diagram.duration import in_words
from fwsm.diagram.palette import Theme, timeline_style
from fwsm.diagram.timeline.layout import LEFT, RIGHT, TOP, WIDTH, Layout
from fwsm.diagram.timeline.parts import Shape
from fwsm.diagram.timeline.story import facts, folded, headline, remarks, require_stays

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.core.update import State
    from fwsm.diagram.geometry import Point
    from fwsm.diagram.journey import Journey
    from fwsm.diagram.timeline.parts import Band, Bar, Lane, Link, Mark

__all__ = ["LEGEND", "text"]

LEGEND: Final = {
    Shape.RESTART: "the process came back",
    Shape.REBOOT: "the device booted",
    Shape.RETRY: "failed, tried again",
    Shape.DEFERRED: "waits on",
    Shape.COMMAND: "an operator's command",
    Shape.REPORTED: "acknowledged",
    Shape.PENDING: "not acknowledged",
    Shape.INCIDENT: "went wrong beside it",
}
_LEGEND_ADVANCE: Final = 6.6  # a character of 11 pixels of the widest common system font, on the average
_LONGEST: Final = 120  # of a line across the picture


def text(journey: Journey, order: tuple[State, ...], theme: Theme = Theme.AUTO) -> str:
    """The whole picture.

    Args:
        journey: what to draw.
        order: the states of the lifecycle.
        theme: for which page.

    Raises:
        ConfigError: nothing is left of the history.
    """
    require_stays(journey)
    layout = Layout.of(journey, order)
    size = f"{WIDTH} {layout.height:g}"
    said = " ".join([*facts(journey), *remarks(journey), *(bar.title for bar in layout.bars)])
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" width="{WIDTH}" height="{layout.height:g}"',
            ' role="img" aria-labelledby="timeline-title timeline-description">',
            f'<title id="timeline-title">{escape(headline(journey))}</title>',
            f'<desc id="timeline-description">{escape(said)}</desc>',
            f"<style>{timeline_style(theme)}</style>",
            f'<rect class="page" width="{WIDTH}" height="{layout.height:g}" rx="12"/>',
            *_header(journey),
            *_stripes(layout),
            *(_band(band) for band in layout.bands),
            *_axis(layout),
            *(_link(link) for link in layout.links),
            *(_bar(bar) for bar in layout.bars),
            *(_zigzag(band) for band in layout.bands),
            *(_mark(mark) for mark in layout.marks),
            *(_word("count left", word.text, word.box.left, word.box.bottom - 2) for word in layout.words),
            *_legend(layout),
            "</svg>\n",
        ]
    )


def _header(journey: Journey) -> Iterator[str]:
    yield _word("head", headline(journey), LEFT, 42)
    lines = [*folded(facts(journey), _LONGEST), *folded(remarks(journey), _LONGEST)]
    for number, line in enumerate(lines):
        yield _word("note", line, LEFT, 64 + 17 * number)


def _stripes(layout: Layout) -> Iterator[str]:
    """The lanes: a name before them, a thin line through them, their sums behind them."""
    for lane in layout.lanes:
        yield f'<path class="thin" d="M{LEFT:g} {lane.y + 19:g}H{WIDTH - LEFT:g}"/>'
        yield _word("lane" if lane.state else "lane low", cut(lane.name, 20), LEFT, lane.y + 8)
        yield from _sums(lane)


def _sums(lane: Lane) -> Iterator[str]:
    baseline = lane.y + 8 - 6 * (len(lane.sums) - 1)
    for number, line in enumerate(lane.sums):
        yield _word(
            "count left" if number or lane.state is None else "count left strong", line, RIGHT, baseline + 12 * number
        )


def _band(band: Band) -> str:
    box = band.box
    return (
        f'<rect class="band" x="{box.left:.1f}" y="{box.top:g}" width="{box.width:.1f}" height="{box.height:g}">'
        f"<title>{escape(band.title)}</title></rect>"
    )


def _zigzag(band: Band) -> str:
    """What cuts the bars, and above it how long it was."""
    middle = band.box.middle.x
    points = " ".join(
        f"{middle + (5 if number % 2 else -5):.1f},{y:g}"
        for number, y in enumerate(range(int(band.box.top), int(band.box.bottom) + 1, 10))
    )
    label = _word("count", band.label, middle, TOP - 6) if band.label else ""
    return (
        f'<g class="cut"><polyline class="gap" points="{points}"/><polyline class="rim" points="{points}"/>{label}</g>'
    )


def _axis(layout: Layout) -> Iterator[str]:
    floor = layout.floor
    for tick in layout.ticks:
        yield f'<path class="thin tick" d="M{tick.at:.1f} {TOP:g}V{floor + 4:g}"/>'
        yield _word("count", tick.label, tick.at, floor + 17)
        if tick.date:
            yield _word("count", tick.date, tick.at, floor + 30)
    for x in layout.reboots:
        yield f'<path class="boot" d="M{x:.1f} {TOP:g}V{floor:g}"/>'
    if layout.now is not None:
        yield f'<path class="now" d="M{layout.now:.1f} {TOP - 2:g}V{floor:g}"/>'
        yield _word("count now-word", "now", layout.now, TOP - 6)


def _link(link: Link) -> str:
    way = link.shape if link.shape in {Shape.RESTART, Shape.COMMAND} else "fact"
    line = f"M{link.box.left:.1f} {link.box.top:g}V{link.box.bottom:g}"
    return f'<path class="line {way}" d="{line}"><title>{escape(link.title)}</title></path>'


def _bar(bar: Bar) -> str:
    box = bar.box
    kind = "open" if bar.open else ""
    return (
        f'<g class="bar {_stage(bar.state)} {kind}"><title>{escape(bar.title)}</title>'
        f'<rect x="{box.left:.1f}" y="{box.top:g}" width="{box.width:.1f}" height="{box.height:g}" rx="3"/></g>'
    )


def _stage(state: State) -> str:
    """Which colour a state has."""
    if state.settled:
        return "good" if state.status == "applyComplete" else "bad"
    if state.substatus == "rollingBack":
        return "bad"
    return "apply" if state.status == "applying" else "wait" if state.status == "waiting" else "load"


_DRAWN: Final = {
    Shape.RESTART: (
        '<circle class="disc" r="7"/><g class="sign restart"><path d="M3.4 -2.2A4 4 0 1 0 4 0.6"/>'
        '<path class="tip" d="M4.9 -4.6L4.6 -0.6L1.2 -2.7z"/></g>'
    ),
    Shape.RETRY: '<circle class="disc" r="7"/><path class="cross" d="M-3.5 -3.5L3.5 3.5M3.5 -3.5L-3.5 3.5"/>',
    Shape.DEFERRED: '<circle class="disc" r="5"/><path class="pause" d="M-2 -3V3M2 -3V3"/>',
    Shape.COMMAND: (
        '<circle class="disc" r="7"/><g class="sign command">'
        '<path class="tip" d="M-4 -3.5L0.6 -3.5L4 0L0.6 3.5L-4 3.5z"/></g>'
    ),
    Shape.REBOOT: '<path class="power" d="M-2.6 -3A4.2 4.2 0 1 0 2.6 -3M0 -5.5V-0.5"/>',
    Shape.REPORTED: '<circle class="told" r="4"/>',
    Shape.PENDING: '<circle class="untold" r="4"/>',
    Shape.INCIDENT: '<path class="alarm" d="M0 -5.5L6 5H-6z"/><path class="bang" d="M0 -2V1.6M0 3V3.6"/>',
    Shape.GOOD: '<circle class="done good" r="8"/><path class="hook" d="M-3.5 0L-1 2.8L3.8 -2.8"/>',
    Shape.BAD: '<circle class="done bad" r="8"/><path class="cross" d="M-3 -3L3 3M3 -3L-3 3"/>',
}


def _mark(mark: Mark) -> str:
    size = f" scale({mark.scale:.2f})" if mark.scale < 1 else ""
    return (
        f'<g class="mark {mark.shape}" transform="translate({_pair(mark.at)}){size}">'
        f"<title>{escape(mark.title)}</title>{_DRAWN[mark.shape]}</g>"
    )


def _legend(layout: Layout) -> Iterator[str]:
    """What the signs mean that there are."""
    there = {mark.shape for mark in layout.marks}
    keys = [(_DRAWN[shape], words) for shape, words in LEGEND.items() if shape in there]
    if layout.bands:
        keys.append(('<polyline class="rim" points="-3,-7 3,-2 -3,3 3,8"/>', "not to scale"))
    if layout.widened_s is not None:
        span = f"drawn wider if under {in_words(layout.widened_s)}"
        keys.append(('<path class="rim" d="M-5 -4V4M-5 0H5M5 -4V4"/>', span))
    x, y = LEFT + 8, layout.floor + 58
    for drawn, words in keys:
        width = 12 + len(words) * _LEGEND_ADVANCE
        if x + width > WIDTH - LEFT:
            x, y = LEFT + 8, y + 20
        yield f'<g class="key" transform="translate({x:.1f} {y:g})">{drawn}</g>'
        yield _word("key", words, x + 12, y + 4)
        x += width + 22


def _word(kind: str, words: str, x: float, y: float) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:g}">{escape(words)}</text>'


def _pair(point: Point) -> str:
    return f"{point.x:.1f} {point.y:g}"
