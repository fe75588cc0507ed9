"""The graph as DOT text for whoever has graphviz. Each way has its own edge, so that its style can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.graph import Way, sentence_of
from fwsm.diagram.overlay import PLAIN, counted

if TYPE_CHECKING:
    from fwsm.diagram.graph import Edge, Graph
    from fwsm.diagram.overlay import Overlay

__all__ = ["text"]

_STYLES: Final = {
    Way.FACT: "",
    Way.RESTART: ', style=dashed, color="#0a6ebd", fontcolor="#0a6ebd"',
    Way.COMMAND: ', style=dotted, color="#8250df", fontcolor="#8250df"',
}


_HERE: Final = ', penwidth=4, color="#0969da", fillcolor="#b6e3ff"'
_MISSED: Final = ', color="#b6bec8", fontcolor="#b6bec8"'


def text(graph: Graph, overlay: Overlay = PLAIN) -> str:
    """A `digraph` with a cluster for a state that has children."""
    lines = [
        "digraph lifecycle {",
        '    graph [rankdir=TB, compound=true, fontname="Helvetica", nodesep=0.6, ranksep=0.8];',
        '    node [shape=box, style=rounded, fontname="Helvetica"];',
        '    edge [fontname="Helvetica", fontsize=10];',
        '    start [shape=point, width=0.15, label=""];',
    ]
    if overlay.caption:
        lines.append(f"    label={_quoted(overlay.caption)}; labelloc=t;")
    for place in graph.places:
        if isinstance(place, State):
            lines.append(f"    {_node(place, overlay)}")
        else:
            lines += [f"    subgraph cluster_{place.name} {{", f'        label="{place.name}"; style=rounded;']
            lines += [f"        {_node(child, overlay)}" for child in place.children]
            lines.append("    }")
    lines.append(f'    start -> "{graph.initial}";')
    order = graph.states
    for edge in graph.edges:
        lines += _edges(edge, overlay, back=order.index(edge.target) < order.index(edge.source))
    return "\n".join([*lines, "}"]) + "\n"


def _node(state: State, overlay: Overlay) -> str:
    passed = overlay.passed(state)
    words = [state.substatus or state.status, *(counted(passed) if passed else ())]
    look = ", peripheries=2" if state.settled else ""
    if overlay.here is not None and overlay.lights(state):
        words += ["here", *overlay.here.words]
        look += f', style="rounded,filled"{_HERE}'
    elif overlay.missed(state):
        look += _MISSED
    return f'"{state}" [label={_quoted(*words)}{look}];'


def _edges(edge: Edge, overlay: Overlay, *, back: bool) -> list[str]:
    """One line for each way; an edge that leads back may not turn the ranking of the states upside down.

    How the edge was taken stands on the first way that was.
    """
    rank = ", constraint=false" if back else ""
    taken = [f" {overlay.taken(edge)} "]
    lines = []
    for way in Way:
        words = [f" {sentence_of(row)} " for row in edge.along(way)]
        bold = ""
        if overlay.followed(edge, way):
            words, bold, taken = [*taken, *words], ", penwidth=3", []
        if words:
            lines.append(f'    "{edge.source}" -> "{edge.target}" [label={_quoted(*words)}{_STYLES[way]}{bold}{rank}];')
    return lines


def _quoted(*words: str) -> str:
    """A string of DOT with a line for each word."""
    safe = (word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ") for word in words)
    text = "\\n".join(safe)
    return f'"{text}"'
