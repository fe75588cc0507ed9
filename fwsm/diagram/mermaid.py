"""The graph as Mermaid text, in the form that GitHub renders: `stateDiagram-v2` with a title in its front matter.

Mermaid has no dots in state ids and no dashed edges, so a child is written `applying_installing` and shown by its
short name, and what is not a fact carries a mark before its trigger.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from fwsm.core.update import State
from fwsm.diagram.graph import Way, sentence_of, way_of
from fwsm.diagram.overlay import PLAIN, counted

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Row
    from fwsm.diagram.graph import Edge, Graph
    from fwsm.diagram.overlay import Overlay

__all__ = ["MARKS", "full", "outline"]

MARKS: Final = {Way.FACT: "", Way.RESTART: "↻ ", Way.COMMAND: "» "}
_TITLE: Final = "Lifecycle of a firmware update"
# Light fills with dark text of their own, so that they can be read on GitHub's light and dark page alike.
_CLASSES: Final = (
    "classDef good fill:#d1f0d9,stroke:#1a7f37,color:#0a3d1a",
    "classDef bad fill:#ffdcd9,stroke:#cf222e,color:#6b0f16",
)
_MISSED: Final = "classDef missed opacity:0.45"
_HERE: Final = "classDef here fill:#b6e3ff,stroke:#0969da,stroke-width:4px,color:#0a3069"
_HERE_SETTLED: Final = "classDef here stroke-width:4px"


def full(graph: Graph, overlay: Overlay = PLAIN) -> str:
    """Everything: each row of the table that leads somewhere. Entering the same state again is a note beside it.

    What is known of a device stands in bold at the edges and in the notes.
    """
    lines = [f"%% {MARKS[Way.RESTART]}the process came back   {MARKS[Way.COMMAND]}an operator's command"]
    lines += _states(graph, overlay)
    for edge in graph.edges:
        taken = overlay.taken(edge)
        if edge.again:
            known = [f"taken {taken}"] if taken else []
            words = [*known, "again on", *_sentences(edge.rows)]
            lines += [f"note left of {_id(edge.source)}", *_indented(words), "end note"]
        else:
            lines.append(_arrow(edge, edge.rows, f"<b>{taken}</b><br/>" if taken else ""))
    lines += [f"{_id(state)} --> [*]" for state in graph.states if state.settled]
    return _drawing([*lines, *_here(overlay), *_colours(graph, overlay)], _title(overlay))


def outline(graph: Graph) -> str:
    """The ways that there are, as a reader wants them first.

    Rows that enter the same state again are left to the full picture, and so are those of a process that came back
    where something else leads the same way: they would triple the labels. The end is where no row leads on.
    """
    lines = _states(graph, PLAIN)
    for edge in graph.edges:
        if not edge.again:
            lines.append(_arrow(edge, edge.along(Way.FACT) + edge.along(Way.COMMAND) or edge.rows))
    left = {edge.source for edge in graph.edges}
    lines += [f"{_id(state)} --> [*]" for state in graph.states if state not in left]
    return _drawing(lines + _colours(graph, PLAIN), _TITLE)


def _title(overlay: Overlay) -> str:
    return json.dumps(_plain(overlay.caption), ensure_ascii=False) if overlay.caption else _TITLE


def _drawing(lines: list[str], title: str) -> str:
    return "\n".join(["---", f"title: {title}", "---", "stateDiagram-v2", *_indented(lines)]) + "\n"


def _states(graph: Graph, overlay: Overlay) -> list[str]:
    lines: list[str] = []
    for place in graph.places:
        if isinstance(place, State):
            lines.append(_state(place, place.status, overlay))
        else:
            children = [_state(child, child.substatus or child.status, overlay) for child in place.children]
            lines += [f"state {place.name} {{", *_indented(children), "}"]
    return [*lines, f"[*] --> {_id(graph.initial)}"]


def _state(state: State, name: str, overlay: Overlay) -> str:
    passed = overlay.passed(state)
    lines = [name, *(counted(passed) if passed else ())]
    return f'state "{"<br/>".join(lines)}" as {_id(state)}'


def _here(overlay: Overlay) -> list[str]:
    if overlay.here is None:
        return []
    words = [_plain(word) for word in ("here", *overlay.here.words)]
    return [f"note right of {_id(overlay.here.state)}", *_indented(words), "end note"]


def _colours(graph: Graph, overlay: Overlay) -> list[str]:
    settled = [state for state in graph.states if state.settled]
    classes = [f"class {_id(state)} {'good' if state is State.APPLY_COMPLETE else 'bad'}" for state in settled]
    missed = [f"class {_id(state)} missed" for state in graph.states if overlay.missed(state)]
    if missed:
        missed = [_MISSED, *missed]
    if overlay.here is not None:
        place = overlay.here.state
        missed += [_HERE_SETTLED if place.settled else _HERE, f"class {_id(place)} here"]
    return [*_CLASSES, *classes, *missed]


def _arrow(edge: Edge, rows: tuple[Row, ...], taken: str = "") -> str:
    return f"{_id(edge.source)} --> {_id(edge.target)} : {taken}{'<br/>'.join(_sentences(rows))}"


def _sentences(rows: tuple[Row, ...]) -> list[str]:
    return [MARKS[way_of(row.trigger)] + sentence_of(row) for row in rows]


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _plain(word: str) -> str:
    """A text of a device's, without what Mermaid would take for its own."""
    return re.sub(r"[^\w ,.:()/+-]", " ", word).replace("end note", "end-note")


def _id(state: State) -> str:
    return state.value.replace(".", "_")
