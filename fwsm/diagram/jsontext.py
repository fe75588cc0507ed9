"""The graph as JSON, for programs: states, transitions in the order in which they are tried, and what guards mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fwsm.diagram.graph import effects_of, guards_of, way_of
from fwsm.diagram.shown import Shown

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Row
    from fwsm.core.update import State
    from fwsm.diagram.graph import Graph

__all__ = ["text"]


def text(graph: Graph) -> str:
    """One object: `initial`, `states`, `transitions`."""
    whole = {
        "initial": graph.initial.value,
        "states": [_state(state) for state in graph.states],
        "transitions": [_transition(row) for row in graph.rows],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _state(state: State) -> dict[str, Any]:
    return {
        "id": state.value,
        "status": state.status,
        "substatus": state.substatus,
        "settled": state.settled,
        "interruptible": state.interruptible,
    }


def _transition(row: Row) -> dict[str, Any]:
    shown = Shown.after(row)
    return {
        "trigger": row.trigger.value,
        "way": way_of(row.trigger).value,
        "source": row.source.value,
        "target": row.target.value if row.target else None,
        "guards": list(guards_of(row)),
        "effects": list(effects_of(row)),
        "failure": {"code": row.failure.code, "message": row.failure.message, "kind": row.failure.kind.value}
        if row.failure
        else None,
        "twin": {"status": shown.status, "substatus": shown.substatus, "errorCode": shown.error} if shown else None,
    }
