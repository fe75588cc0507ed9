"""Many changes to the registry in one request."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.bulk import apply_all
from fwsm.hub.engine import Engine
from fwsm.hub.jsontext import compact
from fwsm.hub.operator import twin_document
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from tests.hub.anyjson import VALUES, bodies


@pytest.fixture
def engine() -> Engine:
    """Return a hub without doors that knows `old`."""
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    engine.registry.create("old", {})
    return engine


def _codes(engine: Engine, *entries: dict[str, Any]) -> list[str | None]:
    """Apply the entries and return the error code of each, None for success; no id comes twice."""
    outcome = apply_all(engine, list(entries))
    codes = {error["deviceId"]: error["errorCode"] for error in outcome["errors"]}
    assert outcome["isSuccessful"] is not bool(codes)
    return [codes.get(entry["id"]) for entry in entries]


def test_devices_are_created_with_their_twins(engine: Engine) -> None:
    """Tags and desired properties come with the identity."""
    entry = {"importMode": "create", "tags": {"a": 1}, "properties": {"desired": {"b": 2}}, "status": "disabled"}
    assert _codes(engine, {**entry, "id": "d1"}, {**entry, "id": "d2"}) == [None, None]
    twin = engine.twins.get("d2")
    assert (twin.tags, twin.desired.values, engine.registry.get("d2").enabled) == ({"a": 1}, {"b": 2}, False)


def test_modules_are_named_with_their_device(engine: Engine) -> None:
    """Errors name both."""
    entry = {"id": "old", "moduleId": "m", "importMode": "create"}
    assert apply_all(engine, [entry])["isSuccessful"]
    (error,) = apply_all(engine, [entry])["errors"]
    assert (error["deviceId"], error["moduleId"], error["errorCode"]) == ("old", "m", "ModuleAlreadyExistsOnDevice")


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        ("create", ("DeviceAlreadyExists", None)),
        ("createOrUpdate", (None, None)),
        (None, (None, None)),
        ("update", (None, "DeviceNotFound")),
        ("delete", (None, "DeviceNotFound")),
        ("Delete", (None, "DeviceNotFound")),
        ("updateTwin", (None, "DeviceNotFound")),
        ("createOrUpdateIfMatchETag", ("PreconditionFailed", None)),
        ("updateIfMatchETag", ("PreconditionFailed", "DeviceNotFound")),
        ("deleteIfMatchETag", ("PreconditionFailed", "DeviceNotFound")),
        ("updateTwinIfMatchETag", ("PreconditionFailed", "DeviceNotFound")),
        ("replace", ("ArgumentInvalid", "ArgumentInvalid")),
        (["create"], ("ArgumentInvalid", "ArgumentInvalid")),
    ],
)
def test_mode_says_what_must_be_there(engine: Engine, mode: Any, codes: tuple[str | None, str | None]) -> None:
    """For a device that exists and one that does not, with a stale etag."""
    entry = {"importMode": mode, "eTag": "stale", "twinETag": "stale", "tags": {"a": 1}}
    assert _codes(engine, {**entry, "id": "old"}, {**entry, "id": "new"}) == list(codes)


def test_current_etag_lets_a_change_through(engine: Engine) -> None:
    """Of the identity or of the twin, with quotes or without."""
    twin = {"id": "old", "importMode": "updateTwinIfMatchETag", "twinETag": engine.twins.get("old").etag}
    assert _codes(engine, {**twin, "tags": {"a": 1}}) == [None]
    assert _codes(
        engine, {"id": "old", "importMode": "UpdateIfMatchETag", "etag": engine.registry.get("old").etag}
    ) == [None]
    for mode in ("updateIfMatchETag", "createOrUpdateIfMatchETag", "deleteIfMatchETag"):
        assert _codes(engine, {"id": "old", "importMode": mode, "eTag": f'"{engine.registry.get("old").etag}"'}) == [
            None
        ]
    assert engine.registry.find("old") is None


def test_mode_with_etag_takes_an_etag(engine: Engine) -> None:
    """A missing one matches nothing."""
    assert _codes(engine, {"id": "old", "importMode": "deleteIfMatchETag"}) == ["ArgumentInvalid"]


def test_entry_that_fails_changes_nothing(engine: Engine) -> None:
    """A twin beyond its limits leaves no identity behind, and no new keys; the others go through."""
    keys = engine.registry.get("old").keys
    bad = {"tags": {"a.b": 1}}
    entries: list[dict[str, Any]] = [{"id": "d1", **bad}, {"id": "old", **bad}, {"id": "d2"}, {"id": "d3", "tags": 1}]
    assert _codes(engine, *entries) == ["ArgumentInvalid", "ArgumentInvalid", None, "ArgumentInvalid"]
    assert [device.device_id for device in engine.registry.list()] == ["old", "d2"]
    assert engine.registry.get("old").keys == keys


def test_device_that_is_named_twice_is_left_alone(engine: Engine) -> None:
    """Which of the two was meant, nobody knows."""
    entries = [{"id": "d1"}, {"id": "d1", "importMode": "delete"}]
    errors = apply_all(engine, entries)["errors"]
    assert [error["errorCode"] for error in errors] == ["DeviceDefinedMultipleTimes"] * 2
    assert engine.registry.find("d1") is None


@pytest.mark.parametrize("entries", [{}, [], [{}], [1], [{"id": 1}], [{"id": "d"}] * 101, [{"id": "old/m1"}], None])
def test_body_that_is_no_list_of_devices_is_refused(engine: Engine, entries: Any) -> None:
    """Nothing of it is done."""
    with pytest.raises(Refusal) as caught:
        apply_all(engine, entries)
    assert caught.value.why is Why.ARGUMENT_INVALID


ENTRY = bodies(
    id=st.sampled_from(["old", "new"]),
    moduleId="m",
    importMode=st.sampled_from(["create", "createOrUpdate", "update", "updateIfMatchETag", "delete", "updateTwin"]),
    status=st.sampled_from(["enabled", "disabled"]),
    statusReason="why",
    eTag="x",
    tags=VALUES,
    properties=bodies(desired=VALUES),
    authentication=bodies(
        type=st.sampled_from(["sas", "selfSigned"]),
        symmetricKey=bodies(primaryKey="", secondaryKey=""),
        x509Thumbprint=bodies(primaryThumbprint="A" * 40),
    ),
)


@given(st.lists(ENTRY.map(lambda entry: {"id": "new", **entry}) | VALUES, max_size=3))
def test_any_entries_are_applied_or_refused(entries: list[Any]) -> None:
    """Nothing else is raised; what was applied can be read."""
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    engine.registry.create("old", {})
    with contextlib.suppress(Refusal):
        compact(apply_all(engine, entries))
    compact([twin_document(engine, client_id) for client_id in engine.registry.client_ids()])
