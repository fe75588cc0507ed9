"""The request for a configuration."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.configurations.configuration import Configuration, read_metric, read_target
from fwsm.hub.jsontext import compact
from fwsm.hub.query import QueryError
from fwsm.hub.refusal import Refusal, Why
from tests.hub.anyjson import VALUES, bodies
from tests.hub.configurations.scene import body


def test_description_is_taken_over() -> None:
    """And comes back from its record."""
    request = body(
        "tags.a = 1", 20, id="c-1", labels={"x": "y"}, metrics={"queries": {"m": "SELECT deviceId FROM devices"}}
    )
    made = Configuration.from_body("c-1", request, 1000.0)
    assert (made.target, made.priority, made.labels, made.kind) == ("tags.a = 1", 20, {"x": "y"}, "deviceContent")
    assert (made.created_at, made.updated_at, made.revision) == (1000.0, 1000.0, 1)
    assert Configuration(**made.record()) == made


def test_change_leaves_content_and_birth_alone() -> None:
    """Everything else is as the new description says; the etag moves."""
    old = Configuration.from_body("c", body(), 1000.0)
    new = old.described({"priority": 7, "content": {"deviceContent": {"properties.desired.b": 2}}}, 2000.0)
    assert (new.content, new.created_at, new.updated_at, new.priority, new.target) == (
        old.content,
        1000.0,
        2000.0,
        7,
        "",
    )
    assert new.etag != old.etag


def test_higher_priority_wins_and_of_equals_the_younger() -> None:
    """As ranks compare."""
    low, high = (Configuration.from_body("c", body(priority=priority), 1000.0) for priority in (1, 2))
    assert high.rank > low.rank
    assert Configuration.from_body("a", body(priority=1), 1001.0).rank > low.rank


def test_target_is_about_devices_or_about_modules() -> None:
    """The star means all of them, an empty condition nobody."""
    device: dict[str, Any] = {"deviceId": "d", "tags": {"a": 1}}
    module = {**device, "moduleId": "m"}
    for text, included in (
        ("*", [True, False]),
        ("", [False, False]),
        ("tags.a = 1", [True, False]),
        ("FROM devices WHERE tags.a = 2", [False, False]),
        (" from devices.modules where devices.modules.moduleId = 'm'", [False, True]),
    ):
        assert [read_target(text).includes(document) for document in (device, module)] == included


@pytest.mark.parametrize(
    "text", ["x", 1, "SELECT * FROM devices", "SELECT COUNT() AS n FROM devices", "SELECT * FROM devices.jobs"]
)
def test_metric_selects_devices(text: Any) -> None:
    """Nothing else is one."""
    with pytest.raises(QueryError):
        read_metric(text)


@pytest.mark.parametrize(
    ("configuration_id", "request_body", "why"),
    [
        ("C", body(), Why.ARGUMENT_INVALID),
        ("c" * 129, body(), Why.ARGUMENT_INVALID),
        ("c", body(id="d"), Why.ARGUMENT_INVALID),
        ("c", body(priority=-1), Why.ARGUMENT_INVALID),
        ("c", body(priority="1"), Why.ARGUMENT_INVALID),
        ("c", body(labels=["a"]), Why.ARGUMENT_INVALID),
        ("c", body(labels={"a": 1}), Why.ARGUMENT_INVALID),
        ("c", body("tags."), Why.BAD_TARGET),
        ("c", body(1), Why.BAD_TARGET),
        ("c", body("FROM devices.modules WHERE true"), Why.BAD_TARGET),
        ("c", body(content=None), Why.BAD_CONTENT),
        ("c", body(content={"modulesContent": {}}), Why.BAD_CONTENT),
        ("c", body(content={"deviceContent": {"tags.a": 1}}), Why.BAD_CONTENT),
        ("c", body(metrics={"queries": {"m": "x"}}), Why.BAD_METRIC),
        ("c", body(metrics={"queries": dict.fromkeys("abcdef", "SELECT deviceId FROM devices")}), Why.BAD_METRIC),
        ("c", body(metrics=["x"]), Why.ARGUMENT_INVALID),
    ],
)
def test_malformed_request_is_refused(configuration_id: str, request_body: dict[str, Any], why: Why) -> None:
    """With the code for the part that is wrong."""
    with pytest.raises(Refusal) as caught:
        Configuration.from_body(configuration_id, request_body, 0.0)
    assert caught.value.why is why


def test_configuration_for_modules_has_content_for_modules() -> None:
    """And targets them."""
    content = {"moduleContent": {"properties.desired.a": 1}}
    made = Configuration.from_body("c", body("FROM devices.modules WHERE moduleId = 'm'", content=content), 0.0)
    assert made.kind == "moduleContent"
    with pytest.raises(Refusal) as caught:
        Configuration.from_body("c", body("tags.a = 1", content=content), 0.0)
    assert caught.value.why is Why.BAD_TARGET


@given(
    st.text() | st.just("c"),
    bodies(
        id="c",
        priority=1,
        targetCondition="*",
        labels={},
        content=bodies(deviceContent=bodies(**{"properties.desired": VALUES, "properties.desired.a.b": VALUES})),
        metrics=bodies(queries=bodies(m="SELECT deviceId FROM devices")),
        schemaVersion="1.0",
    ),
)
def test_any_body_is_a_configuration_or_refused(configuration_id: str, request_body: dict[str, Any]) -> None:
    """Nothing else is raised, and a configuration can be kept."""
    try:
        made = Configuration.from_body(configuration_id, request_body, 0.0)
    except Refusal:
        return
    compact(made.record())
