"""Property bags, against the SDK that reads and writes them."""

from __future__ import annotations

import importlib
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.bags import Bag, encode_bag, parse_bag

_message: Any = importlib.import_module("azure.iot.device").Message
sdk: Any = importlib.import_module("azure.iot.device.iothub.pipeline.mqtt_topic_iothub")


def test_bag_of_the_sdk_is_understood() -> None:
    """System properties get the names that IoT Hub shows them by, the application's stay as they are."""
    message: Any = _message(b"x", message_id="m 1", content_encoding="utf-8", content_type="application/json")
    message.correlation_id = "c&1"
    message.custom_properties = {"room": "5=6", "ü": "$.mid", "empty": ""}
    text = sdk.encode_message_properties_in_topic(message, "")
    assert parse_bag(text) == Bag(
        {
            "message-id": "m 1",
            "correlation-id": "c&1",
            "content-type": "application/json",
            "content-encoding": "utf-8",
        },
        {"room": "5=6", "ü": "$.mid", "empty": ""},
    )


def test_sdk_understands_our_bag() -> None:
    """What the hub sends behind the topic arrives at the device."""
    bag = Bag({"message-id": "m 1", "to": "/devices/d1/messages/devicebound"}, {"iothub-ack": "full", "a b": "1&2"})
    message: Any = _message(b"")
    sdk.extract_message_properties_from_topic(f"devices/d1/messages/devicebound/{encode_bag(bag)}", message)
    assert (message.message_id, message.ack) == ("m 1", "full")
    assert message.custom_properties == {"a b": "1&2"}


@pytest.mark.parametrize(
    ("text", "application"),
    [
        ("", {}),
        ("/", {}),
        ("/?a=b", {"a": "b"}),
        ("a=b/", {"a": "b"}),
        ("a", {"a": None}),
        ("a=", {"a": ""}),
        ("&&=x&a=b=c", {"a": "b=c"}),
        ("%zz=%", {"%zz": "%"}),
    ],
)
def test_every_text_is_a_bag(text: str, application: dict[str, str | None]) -> None:
    """A name alone has no value, a name with an equals sign an empty one; nothing is refused."""
    assert parse_bag(text) == Bag({}, application)


_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(
    st.dictionaries(st.sampled_from(["message-id", "content-type", "to"]), _texts),
    st.dictionaries(_texts.filter(lambda name: not name.startswith("$.")), st.none() | _texts),
)
def test_bag_survives_the_wire(system: dict[str, str], application: dict[str, str | None]) -> None:
    """Whatever characters are in it."""
    assert parse_bag(encode_bag(Bag(system, application))) == Bag(system, application)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    """A bag comes out of anything."""
    assert set(parse_bag(text).application) <= {unquote(part.partition("=")[0]) for part in text.split("&")} | {
        unquote(part.partition("=")[0]) for part in text.strip("/").removeprefix("?").split("&")
    }


def test_marks_are_added_only_where_they_are_due() -> None:
    """RETAIN and wills leave a mark; an ordinary message is the bag that came."""
    bag = Bag({"message-id": "1"}, {"a": "b"})
    assert bag.marked() is bag
    assert bag.marked(retain=True) == Bag({"message-id": "1"}, {"a": "b", "mqtt-retain": "true"})
    assert bag.marked(will=True).system["iothub-MessageType"] == "Will"
