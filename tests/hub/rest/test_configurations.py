"""Configurations over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hub.configurations.scene import body
from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/configurations/c-1"


def test_configuration_lives_from_creation_to_deletion(hub: Hub, owner: Operator) -> None:
    """Its etag is in quotes in the header; what it wrote stays in the twin."""
    hub.add_device("d1")
    created = owner.ask("PUT", PATH, body(priority=1))
    assert (created.status, created.headers["etag"]) == (200, f'"{created.body["etag"]}"')
    hub.wait_twin("d1", lambda twin: twin["properties"]["desired"].get("a") == 1)
    assert hub.twin("d1")["configurations"] == {"c-1": {"status": "Applied"}}
    read = owner.ask("GET", PATH).body
    assert read["systemMetrics"]["results"] == {"targetedCount": 1, "appliedCount": 1}
    assert owner.ask("GET", "/configurations?top=1").body == [read]
    assert owner.ask("DELETE", PATH, If_Match="*").status == 204
    assert refused(owner.ask("GET", PATH)) == (404, "ConfigurationNotFound")
    assert hub.twin("d1")["properties"]["desired"]["a"] == 1


def test_changed_content_is_ignored_without_a_word(owner: Operator) -> None:
    """200, and the old content; the priority is the new one."""
    etag = owner.ask("PUT", PATH, body(a=1)).headers["etag"]
    changed = owner.ask("PUT", PATH, body(a=2, priority=5), If_Match=etag)
    assert (changed.status, changed.body["priority"]) == (200, 5)
    assert changed.body["content"] == {"deviceContent": {"properties.desired.a": 1}}


def test_etag_must_stand_in_quotes(owner: Operator) -> None:
    """Without them it is a conflict, as is a second creation; a stale one in quotes has failed its precondition."""
    etag = owner.ask("PUT", PATH, body()).body["etag"]
    assert refused(owner.ask("PUT", PATH, body())) == (409, "ConfigurationAlreadyExists")
    assert refused(owner.ask("PUT", PATH, body(), If_Match=etag)) == (409, "ConfigurationAlreadyExists")
    assert refused(owner.ask("PUT", PATH, body(), If_Match='"stale"')) == (412, "PreconditionFailed")
    assert owner.ask("PUT", PATH, body(), If_Match='"*"').status == 200
    assert owner.ask("DELETE", PATH).status == 204


def test_bad_parts_have_codes_of_their_own(owner: Operator) -> None:
    """Target condition, content, metrics."""
    for request, name in (
        (body("x ="), "InvalidConfigurationTargetCondition"),
        (body(content={"deviceContent": {"tags.a": 1}}), "InvalidConfigurationContent"),
        (body(metrics={"queries": {"m": "x"}}), "InvalidConfigurationCustomMetricsQuery"),
    ):
        assert refused(owner.ask("PUT", PATH, request)) == (400, name)


def test_queries_can_be_tried(owner: Operator) -> None:
    """200, with what is wrong."""
    request = {"targetCondition": "*", "customMetricQueries": {"m": "SELECT deviceId FROM devices"}}
    tried = owner.ask("POST", "/configurations/testQueries", request)
    assert (tried.status, list(tried.body)) == (200, ["targetConditionError"])


def test_content_can_be_applied_to_one_device(hub: Hub, owner: Operator) -> None:
    """204, and its modules are made."""
    hub.add_device("d1")
    request = {"modulesContent": {"m": {"properties.desired.a": 1}}}
    assert owner.ask("POST", "/devices/d1/applyConfigurationContent", request).status == 204
    assert owner.ask("GET", "/twins/d1/modules/m").body["properties"]["desired"]["a"] == 1


def test_configurations_take_the_rights_of_the_registry(hub: Hub) -> None:
    """To read and to write."""
    reader = Operator(hub, "registryRead")
    assert [reader.ask("GET", "/configurations").status, reader.ask("PUT", PATH, body()).status] == [200, 401]
    assert Operator(hub, "service").ask("GET", "/configurations").status == 401
