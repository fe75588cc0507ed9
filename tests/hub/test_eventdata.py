"""The shape of events, as the documentation of IoT Hub shows them."""

from __future__ import annotations

import json

from fwsm.hub.bags import Bag
from fwsm.hub.eventdata import EventData, event_data
from fwsm.hub.events import (
    Connected,
    Disconnected,
    Event,
    Sender,
    Subscribed,
    TelemetryReceived,
    TwinAdded,
    TwinChanged,
    TwinRemoved,
)
from fwsm.hub.twin import Twin

AT = 1_654_122_470.25


def _shown(event: Event, number: int = 7) -> EventData:
    data = event_data("hub", number, AT, event)
    assert data is not None
    return data


def test_telemetry_is_shown_as_it_was_sent_with_where_it_came_from() -> None:
    """Body and properties are the device's, annotations the hub's."""
    bag = Bag({"message-id": "1"}, {"room": "5", "flag": None})
    sender = Sender("d1/m1", "module", "sas", 42, "dtmi:x;1")
    data = _shown(TelemetryReceived("d1/m1", bag, b"\xff", sender))
    assert (data.body, data.system, data.application) == (b"\xff", {"message-id": "1"}, {"room": "5", "flag": None})
    method = {"scope": "module", "type": "sas", "issuer": "iothub", "acceptingIpFilterRule": None}
    assert data.annotations == {
        "iothub-connection-device-id": "d1",
        "iothub-connection-module-id": "m1",
        "iothub-connection-auth-method": json.dumps(method, separators=(",", ":")),
        "iothub-connection-auth-generation-id": "42",
        "dt-dataschema": "dtmi:x;1",
        "iothub-enqueuedtime": 1_654_122_470_250,
        "iothub-message-source": "Telemetry",
        "x-opt-sequence-number": 7,
        "x-opt-offset": "7",
        "x-opt-enqueued-time": 1_654_122_470_250,
    }


def test_certificate_is_of_another_issuer() -> None:
    """The way in which the device proved itself is on each message."""
    sender = Sender("d1", "device", "x509", 1)
    annotations = _shown(TelemetryReceived("d1", Bag(), b"", sender)).annotations
    assert '"type":"x509","issuer":"external"' in annotations["iothub-connection-auth-method"]
    assert "dt-dataschema" not in annotations


def test_coming_and_going_are_connection_state_events() -> None:
    """The body is a number that grows, as 64 hexadecimal digits."""
    came, went = _shown(Connected("d1"), 1), _shown(Disconnected("d1"), 0x1F)
    assert (came.source, came.device_id, came.module_id) == ("deviceConnectionStateEvents", "d1", None)
    assert came.application == {
        "hubName": "hub",
        "deviceId": "d1",
        "operationTimestamp": "2022-06-01T22:27:50.2500000Z",
        "iothub-message-schema": "deviceConnectionStateNotification",
        "opType": "deviceConnected",
    }
    assert went.application["opType"] == "deviceDisconnected"
    assert came.json() == {"sequenceNumber": f"{1:064}"}
    assert went.json() == {"sequenceNumber": "1F".rjust(64, "0")}
    assert came.system["content-type"] == "application/json"
    assert came.system["correlation-id"] != went.system["correlation-id"]


def test_creation_and_deletion_are_lifecycle_events() -> None:
    """The body is the twin, also that of a module."""
    twin = Twin.new(AT)
    for event, operation in ((TwinAdded, "createDeviceIdentity"), (TwinRemoved, "deleteDeviceIdentity")):
        data = _shown(event("d1/m1", twin))
        assert data.source == "deviceLifecycleEvents"
        assert data.application["opType"] == operation
        assert data.application["moduleId"] == data.module_id == "m1"
        assert data.application["iothub-message-schema"] == "deviceLifecycleNotification"
        body = data.json()
        assert (body["deviceId"], body["moduleId"], body["etag"], body["version"]) == ("d1", "m1", twin.etag, 1)
        assert body["properties"]["desired"]["$version"] == 1


def test_change_of_a_twin_shows_what_changed_with_its_metadata() -> None:
    """Nulls are shown; desired metadata has the version, reported has not."""
    change = {"tags": {"t": 1}, "desired": {"a": {"b": None}}}
    data = _shown(TwinChanged("d1", change, 7, {"desired": 6}, AT))
    assert (data.source, data.application["opType"]) == ("twinChangeEvents", "updateTwin")
    assert data.application["iothub-message-schema"] == "twinChangeNotification"
    stamp = {"$lastUpdated": "2022-06-01T22:27:50.2500000Z", "$lastUpdatedVersion": 6}
    assert data.json() == {
        "version": 7,
        "tags": {"t": 1},
        "properties": {
            "desired": {
                "a": {"b": None},
                "$metadata": {**stamp, "a": {**stamp, "b": stamp}},
                "$version": 6,
            }
        },
    }
    reported = _shown(TwinChanged("d1", {"reported": {"a": 1}}, 8, {"reported": 2}, AT)).json()
    assert "$lastUpdatedVersion" not in reported["properties"]["reported"]["$metadata"]
    assert _shown(TwinChanged("d1", {"tags": {}}, 9, {}, AT)).json() == {"version": 9, "tags": {}}


def test_replacement_shows_the_whole_twin() -> None:
    """With device id and etag."""
    twin = Twin.new(AT).with_replacement({"t": 1}, {"a": 1}, AT)
    data = _shown(TwinChanged("d1", {}, twin.version, {}, AT, replacement=twin))
    assert data.application["opType"] == "replaceTwin"
    assert (data.json()["tags"], data.json()["etag"], data.json()["deviceId"]) == ({"t": 1}, twin.etag, "d1")


def test_what_is_no_news_to_operators_is_not_shown() -> None:
    """A subscription is the hub's own affair."""
    assert event_data("hub", 1, AT, Subscribed("d1")) is None


def test_document_shows_any_body() -> None:
    """JSON as it is, else text, else base64; what only Python takes for JSON is text to everyone else."""
    sender = Sender("d1", "device", "sas", 1)
    deep = b"[" * 900 + b"]" * 900
    sent = (b"[1]", b"{", b"\xff", b"[NaN]", b"1e999", b"9" * 5000, deep)
    bodies = [_shown(TelemetryReceived("d1", Bag(), body, sender)).document() for body in sent]
    shown = [body.get("body", body.get("bodyBase64")) for body in bodies]
    assert shown == [[1], "{", "/w==", "[NaN]", "1e999", "9" * 5000, deep.decode()]
    assert bodies[0]["sequenceNumber"] == 7
    assert set(bodies[2]) == {"sequenceNumber", "annotations", "systemProperties", "properties", "bodyBase64"}
