"""The graph as JSON, for programs: states, transitions in the order in which they are tried, and what guards mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fwsm.diagram.graph import effects_of, guards_of, way_of
from fwsm.diagram.overlay import PLAIN
from fwsm.diagram.shown import Shown

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Row
    from fwsm.core.update import State
    from fwsm.diagram.graph import Graph
    from fwsm.diagram.overlay import Overlay
    from fwsm.diagram.tally import Spent, Tally

__all__ = ["text"]


def text(graph: Graph, overlay: Overlay = PLAIN) -> str:
    """One object: `initial`, `states`, `transitions`; of a device also `current` and `history`."""
    whole: dict[str, Any] = {
        "initial": graph.initial.value,
        "states": [_state(state) for state in graph.states],
        "transitions": [_transition(row) for row in graph.rows],
    }
    if overlay.caption:
        whole = {"caption": overlay.caption} | whole
    if overlay.here is not None:
        whole["current"] = {"state": overlay.here.state.value, "notes": list(overlay.here.words)}
    if overlay.tally is not None:
        whole["history"] = _history(overlay.tally)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _state(state: State) -> dict[str, Any]:
    return {
        "id": state.value,
        "status": state.status,
        "substatus": state.substatus,
        "settled": state.settled,
        "interruptible": state.interruptible,
    }


def _history(tally: Tally) -> dict[str, Any]:
    return {
        "states": [
            {
                "id": state.value,
                "visits": passed.visits,
                "tries": passed.tries,
                "restarts": passed.restarts,
                **_spent(passed.time),
            }
            for state, passed in tally.states.items()
        ],
        "edges": [
            {
                "source": source.value,
                "target": target.value,
                "triggers": sorted(taken.triggers),
                "times": taken.times,
                **_spent(taken.time),
            }
            for (source, target), taken in tally.edges.items()
        ],
    }


def _spent(time: Spent) -> dict[str, Any]:
    return {"seconds": round(time.seconds, 6), "secondsAreAll": time.whole}


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
