"""Content applied to one device at once."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given

from fwsm.hub.configurations.direct import apply_content, give
from fwsm.hub.refusal import Refusal, Why
from tests.hub.anyjson import VALUES, bodies
from tests.hub.configurations.scene import Scene


def test_content_goes_to_the_device_and_its_modules() -> None:
    """Modules that are not there are created."""
    scene = Scene()
    scene.add("d1", "d1/m")
    content = {"properties.desired.a": 1}
    apply_content(
        scene.engine, "d1", {"deviceContent": content, "modulesContent": {"m": content, "$edgeAgent": content}}
    )
    assert [scene.desired(name) for name in ("d1", "d1/m", "d1/$edgeAgent")] == [(1, 2), (1, 2), (1, 2)]


def test_twin_that_has_the_content_is_not_written() -> None:
    """Its version stays."""
    scene = Scene()
    scene.add("d1")
    for _ in range(2):
        give(scene.engine, "d1", {"properties.desired.a": 1})
    assert scene.desired("d1") == (1, 2)


@pytest.mark.parametrize(
    ("device_id", "body", "why"),
    [
        ("d2", {"deviceContent": {"properties.desired.a": 1}}, Why.DEVICE_NOT_FOUND),
        ("d1", {}, Why.BAD_CONTENT),
        ("d1", {"modulesContent": [1]}, Why.BAD_CONTENT),
        ("d1", {"modulesContent": {"m": {"tags.a": 1}}}, Why.BAD_CONTENT),
        ("d1", {"modulesContent": {"no id": {"properties.desired.a": 1}}}, Why.ARGUMENT_INVALID),
    ],
)
def test_content_that_cannot_be_applied_is_refused(device_id: str, body: dict[str, Any], why: Why) -> None:
    """And nothing is written."""
    scene = Scene()
    scene.add("d1")
    with pytest.raises(Refusal) as caught:
        apply_content(scene.engine, device_id, body)
    assert (caught.value.why, scene.engine.registry.modules("d1")) == (why, [])


CONTENT = bodies(**{"properties.desired": VALUES, "properties.desired.a": VALUES})


@given(bodies(deviceContent=CONTENT, modulesContent=bodies(m=CONTENT)))
def test_any_body_is_applied_or_refused(body: dict[str, Any]) -> None:
    """Nothing else is raised."""
    scene = Scene()
    scene.add("d1")
    with contextlib.suppress(Refusal):
        apply_content(scene.engine, "d1", body)
