"""Twins and direct methods over REST."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING

from fwsm.hub.topics import METHODS
from tests.hub.rest.asking import Operator, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    import pytest

    from fwsm.hub import Hub


def test_twin_is_merged_and_replaced(owner: Operator) -> None:
    """PATCH merges, PUT wipes; the etag guards both and comes in the header."""
    owner.ask("PUT", "/devices/d1", {})
    first = owner.ask("GET", "/twins/d1")
    assert first.headers["etag"] == '"AAAAAAAAAAE="'
    change = {"tags": {"a": 1}, "properties": {"desired": {"b": {"c": 2}}}}
    second = owner.ask("PATCH", "/twins/d1", change, If_Match=first.headers["etag"])
    assert (second.body["tags"], second.body["properties"]["desired"]["b"]) == ({"a": 1}, {"c": 2})
    assert owner.ask("PATCH", "/twins/d1", change, If_Match='""').status == 412  # an empty etag is none of a twin
    stale = owner.ask("PATCH", "/twins/d1", change, If_Match=first.headers["etag"])
    assert refused(stale) == (412, "PreconditionFailed")
    third = owner.ask("PUT", "/twins/d1", {"tags": {"z": 0}})
    assert (third.body["tags"], third.body["properties"]["desired"]["$version"]) == ({"z": 0}, 3)
    assert "b" not in third.body["properties"]["desired"]


def test_twin_shows_metadata(owner: Operator) -> None:
    """An operator sees when each property was written."""
    owner.ask("PUT", "/devices/d1", {})
    twin = owner.ask("PATCH", "/twins/d1", {"properties": {"desired": {"a": 1}}}).body
    assert twin["properties"]["desired"]["$metadata"]["a"]["$lastUpdatedVersion"] == 2


def test_twin_beyond_its_limits_isrefused(owner: Operator) -> None:
    """400004 with the place of the offender."""
    owner.ask("PUT", "/devices/d1", {})
    answer = owner.ask("PATCH", "/twins/d1", {"properties": {"desired": {"a.b": 1}}})
    assert refused(answer) == (400, "ArgumentInvalid")
    assert "desired: the key 'a.b'" in answer.body["Message"]


def test_failed_method_has_the_newer_error_inside_the_older(owner: Operator) -> None:
    """Message is JSON with errorCode; the header has the name."""
    owner.ask("PUT", "/devices/d1", {})
    for path, body, code, name in (
        ("/twins/d1/methods", {"methodName": "go"}, 404103, "DeviceNotOnline"),
        ("/twins/d2/methods", {"methodName": "go"}, 404001, "DeviceNotFound"),
        ("/twins/d1/methods", {"methodName": "go", "connectTimeoutInSeconds": 60}, 400004, "ArgumentInvalid"),
    ):
        answer = owner.ask("POST", path, body)
        assert answer.headers["iothub-errorcode"] == name
        assert json.loads(answer.body["Message"])["errorCode"] == code
        assert answer.status == code // 1000


def test_module_has_a_twin_and_methods_of_its_own(hub: Hub, owner: Operator) -> None:
    """Under its device, by the same rules."""
    hub.add_device("d1")
    owner.ask("PUT", "/devices/d1/modules/m1", {})
    path = "/twins/d1/modules/m1"
    twin = owner.ask("PATCH", path, {"properties": {"desired": {"a": 1}}})
    assert (twin.body["moduleId"], twin.body["properties"]["desired"]["a"]) == ("m1", 1)
    assert owner.ask("GET", path).body == twin.body
    assert "a" not in owner.ask("PUT", path, {}, If_Match=twin.headers["etag"]).body["properties"]["desired"]
    assert "a" not in owner.ask("GET", "/twins/d1").body["properties"]["desired"]
    call = owner.ask("POST", f"{path}/methods", {"methodName": "go"})
    assert (call.status, call.headers["iothub-errorcode"]) == (404, "DeviceNotOnline")
    assert refused(owner.ask("GET", "/twins/d1/modules/m2")) == (404, "ModuleNotFound")


class CalledDevice:
    """A connected device that says when it is called, and answers or not."""

    def __init__(self, hub: Hub, answer: bytes | None) -> None:
        self.hub = hub
        self.answer = answer
        self.called = threading.Event()
        hub._live.decide(hub._live.engine.links.attach, "d1", self)

    def listens_to(self, topic_filter: str) -> bool:
        """Listen to methods."""
        return topic_filter == METHODS

    def publish(self, topic: str, payload: bytes) -> None:
        """Take note, and answer."""
        assert (topic, payload) == ("$iothub/methods/POST/go/?$rid=1", b"null")
        self.called.set()
        if self.answer is not None:
            self.hub._live.engine.methods.answered("d1", "1", 409, self.answer)

    def close(self, reason: str) -> None:
        """Never happens here."""
        raise AssertionError(reason)


def test_answer_of_the_device_is_the_body(hub: Hub, owner: Operator) -> None:
    """The request has succeeded, whatever the status of the device says."""
    hub.add_device("d1")
    CalledDevice(hub, b'{"busy": true}')
    answer = owner.ask("POST", "/twins/d1/methods", {"methodName": "go"})
    assert (answer.status, answer.body) == (200, {"status": 409, "payload": {"busy": True}})


def test_hub_stops_at_once_while_a_method_waits(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who waits for an answer is cut off, and nothing is logged as an error."""
    hub.add_device("d1")
    device, operator, outcome = CalledDevice(hub, None), Operator(hub), list[Exception]()

    def call() -> None:
        try:
            operator.ask("POST", "/twins/d1/methods", {"methodName": "go"})
        except (http.client.HTTPException, OSError) as error:
            outcome.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert device.called.wait(PATIENCE_S)
    hub.stop()
    caller.join(PATIENCE_S)
    assert len(outcome) == 1
    assert [record for record in caplog.records if record.levelname == "ERROR" and "azure" not in record.name] == []
