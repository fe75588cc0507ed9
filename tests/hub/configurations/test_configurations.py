"""The configurations of a hub: etags, limits, and what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.configurations.configurations import Configurations, Placement
from fwsm.hub.diskstate import DiskState
from fwsm.hub.events import Event, Events, WorkWaiting
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from tests.hub.configurations.scene import body

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.state import State


def _configurations(state: State | None = None, heard: list[Event] | None = None) -> Configurations:
    events = Events()
    events.subscribe((heard if heard is not None else []).append)
    return Configurations(state or EphemeralState(), events, lambda: 1000.0)


def _why(configurations: Configurations, method: str, *args: Any) -> Why:
    with pytest.raises(Refusal) as caught:
        getattr(configurations, method)(*args)
    return caught.value.why


def test_configuration_lives_from_creation_to_deletion() -> None:
    """Each write gives word that there is work."""
    heard: list[Event] = []
    configurations = _configurations(heard=heard)
    made = configurations.create("c", body())
    changed = configurations.update("c", body(priority=3), made.etag)
    assert configurations.get("c") == changed
    assert configurations.listed() == [changed]
    configurations.delete("c", changed.etag)
    assert configurations.listed() == []
    assert heard == [WorkWaiting()] * 3


def test_rules_of_names_and_etags() -> None:
    """Create only what is not there, change only what is, and only as it was read."""
    configurations = _configurations()
    for method, args in (("get", ("c",)), ("update", ("c", body(), "*")), ("delete", ("c", "*"))):
        assert _why(configurations, method, *args) is Why.CONFIGURATION_NOT_FOUND
    configurations.create("c", body())
    assert _why(configurations, "create", "c", body()) is Why.CONFIGURATION_EXISTS
    assert _why(configurations, "update", "c", body(), "stale") is Why.PRECONDITION
    assert _why(configurations, "delete", "c", "stale") is Why.PRECONDITION


def test_hub_has_room_for_a_hundred() -> None:
    """One more is refused."""
    configurations = _configurations()
    for number in range(100):
        configurations.create(f"c{number}", body())
    assert _why(configurations, "create", "more", body()) is Why.TOO_MANY_CONFIGURATIONS


def test_twin_shows_where_it_stands() -> None:
    """Applied is one, targeted are the others; nowhere is the default."""
    configurations = _configurations()
    placement = Placement(("b", "a"), "b", 1.0)
    configurations.place("d1", placement)
    assert configurations.placement("d1").document() == {"b": {"status": "Applied"}, "a": {"status": "Targeted"}}
    assert configurations.placements() == [placement]
    for _ in range(2):
        configurations.forget("d1")
        assert configurations.placements() == []
    assert configurations.placement("d1").document() == {}


def test_all_of_it_comes_back_from_disk(tmp_path: Path) -> None:
    """Configurations and placements."""
    state = DiskState(tmp_path / "hub.db")
    first = _configurations(state)
    first.create("c", body(labels={"x": "y"}))
    first.place("d1", Placement(("c",), "c", 1000.0))
    first.place("d2", Placement(("c",), "c", 1000.0))
    first.forget("d2")
    state.commit()
    second = _configurations(state)
    assert second.listed() == first.listed()
    assert second.placements() == first.placements() == [Placement(("c",), "c", 1000.0)]
    state.close()
