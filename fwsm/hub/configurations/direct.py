"""Content applied to one device at once, without a configuration: `applyConfigurationContent`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.configurations.content import check_content, desired_with
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.twins import difference

if TYPE_CHECKING:
    from fwsm.hub.configurations.content import Content
    from fwsm.hub.engine import Engine

__all__ = ["apply_content", "give"]


def apply_content(engine: Engine, device_id: str, body: dict[str, Any]) -> None:
    """Write `deviceContent` into a device's twin and `modulesContent`, by module id, into those of its modules.

    A module that is not there is created, as IoT Edge needs it.

    Raises:
        Refusal: 404001, no such device; 400402, the body holds no content that a twin can hold; 400004, a twin would
            go beyond its limits, or a module id is none.
    """
    engine.registry.get(device_id)
    modules = body.get("modulesContent") or {}
    if not isinstance(modules, dict) or not (modules or body.get("deviceContent")):
        raise Refusal(Why.BAD_CONTENT, "The body holds neither deviceContent nor modulesContent.")
    contents = {f"{device_id}/{module_id}": check_content(content) for module_id, content in modules.items()}
    if body.get("deviceContent"):
        contents[device_id] = check_content(body["deviceContent"])
    for client_id in contents:
        if engine.registry.find(client_id) is None:
            engine.registry.create(client_id, {})
    for client_id, content in contents.items():
        give(engine, client_id, content)


def give(engine: Engine, client_id: str, content: Content) -> None:
    """Write content into a twin, unless it has it already; raises Refusal 400004 if the twin is too full for it."""
    old = engine.twins.get(client_id).desired.values
    change = difference(old, desired_with(content, old))
    if change:
        engine.twins.update(client_id, {"properties": {"desired": change}})
