"""The twins of all devices: looked up, changed, kept, and told about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.events import DesiredChanged, IdentityChanged, Reported, TwinAdded, TwinChanged, TwinRemoved
from fwsm.hub.jsontext import compact
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.twin import Twin

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Events
    from fwsm.hub.registry import Registry
    from fwsm.hub.state import State
    from fwsm.hub.twin import JsonObject

__all__ = ["Twins", "difference", "parts"]

_KIND = "twin"


class Twins:
    """A twin comes and goes with its device.

    Args:
        registry: whose devices they belong to.
        state: where they are kept.
        events: told of every change of properties.
        wall: the time in epoch seconds.
    """

    def __init__(self, registry: Registry, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._registry = registry
        self._state = state
        self._events = events
        self._wall = wall
        self._twins = {key: Twin.from_record(record) for key, record in state.load(_KIND)}
        events.subscribe(self._on_identity, IdentityChanged)

    def get(self, client_id: str) -> Twin:
        """Return the twin of a device; raises Refusal 404001 when there is no such device."""
        self._registry.get(client_id)
        return self._twins[client_id]

    def report(self, client_id: str, patch: JsonObject, base_version: int | None = None) -> Twin:
        """Merge a device's report; raises Refusal 400004 at a limit, 412001 at another base version."""
        now = self._wall()
        twin = self.get(client_id).with_reported(patch, base_version, now)
        self._keep(client_id, twin)
        version = twin.reported.version
        self._events.publish(Reported(client_id, patch, version))
        self._events.publish(TwinChanged(client_id, {"reported": patch}, twin.version, {"reported": version}, now))
        return twin

    def update(self, client_id: str, body: JsonObject, if_match: str = "*") -> Twin:
        """Merge an operator's change: `{"tags": {…}, "properties": {"desired": {…}}}`, either part optional.

        Raises:
            Refusal: 404001, no such device; 412001, another etag; 400004, malformed or at a limit.
        """
        old = self._matched(client_id, if_match)
        tags, desired = parts(body)
        now = self._wall()
        twin = old.with_change(tags, desired, now)
        self._keep(client_id, twin)
        if desired is not None:
            self._events.publish(DesiredChanged(client_id, desired, twin.desired.version))
        change = {name: part for name, part in (("tags", tags), ("desired", desired)) if part is not None}
        versions = {} if desired is None else {"desired": twin.desired.version}
        self._events.publish(TwinChanged(client_id, change, twin.version, versions, now))
        return twin

    def replace(self, client_id: str, body: JsonObject, if_match: str = "*") -> Twin:
        """Put tags and desired properties in place of the old ones; what `body` leaves out is gone. Raises as `update`.

        The device is told by the patch that leads from the old desired properties to the new ones.
        """
        old = self._matched(client_id, if_match)
        tags, desired = (part or {} for part in parts(body))
        now = self._wall()
        twin = old.with_replacement(tags, desired, now)
        self._keep(client_id, twin)
        change = difference(old.desired.values, twin.desired.values)
        self._events.publish(DesiredChanged(client_id, change, twin.desired.version))
        self._events.publish(TwinChanged(client_id, {}, twin.version, {}, now, replacement=twin))
        return twin

    def _matched(self, client_id: str, if_match: str) -> Twin:
        twin = self.get(client_id)
        if if_match not in {"*", twin.etag}:
            raise Refusal(Why.PRECONDITION, f"The twin of {client_id} has etag {twin.etag}, not {if_match}.")
        return twin

    def _keep(self, client_id: str, twin: Twin) -> None:
        self._twins[client_id] = twin
        self._state.put(_KIND, client_id, twin)

    def _on_identity(self, event: IdentityChanged) -> None:
        if self._registry.find(event.client_id) is None:
            twin = self._twins.pop(event.client_id)
            self._state.put(_KIND, event.client_id, None)
            self._events.publish(TwinRemoved(event.client_id, twin))
        elif event.client_id not in self._twins:
            twin = Twin.new(self._wall())
            self._keep(event.client_id, twin)
            self._events.publish(TwinAdded(event.client_id, twin))


def parts(body: JsonObject) -> tuple[JsonObject | None, JsonObject | None]:
    """Return tags and desired properties as far as `body` has them. The rest is ignored: tools send whole twins.

    Raises:
        Refusal: 400004, one of them is not an object.
    """
    properties = _object(body, "properties") or {}
    desired = _object(properties, "desired")
    if desired is not None:
        desired = {key: value for key, value in desired.items() if key not in {"$metadata", "$version"}}
    return _object(body, "tags"), desired


def _object(body: JsonObject, name: str) -> JsonObject | None:
    value: Any = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise Refusal(Why.ARGUMENT_INVALID, f"{name} is not an object.")
    return value


def difference(old: JsonObject, new: JsonObject) -> JsonObject:
    """Return the patch that leads from `old` properties to `new` ones; it is empty when they are the same."""
    change: JsonObject = {key: None for key in old if key not in new}
    for key, value in new.items():
        if key not in old:
            change[key] = value
        elif isinstance(value, dict) and isinstance(old[key], dict):
            below = difference(old[key], value)
            if below:
                change[key] = below
        elif compact(value) != compact(old[key]):  # to Python, true equals 1
            change[key] = value
    return change
