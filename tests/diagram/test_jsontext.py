from __future__ import annotations

import json
from typing import Any

from fwsm.core.lifecycle import TABLE, Lifecycle
from fwsm.core.update import State
from fwsm.diagram.graph import Graph
from fwsm.diagram.jsontext import text
from fwsm.diagram.overlay import Overlay
from tests.diagram.journeys import GOOD, told

WHOLE: dict[str, Any] = json.loads(text(Graph.of(Lifecycle())))


def test_states_say_what_they_are() -> None:
    """Each state has its parts and whether it is settled or can be interrupted."""
    assert WHOLE["initial"] == "waiting"
    assert {state["id"] for state in WHOLE["states"]} == set(State)
    by_id = {state["id"]: state for state in WHOLE["states"]}
    assert by_id["applying.rebooting"] == {
        "id": "applying.rebooting",
        "status": "applying",
        "substatus": "rebooting",
        "settled": False,
        "interruptible": False,
    }


def test_transitions_are_the_table_in_its_order() -> None:
    """Each row is there, also those that change nothing, in the order in which they are tried."""
    said = [(one["trigger"], one["source"], one["target"], one["guards"]) for one in WHOLE["transitions"]]
    assert said == [(row.trigger, row.source, row.target, [guard.__name__ for guard in row.guards]) for row in TABLE]


def test_transition_says_what_it_does_and_shows() -> None:
    """Effects, the failure that the row names, and the twin after it."""
    (one,) = (t for t in WHOLE["transitions"] if t["source"] == "applying.rebooting" and t["target"] == "applyFailed")
    assert one["way"] == "restart"
    assert one["effects"] == ["restart + 1", "old firmware runs"]
    assert one["failure"]["code"] == "bootFellBack"
    assert one["failure"]["kind"] == "permanent"
    assert one["twin"] == {"status": "applyFailed", "substatus": "rolledBack", "errorCode": "bootFellBack"}


def test_transition_that_changes_nothing_shows_nothing() -> None:
    """A settled state that comes back has neither target nor twin."""
    unchanged = [one for one in WHOLE["transitions"] if one["target"] is None]
    assert {one["source"] for one in unchanged} == {state.value for state in State if state.settled}
    assert {one["twin"] for one in unchanged} == {None}


def test_a_device_is_shown() -> None:
    """Where its update stands, and what was counted, in seconds."""
    journey = told(*GOOD)
    drawn = json.loads(text(Graph.of(Lifecycle()), Overlay.of(journey, current=True, history=True)))
    assert drawn["caption"].startswith("Update 0c8e88e7 to 2.0")
    assert drawn["current"] == {"state": "applyComplete", "notes": ["since 2026-05-04 12:00:50 UTC"]}
    assert {
        "id": "downloading",
        "visits": 1,
        "tries": 2,
        "restarts": 1,
        "seconds": 19.0,
        "secondsAreAll": True,
    } in drawn["history"]["states"]
    assert {
        "source": "downloading",
        "target": "downloading",
        "triggers": ["download_failed", "restarted"],
        "times": 2,
        "seconds": 8.0,
        "secondsAreAll": True,
    } in drawn["history"]["edges"]
    assert {"caption", "current", "history"}.isdisjoint(json.loads(text(Graph.of(Lifecycle()))))
