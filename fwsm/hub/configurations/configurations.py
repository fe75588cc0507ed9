"""All configurations of a hub, and which twin each of them targets and has been applied to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from fwsm.hub.configurations.configuration import Configuration
from fwsm.hub.events import WorkWaiting
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Events
    from fwsm.hub.state import State

__all__ = ["Configurations", "Placement"]

_CONFIGURATION, _PLACEMENT = "configuration", "placement"
_MOST_CONFIGURATIONS = 100


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one twin stands.

    Attributes:
        targeted: the ids of all configurations that target it.
        applied: the id of the one that has been applied, "" when none has.
        applied_birth: when that one was created; another one may come under the same id.
    """

    targeted: tuple[str, ...] = ()
    applied: str = ""
    applied_birth: float = 0.0

    def document(self) -> dict[str, dict[str, str]]:
        """Return the `configurations` of a twin."""
        return {name: {"status": "Applied" if name == self.applied else "Targeted"} for name in self.targeted}

    def record(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


_NOWHERE = Placement()


class Configurations:
    """The configurations of one hub. A `deployer` carries them out.

    Args:
        state: where they are kept.
        events: told that there is something to do.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._state = state
        self._events = events
        self._wall = wall
        self._all = {key: Configuration(**record) for key, record in state.load(_CONFIGURATION)}
        self._placements = {
            key: Placement(**{**record, "targeted": tuple(record["targeted"])})
            for key, record in state.load(_PLACEMENT)
        }

    def listed(self) -> list[Configuration]:
        """Return all of them in the order of their names."""
        return [self._all[name] for name in sorted(self._all)]

    def get(self, configuration_id: str) -> Configuration:
        """Return a configuration; raises Refusal 404301 when there is no such."""
        configuration = self._all.get(configuration_id)
        if configuration is None:
            raise Refusal(Why.CONFIGURATION_NOT_FOUND, f"There is no configuration {configuration_id}.")
        return configuration

    def create(self, configuration_id: str, body: dict[str, Any]) -> Configuration:
        """Add a configuration as `body` describes it.

        Raises:
            Refusal: 409401, it exists; 413101, there are as many as may be; or as `Configuration.from_body`.
        """
        if configuration_id in self._all:
            raise Refusal(Why.CONFIGURATION_EXISTS, f"A configuration '{configuration_id}' exists already.")
        if len(self._all) >= _MOST_CONFIGURATIONS:
            raise Refusal(Why.TOO_MANY_CONFIGURATIONS, f"There are {_MOST_CONFIGURATIONS} configurations, and no room.")
        return self._keep(Configuration.from_body(configuration_id, body, self._wall()))

    def update(self, configuration_id: str, body: dict[str, Any], if_match: str) -> Configuration:
        """Change a configuration as `body` describes it, if its etag is `if_match` or that is `*`.

        Its content stays what it was, whatever `body` says, and nobody is told: so does the service.

        Raises:
            Refusal: 404301, no such; 412001, another etag; or as `Configuration.described`.
        """
        old = self.get(configuration_id)
        _check_etag(old, if_match)
        return self._keep(old.described(body, self._wall()))

    def delete(self, configuration_id: str, if_match: str) -> None:
        """Remove a configuration, if its etag is `if_match` or that is `*`. What it wrote into twins stays.

        Raises:
            Refusal: 404301, no such; 412001, another etag.
        """
        _check_etag(self.get(configuration_id), if_match)
        del self._all[configuration_id]
        self._state.put(_CONFIGURATION, configuration_id, None)
        self._events.publish(WorkWaiting())

    def placement(self, client_id: str) -> Placement:
        """Return where a twin stands."""
        return self._placements.get(client_id, _NOWHERE)

    def placements(self) -> list[Placement]:
        """Return where all twins stand that any configuration targets."""
        return list(self._placements.values())

    def place(self, client_id: str, placement: Placement) -> None:
        """Note where a twin stands now."""
        if placement == self.placement(client_id):
            return
        if placement == _NOWHERE:
            del self._placements[client_id]
        else:
            self._placements[client_id] = placement
        self._state.put(_PLACEMENT, client_id, None if placement == _NOWHERE else placement)

    def forget(self, client_id: str) -> None:
        """Forget a twin that is gone."""
        self.place(client_id, _NOWHERE)

    def _keep(self, configuration: Configuration) -> Configuration:
        self._all[configuration.configuration_id] = configuration
        self._state.put(_CONFIGURATION, configuration.configuration_id, configuration)
        self._events.publish(WorkWaiting())
        return configuration


def _check_etag(configuration: Configuration, if_match: str) -> None:
    if if_match not in {"*", configuration.etag}:
        raise Refusal(
            Why.PRECONDITION, f"{configuration.configuration_id} has etag {configuration.etag}, not {if_match}."
        )
