"""The twins of all devices: who may change what, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from fwsm.hub.engine import Engine
from fwsm.hub.events import DesiredChanged, Event, Reported, TwinAdded, TwinChanged, TwinRemoved
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState


@pytest.fixture
def engine() -> Engine:
    """Return a hub without doors that knows d1."""
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    engine.registry.create("d1", {})
    return engine


@pytest.fixture
def heard(engine: Engine) -> list[Event]:
    """Return the list that events go to."""
    heard: list[Event] = []
    engine.events.subscribe(heard.append)
    return heard


def test_twin_comes_and_goes_with_its_device(engine: Engine) -> None:
    """A device that is made again begins with an empty twin; a disabled one keeps its own."""
    engine.twins.report("d1", {"a": 1})
    engine.registry.update("d1", {"status": "disabled"}, "*")
    assert engine.twins.get("d1").reported.values == {"a": 1}
    engine.registry.delete("d1", "*")
    with pytest.raises(Refusal) as caught:
        engine.twins.get("d1")
    assert caught.value.why is Why.DEVICE_NOT_FOUND
    engine.registry.create("d1", {})
    assert engine.twins.get("d1").reported.values == {}


def test_twin_that_comes_and_goes_is_told(engine: Engine, heard: list[Event]) -> None:
    """With what was in it at the end."""
    engine.registry.create("d2", {})
    twin = engine.twins.report("d2", {"a": 1})
    engine.registry.delete("d2", "*")
    (added,) = (event for event in heard if isinstance(event, TwinAdded))
    assert (added.client_id, added.twin.reported.values) == ("d2", {})
    assert TwinRemoved("d2", twin) in heard


def test_report_is_told_with_its_version(engine: Engine, heard: list[Event]) -> None:
    """Listeners see the patch as the device sent it, and that the twin has changed."""
    engine.twins.report("d1", {"a": None})
    assert heard == [
        Reported("d1", {"a": None}, 2),
        TwinChanged("d1", {"reported": {"a": None}}, 2, {"reported": 2}, 0.0),
    ]


def test_desired_change_is_told_with_its_nulls(engine: Engine, heard: list[Event]) -> None:
    """The device has to learn of deletions; tags are not its business."""
    engine.twins.update("d1", {"properties": {"desired": {"a": 1, "b": None}}, "tags": {"t": 1}})
    engine.twins.update("d1", {"tags": {"t": 2}})
    assert heard == [
        DesiredChanged("d1", {"a": 1, "b": None}, 2),
        TwinChanged("d1", {"tags": {"t": 1}, "desired": {"a": 1, "b": None}}, 2, {"desired": 2}, 0.0),
        TwinChanged("d1", {"tags": {"t": 2}}, 3, {}, 0.0),
    ]


def test_replacement_is_told_as_the_patch_that_leads_there(engine: Engine, heard: list[Event]) -> None:
    """What is unchanged is left out, what is gone is null, true is not 1."""
    old = {"same": {"a": 1}, "gone": 2, "deep": {"same": 1, "gone": 2}, "flag": 1, "kind": {"a": 1}}
    new = {"same": {"a": 1}, "new": 3, "deep": {"same": 1}, "flag": True, "kind": [1]}
    engine.twins.update("d1", {"properties": {"desired": old}})
    engine.twins.replace("d1", {"properties": {"desired": new}})
    change = {"gone": None, "new": 3, "deep": {"gone": None}, "flag": True, "kind": [1]}
    twin = engine.twins.get("d1")
    assert heard[-2:] == [DesiredChanged("d1", change, 3), TwinChanged("d1", {}, 3, {}, 0.0, replacement=twin)]
    assert twin.desired.values == new


def test_whole_twin_may_be_sent_back(engine: Engine) -> None:
    """Tools read a twin, change it and send all of it; what is not the operator's to write is ignored."""
    body: dict[str, Any] = {
        "deviceId": "d1",
        "etag": "x",
        "tags": {"t": 1},
        "properties": {
            "desired": {"a": 1, "$metadata": {"$lastUpdated": "…"}, "$version": 9},
            "reported": {"b": 1, "$version": 9},
        },
    }
    twin = engine.twins.update("d1", body)
    assert (twin.tags, twin.desired.values, twin.desired.version, twin.reported.values) == ({"t": 1}, {"a": 1}, 2, {})


def test_stale_etag_changes_nothing(engine: Engine, heard: list[Event]) -> None:
    """Of two operators that read the same twin, the second writer is refused."""
    etag = engine.twins.get("d1").etag
    engine.twins.update("d1", {"tags": {"t": 1}}, etag)
    heard.clear()
    for write in (engine.twins.update, engine.twins.replace):
        with pytest.raises(Refusal) as caught:
            write("d1", {"properties": {"desired": {"a": 1}}}, etag)
        assert caught.value.why is Why.PRECONDITION
    assert heard == []
    assert engine.twins.get("d1").tags == {"t": 1}


@pytest.mark.parametrize("body", [{"tags": 1}, {"properties": []}, {"properties": {"desired": "x"}}])
def test_part_that_is_no_object_is_refused(engine: Engine, body: dict[str, Any]) -> None:
    """The parts of a change are objects."""
    with pytest.raises(Refusal, match="is not an object") as caught:
        engine.twins.update("d1", body)
    assert caught.value.why is Why.ARGUMENT_INVALID
