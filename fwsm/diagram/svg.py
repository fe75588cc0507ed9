"""The graph as our own picture: an SVG that stands alone, light and dark as the reader's system is.

No script, no link, no font of its own. Every state is a group `state-<id>` with a `title`, every edge a group
`edge-<source>-<target>`, so that a program can light where an update stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from fwsm.core.text import cut
from fwsm.core.update import State
from fwsm.diagram.geometry import Point, rounded
from fwsm.diagram.graph import Way, sentence_of
from fwsm.diagram.label import Label
from fwsm.diagram.layout import Layout
from fwsm.diagram.overlay import PLAIN, counted
from fwsm.diagram.palette import Theme, style
from fwsm.diagram.pills import pills

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fwsm.diagram.geometry import Box
    from fwsm.diagram.graph import Edge, Graph
    from fwsm.diagram.lines import Route
    from fwsm.diagram.overlay import Overlay
    from fwsm.diagram.placement import Placement

__all__ = ["text"]

_CORNER: Final = 16.0
_STRIP: Final = 80  # above the picture, for the words on a device
_LONGEST_NOTE: Final = 150
_HEAD: Final = "Lifecycle of a firmware update"
_WORDS: Final = {
    Way.FACT: "the work went on, well or badly",
    Way.RESTART: "the process came back: crash, kill, power cut",
    Way.COMMAND: "an operator asked for it",
}


def text(graph: Graph, overlay: Overlay = PLAIN, theme: Theme = Theme.AUTO) -> str:
    """The whole picture. What is known of a device stands on states and edges, and above everything.

    Raises:
        LifecycleError: the graph has a state or an edge that has no place in the picture.
    """
    layout = Layout.of(graph)
    placed = layout.placed
    width, height = placed.size
    top = _STRIP if overlay.caption else 0
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 {-top} {width:g} {height + top:g}" width="{width:g}"',
            f' height="{height + top:g}"',
            ' role="img" aria-labelledby="lifecycle-title lifecycle-description">',
            f'<title id="lifecycle-title">{escape(overlay.caption or _HEAD)}</title>',
            f'<desc id="lifecycle-description">{escape(_description(graph, overlay))}</desc>',
            f"<style>{style(theme)}</style>",
            f"<defs>{''.join(_arrow_head(way) for way in Way)}</defs>",
            f'<rect class="page" y="{-top}" width="{width:g}" height="{height + top:g}" rx="12"/>',
            *_header(overlay, placed.title),
            *(_composite(name, box) for name, box in placed.composites.items()),
            *(_edge(edge, layout.route_of(edge), overlay) for edge in graph.edges),
            *_marks(placed),
            *(_state(state, placed.states[state], overlay) for state in graph.states),
            *_counts(graph, layout, overlay),
            *_legend(placed.legend),
            "</svg>\n",
        ]
    )


def _header(overlay: Overlay, title: Point) -> Iterable[str]:
    """What the picture is of. A device's words stand above the picture, where they may be as long as it is wide."""
    if not overlay.caption:
        yield f'<text class="head" x="{title.x:g}" y="{title.y:g}">{_HEAD}</text>'
        return
    yield f'<text class="head" x="{title.x:g}" y="{40 - _STRIP}">{escape(overlay.caption)}</text>'
    if overlay.here is not None:
        said = ", ".join((f"{overlay.here.state} {' '.join(overlay.here.words[:1])}", *overlay.here.words[1:]))
        yield f'<text class="note" x="{title.x:g}" y="{62 - _STRIP}">{escape(cut(said, _LONGEST_NOTE))}</text>'


def _description(graph: Graph, overlay: Overlay) -> str:
    edges = (
        f"{edge.source} to {edge.target} on {', '.join(sentence_of(row) for row in edge.rows)}" for edge in graph.edges
    )
    here = f"The update stands in {overlay.here.state}. " if overlay.here else ""
    return f"A state diagram. {here}It starts in {graph.initial}. " + "; ".join(edges) + "."


def _arrow_head(way: Way) -> str:
    return (
        f'<marker id="head-{way}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9"'
        f' markerUnits="userSpaceOnUse" orient="auto"><path class="tip {way}" d="M0 1L10 5L0 9z"/></marker>'
    )


def _group(identity: str, kind: str, title: str, parts: Iterable[str]) -> str:
    return f'<g id={quoteattr(identity)} class="{kind}"><title>{escape(title)}</title>{"".join(parts)}</g>'


def _composite(name: str, box: Box) -> str:
    frame = _rectangle(box, 16)
    word = f'<text x="{box.left + 20:g}" y="{box.top + 28:g}">{name}</text>'
    return _group(f"state-{name}", "composite", name, [frame, word])


