"""The topics, against those that the real SDK uses."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.bags import Bag
from fwsm.hub.topics import (
    DESIRED,
    METHODS,
    TWIN_ANSWERS,
    MethodAnswer,
    ReportedPatch,
    Telemetry,
    TwinRead,
    UnknownTopicError,
    allowed_filters,
    desired_topic,
    inbox_filter,
    is_method_name,
    method_topic,
    parse_publication,
    twin_answer_topic,
)

sdk: Any = importlib.import_module("azure.iot.device.iothub.pipeline.mqtt_topic_iothub")


def test_filters_of_the_sdk_are_allowed() -> None:
    """Every filter that the SDK subscribes to is one that the hub knows."""
    assert allowed_filters("d1") == {
        sdk.get_c2d_topic_for_subscribe("d1"),
        sdk.get_method_topic_for_subscribe(),
        sdk.get_twin_response_topic_for_subscribe(),
        sdk.get_twin_patch_topic_for_subscribe(),
    }
    assert {METHODS, TWIN_ANSWERS, DESIRED} < allowed_filters("d1")


def test_topics_of_modules_are_those_of_the_sdk() -> None:
    """A module has telemetry and inputs of its own; the rest is as for devices."""
    assert sdk.get_input_topic_for_subscribe("d1", "m1") == inbox_filter("d1/m1")
    assert inbox_filter("d1/m1") in allowed_filters("d1/m1")
    topic = sdk.get_telemetry_topic_for_publish("d1", "m1")
    assert parse_publication(topic, "d1/m1") == Telemetry()
    for other in ("d1", "d1/m2"):
        with pytest.raises(UnknownTopicError):
            parse_publication(topic, other)


def test_publications_of_the_sdk_are_understood() -> None:
    """What the SDK publishes is taken for what it means."""
    topics = {
        sdk.get_telemetry_topic_for_publish("d1", None): Telemetry(),
        sdk.get_telemetry_topic_for_publish("d1", None) + "%24.mid=7&a=b": Telemetry(
            Bag({"message-id": "7"}, {"a": "b"})
        ),
        sdk.get_twin_topic_for_publish("GET", "/", "r-1"): TwinRead("r-1"),
        sdk.get_twin_topic_for_publish("PATCH", "/properties/reported/", "r-2"): ReportedPatch("r-2", None),
        sdk.get_method_topic_for_publish("3", "-7"): MethodAnswer("3", -7),
    }
    assert {topic: parse_publication(topic, "d1") for topic in topics} == topics


def test_topics_of_the_hub_are_understood_by_the_sdk() -> None:
    """What the hub publishes, the SDK takes apart as it was meant."""
    call, answer = method_topic("do_it-now.*", "2a"), twin_answer_topic(204, "r%201", 17)
    assert sdk.is_method_topic(call)
    assert (sdk.get_method_name_from_topic(call), sdk.get_method_request_id_from_topic(call)) == ("do_it-now.*", "2a")
    assert sdk.is_twin_response_topic(answer)
    assert sdk.get_twin_status_code_from_topic(answer) == "204"
    assert sdk.get_twin_request_id_from_topic(answer) == "r 1"
    assert sdk.is_twin_desired_property_patch_topic(desired_topic(3))


def test_base_version_of_a_report_is_read() -> None:
    """Some SDKs say on which version a report builds."""
    topic = "$iothub/twin/PATCH/properties/reported/?$rid=1&$version=12"
    assert parse_publication(topic, "d1") == ReportedPatch("1", 12)


@pytest.mark.parametrize(
    "topic",
    [
        "devices/d2/messages/events/",
        "devices/d1/messages/eventsX",
        "$iothub/twin/GET/",
        "$iothub/twin/GET/?$rid=",
        "$iothub/twin/PATCH/properties/desired/?$rid=1",
        "$iothub/twin/PATCH/properties/reported/?$rid=1&$version=x",
        "$iothub/methods/res/ok/?$rid=1",
        "$iothub/methods/POST/x/?$rid=1",
        f"$iothub/twin/GET/?$rid={'1' * 1025}",
        "anything",
    ],
)
def test_other_publications_are_refused(topic: str) -> None:
    """Other devices' topics, requests that cannot be answered and topics that do not exist are not taken."""
    with pytest.raises(UnknownTopicError):
        parse_publication(topic, "d1")


@given(st.text(max_size=60))
def test_no_topic_breaks_the_parser(tail: str) -> None:
    """Whatever a device publishes to is understood or refused."""
    for prefix in ("", "$iothub/twin/PATCH/properties/reported/?$rid=1&$version=", "$iothub/methods/res/"):
        try:
            parse_publication(prefix + tail, "d1")
        except UnknownTopicError:
            continue


@pytest.mark.parametrize(
    ("name", "good"), [("a.B-c_9*", True), ("a b", False), ("a/b", False), ("", False), (3, False)]
)
def test_method_name_is_one_that_all_sdks_read_alike(name: object, *, good: bool) -> None:
    """Names that would have to be URL-encoded are not used."""
    assert is_method_name(name) is good
