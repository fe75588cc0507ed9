"""The topics of IoT Hub: what a device may publish and subscribe, and what the hub publishes to it.

`$iothub/…` names are the same for every device, so a topic never says whose twin is meant: the connection does.
Source: "Use MQTT to communicate with IoT Hub".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

from fwsm.hub.bags import Bag, parse_bag

__all__ = [
    "DESIRED",
    "METHODS",
    "TWIN_ANSWERS",
    "MethodAnswer",
    "Publication",
    "ReportedPatch",
    "Telemetry",
    "TwinRead",
    "UnknownTopicError",
    "allowed_filters",
    "client_path",
    "desired_topic",
    "inbox_filter",
    "inbox_topic",
    "is_method_name",
    "method_topic",
    "parse_publication",
    "request_parts",
    "twin_answer_topic",
]

METHODS = "$iothub/methods/POST/#"
TWIN_ANSWERS = "$iothub/twin/res/#"
DESIRED = "$iothub/twin/PATCH/properties/desired/#"

_TWIN_READ = "$iothub/twin/GET/"
_REPORTED = "$iothub/twin/PATCH/properties/reported/"
# Ours. A topic has at most 65535 bytes, and that of an answer is a little longer than that of its request.
_LONGEST_RID = 1024
_METHOD_ANSWER = re.compile(r"\$iothub/methods/res/(-?\d{1,10})/")
# The Python SDK URL-decodes the name in the topic, others do not; these characters mean the same to both.
_METHOD_NAME = re.compile(r"[A-Za-z0-9_*.\-]{1,100}")


class UnknownTopicError(Exception):
    """A device may not publish to this topic."""


@dataclass(frozen=True, slots=True)
class Telemetry:
    """A device-to-cloud message, with its properties."""

    bag: Bag = field(default_factory=Bag)


@dataclass(frozen=True, slots=True)
class TwinRead:
    """The device wants its twin; the answer carries `rid`, letter for letter."""

    rid: str


@dataclass(frozen=True, slots=True)
class ReportedPatch:
    """The device reports; with `base_version` only if that is still the version of its reported properties."""

    rid: str
    base_version: int | None


@dataclass(frozen=True, slots=True)
class MethodAnswer:
    """The device's answer to the direct method call `rid`."""

    rid: str
    status: int


Publication: TypeAlias = Telemetry | TwinRead | ReportedPatch | MethodAnswer


def client_path(client_id: str) -> str:
    """Return `devices/{device}` or `devices/{device}/modules/{module}`: in topics, and as the resource of a token."""
    device_id, slash, module_id = client_id.partition("/")
    return f"devices/{device_id}/modules/{module_id}" if slash else f"devices/{device_id}"


def parse_publication(topic: str, client_id: str) -> Publication:
    """Say what `client_id` means by publishing to `topic`.

    Raises:
        UnknownTopicError: it is none of the documented topics, is another device's, or lacks its `$rid`, or that is
            too long.
    """
    telemetry = f"{client_path(client_id)}/messages/events"
    if f"{topic}/".startswith(f"{telemetry}/"):
        return Telemetry(parse_bag(topic.removeprefix(telemetry)))
    path, fields = request_parts(topic)
    rid = fields.get("$rid", "")
    if rid and path == _TWIN_READ:
        return TwinRead(rid)
    if rid and path == _REPORTED:
        return ReportedPatch(rid, _version(topic, fields.get("$version")))
    answer = _METHOD_ANSWER.fullmatch(path)
    if rid and answer is not None:
        return MethodAnswer(rid, int(answer[1]))
    raise UnknownTopicError(f"{client_id} may not publish to {topic}")


def request_parts(topic: str) -> tuple[str, dict[str, str]]:
    """Return the path of a topic, and the fields behind its question mark as they stand there.

    Raises:
        UnknownTopicError: `$rid` is so long that no answer could carry it.
    """
    path, _, query = topic.partition("?")
    fields = dict(part.partition("=")[::2] for part in query.split("&"))
    if len(fields.get("$rid", "")) > _LONGEST_RID:
        raise UnknownTopicError(f"the $rid in {topic:.80}… has more than {_LONGEST_RID} characters")
    return path, fields


def _version(topic: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004 - fits 64 bits
        raise UnknownTopicError(f"the $version in {topic} is not a number")
    return int(text)


def allowed_filters(client_id: str) -> frozenset[str]:
    """Return the topic filters that a device may subscribe to; a module has inputs in the place of messages."""
    return frozenset({METHODS, TWIN_ANSWERS, DESIRED, inbox_filter(client_id)})


def inbox_filter(client_id: str) -> str:
    """Return the filter for cloud-to-device messages, or for the inputs of a module."""
    return f"{client_path(client_id)}/inputs/#" if "/" in client_id else f"{inbox_topic(client_id)}#"


def inbox_topic(device_id: str) -> str:
    """Return the topic of a device's cloud-to-device messages; their properties follow behind it."""
    return f"{client_path(device_id)}/messages/devicebound/"


def is_method_name(name: object) -> bool:
    """Say whether `name` can be the name of a direct method in a topic."""
    return isinstance(name, str) and _METHOD_NAME.fullmatch(name) is not None


def method_topic(name: str, rid: str) -> str:
    """Return the topic on which the hub calls a direct method."""
    return f"$iothub/methods/POST/{name}/?$rid={rid}"


def twin_answer_topic(status: int, rid: str, version: int | None = None) -> str:
    """Return the topic of the answer to a twin read or a reported patch."""
    topic = f"$iothub/twin/res/{status}/?$rid={rid}"
    return topic if version is None else f"{topic}&$version={version}"


def desired_topic(version: int) -> str:
    """Return the topic on which the hub tells of changed desired properties."""
    return f"$iothub/twin/PATCH/properties/desired/?$version={version}"
