"""A hub without doors, and what is asked of it about configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.configurations import Deployer
from fwsm.hub.engine import Engine
from fwsm.hub.state import EphemeralState

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.state import State

__all__ = ["Scene", "body"]


def body(target: Any = "*", priority: Any = 0, a: Any = 1, **parts: Any) -> dict[str, Any]:
    """Return the body of a configuration that sets the desired property `a`."""
    content = {"deviceContent": {"properties.desired.a": a}}
    return {"targetCondition": target, "priority": priority, "content": content, **parts}


class Scene:
    """One hub, from its start to its end; another one may come after it on the same state.

    Args:
        state: what it keeps.
        monotonic: by which it knows how long its work takes; without one it takes no time.
    """

    def __init__(self, state: State | None = None, monotonic: Callable[[], float] | None = None) -> None:
        self.now = 1000.0
        self.engine = Engine(state or EphemeralState(), lambda: self.now, monotonic or (lambda: self.now))
        self.deployer = Deployer(self.engine)
        self.configurations = self.engine.configurations

    def add(self, *client_ids: str, **tags: Any) -> None:
        """Register devices or modules that have these tags."""
        for client_id in client_ids:
            self.engine.registry.create(client_id, {})
            self.engine.twins.update(client_id, {"tags": tags})

    def configure(self, configuration_id: str, *args: Any, **parts: Any) -> None:
        """Create a configuration (see `body`), and let the hub look."""
        self.now += 1
        self.configurations.create(configuration_id, body(*args, **parts))
        self.deployer.tick()

    def desired(self, client_id: str) -> Any:
        """Return the desired property `a` of a twin and the version of the section."""
        section = self.engine.twins.get(client_id).desired
        return (section.values.get("a"), section.version)

    def status(self, client_id: str) -> dict[str, str]:
        """Return the status of each configuration that targets a twin."""
        document = self.configurations.placement(client_id).document()
        return {name: part["status"] for name, part in document.items()}