def _state(state: State, box: Box, overlay: Overlay) -> str:
    kind = "state"
    if state.settled:
        kind += " good" if state is State.APPLY_COMPLETE else " bad"
    if overlay.lights(state):
        kind += " here" if state.settled else " here open"
    if overlay.missed(state):
        kind += " missed"
    passed = overlay.passed(state)
    counts = counted(passed) if passed else ()
    name_y, count_y = ((27, 0), (20, 35), (16, 28))[len(counts)]
    words = [f'<text x="{box.middle.x:g}" y="{box.top + name_y:g}">{state.substatus or state.status}</text>']
    words += [
        f'<text class="count" x="{box.middle.x:g}" y="{box.top + count_y + number * 11:g}">{words_of_it}</text>'
        for number, words_of_it in enumerate(counts)
    ]
    return _group(f"state-{state}", kind, state.value, [_rectangle(box, 10), *words])


def _rectangle(box: Box, corner: float) -> str:
    return f'<rect x="{box.left:g}" y="{box.top:g}" width="{box.width:g}" height="{box.height:g}" rx="{corner:g}"/>'


def _edge(edge: Edge, route: Route, overlay: Overlay) -> str:
    taken = overlay.taken(edge)
    title = f"{edge.source} → {edge.target}: {', '.join(sentence_of(row) for row in edge.rows)}"
    kind = "edge"
    if overlay.tally is not None:
        kind += " taken" if taken else " missed"
    line = _line(route.points, edge.way)
    label = _label(Label.of(edge, route.spot))
    return _group(f"edge-{edge.source}-{edge.target}", kind, f"{title}; {taken}" if taken else title, [line, *label])


def _counts(graph: Graph, layout: Layout, overlay: Overlay) -> Iterable[str]:
    """How often each edge was taken, and after how long."""
    words = {edge: taken for edge in graph.edges if (taken := overlay.taken(edge))}
    for edge, box in pills(layout, graph.edges, words).items():
        word = f'<text class="count" x="{box.middle.x:g}" y="{box.bottom - 4:g}">{words[edge]}</text>'
        yield f'<g class="pill {edge.way}">{_rectangle(box, box.height / 2)}{word}</g>'


def _line(points: tuple[Point, ...], way: Way) -> str:
    return f'<path class="line {way}" d="{rounded(points, _CORNER)}" marker-end="url(#head-{way})"/>'


def _label(label: Label) -> Iterable[str]:
    for line, baseline in label.placed():
        left = label.box.left
        if line.marked:
            yield _sign(line.way, Point(left + 5, baseline - 4))
        yield (
            f'<text class="{"guard" if line.guard else "trigger"} {line.way}" x="{left + line.indent:g}"'
            f' y="{baseline:g}" xml:space="preserve">{escape(line.text)}</text>'
        )


def _sign(way: Way, at: Point) -> str:
    """What stands before a restart (an arrow that turns round) or a command (a pointed tag)."""
    if way is Way.RESTART:
        shape = '<path d="M3.4 -2.2A4 4 0 1 0 4 0.6"/><path class="tip" d="M4.9 -4.6L4.6 -0.6L1.2 -2.7z"/>'
    else:
        shape = '<path class="tip" d="M-4 -3.5L0.6 -3.5L4 0L0.6 3.5L-4 3.5z"/>'
    return f'<g class="sign {way}" transform="translate({at.x:g} {at.y:g})">{shape}</g>'


def _marks(placed: Placement) -> Iterable[str]:
    """Where an update starts, and where it settles."""
    start = placed.start_mark[0]
    yield _line(placed.start_mark, Way.FACT)
    yield f'<circle class="dot" cx="{start.x:g}" cy="{start.y:g}" r="7"/>'
    for points in placed.end_marks.values():
        centre = points[1]
        near = tuple(Point(p.x, p.y) for p in (points[0], _before(*points, 9)))
        yield _line(near, Way.FACT)
        yield f'<circle class="ring" cx="{centre.x:g}" cy="{centre.y:g}" r="8"/>'
        yield f'<circle class="dot" cx="{centre.x:g}" cy="{centre.y:g}" r="4.5"/>'


def _before(start: Point, end: Point, gap: float) -> Point:
    """The point on an upright line that lies `gap` before its end."""
    step = Point((end.x > start.x) - (end.x < start.x), (end.y > start.y) - (end.y < start.y))
    return Point(end.x - step.x * gap, end.y - step.y * gap)


def _legend(at: Point) -> Iterable[str]:
    x, y = at
    for number, (way, words) in enumerate(_WORDS.items()):
        middle = y + number * 22
        yield _line((Point(x, middle), Point(x + 34, middle)), way)
        if way is not Way.FACT:
            yield _sign(way, Point(x + 50, middle))
        yield f'<text class="note" x="{x + 64:g}" y="{middle + 4:g}">{words}</text>'
    yield f'<text class="note" x="{x:g}" y="{y + 70:g}">[all guards hold]; rows are tried from top to bottom</text>'
