"""The graph as Mermaid text, in the form that GitHub renders: `stateDiagram-v2` with a title in its front matter.

Mermaid has no dots in state ids and no dashed edges, so a child is written `applying_installing` and shown by its
short name, and what is not a fact carries a mark before its trigger.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.graph import Way, sentence_of, way_of

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Row
    from fwsm.diagram.graph import Edge, Graph

__all__ = ["MARKS", "full", "outline"]

MARKS: Final = {Way.FACT: "", Way.RESTART: "↻ ", Way.COMMAND: "» "}
_TITLE: Final = "Lifecycle of a firmware update"
# Light fills with dark text of their own, so that they can be read on GitHub's light and dark page alike.
_CLASSES: Final = (
    "classDef good fill:#d1f0d9,stroke:#1a7f37,color:#0a3d1a",
    "classDef bad fill:#ffdcd9,stroke:#cf222e,color:#6b0f16",
)


def full(graph: Graph) -> str:
    """Everything: each row of the table that leads somewhere. Entering the same state again is a note beside it."""
    lines = [f"%% {MARKS[Way.RESTART]}the process came back   {MARKS[Way.COMMAND]}an operator's command"]
    lines += _states(graph)
    for edge in graph.edges:
        if edge.again:
            lines += [f"note left of {_id(edge.source)}", "    again on", *_indented(_sentences(edge.rows)), "end note"]
        else:
            lines.append(_arrow(edge, edge.rows))
    lines += [f"{_id(state)} --> [*]" for state in graph.states if state.settled]
    return _drawing(lines + _colours(graph))


def outline(graph: Graph) -> str:
    """The ways that there are, as a reader wants them first.

    Rows that enter the same state again are left to the full picture, and so are those of a process that came back
    where something else leads the same way: they would triple the labels. The end is where no row leads on.
    """
    lines = _states(graph)
    for edge in graph.edges:
        if not edge.again:
            lines.append(_arrow(edge, edge.along(Way.FACT) + edge.along(Way.COMMAND) or edge.rows))
    left = {edge.source for edge in graph.edges}
    lines += [f"{_id(state)} --> [*]" for state in graph.states if state not in left]
    return _drawing(lines + _colours(graph))


def _drawing(lines: list[str]) -> str:
    return "\n".join(["---", f"title: {_TITLE}", "---", "stateDiagram-v2", *_indented(lines)]) + "\n"


def _states(graph: Graph) -> list[str]:
    lines: list[str] = []
    for place in graph.places:
        if isinstance(place, State):
            lines.append(f'state "{place}" as {_id(place)}')
        else:
            children = [f'state "{child.substatus}" as {_id(child)}' for child in place.children]
            lines += [f"state {place.name} {{", *_indented(children), "}"]
    return [*lines, f"[*] --> {_id(graph.initial)}"]


def _colours(graph: Graph) -> list[str]:
    settled = [state for state in graph.states if state.settled]
    classes = [f"class {_id(state)} {'good' if state is State.APPLY_COMPLETE else 'bad'}" for state in settled]
    return [*_CLASSES, *classes]


def _arrow(edge: Edge, rows: tuple[Row, ...]) -> str:
    return f"{_id(edge.source)} --> {_id(edge.target)} : {'<br/>'.join(_sentences(rows))}"


def _sentences(rows: tuple[Row, ...]) -> list[str]:
    return [MARKS[way_of(row.trigger)] + sentence_of(row) for row in rows]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _id(state: State) -> str:
    return state.value.replace(".", "_")
