"""The graph as DOT text for whoever has graphviz. Each way has its own edge, so that its style can show it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.graph import Way, sentence_of

if TYPE_CHECKING:
    from fwsm.diagram.graph import Edge, Graph

__all__ = ["text"]

_STYLES: Final = {
    Way.FACT: "",
    Way.RESTART: ', style=dashed, color="#0a6ebd", fontcolor="#0a6ebd"',
    Way.COMMAND: ', style=dotted, color="#8250df", fontcolor="#8250df"',
}


def text(graph: Graph) -> str:
    """A `digraph` with a cluster for a state that has children."""
    lines = [
        "digraph lifecycle {",
        '    graph [rankdir=TB, compound=true, fontname="Helvetica", nodesep=0.6, ranksep=0.8];',
        '    node [shape=box, style=rounded, fontname="Helvetica"];',
        '    edge [fontname="Helvetica", fontsize=10];',
        '    start [shape=point, width=0.15, label=""];',
    ]
    for place in graph.places:
        if isinstance(place, State):
            lines.append(f"    {_node(place)}")
        else:
            lines += [f"    subgraph cluster_{place.name} {{", f'        label="{place.name}"; style=rounded;']
            lines += [f"        {_node(child)}" for child in place.children]
            lines.append("    }")
    lines.append(f'    start -> "{graph.initial}";')
    order = graph.states
    for edge in graph.edges:
        lines += _edges(edge, back=order.index(edge.target) < order.index(edge.source))
    return "\n".join([*lines, "}"]) + "\n"


def _node(state: State) -> str:
    border = ", peripheries=2" if state.settled else ""
    return f'"{state}" [label="{state.substatus or state.status}"{border}];'


def _edges(edge: Edge, *, back: bool) -> list[str]:
    """One line for each way; an edge that leads back may not turn the ranking of the states upside down."""
    rank = ", constraint=false" if back else ""
    return [
        f'    "{edge.source}" -> "{edge.target}" [label="{label}"{_STYLES[way]}{rank}];'
        for way in Way
        if (label := "\\n".join(f" {sentence_of(row)} " for row in edge.along(way)))
    ]
