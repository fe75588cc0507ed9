"""The registry: which devices and modules exist, and whether they may connect.

Both are found by their client id, `{device}` or `{device}/{module}`. Rules of the service's REST side: create only
without If-Match, update only with it; an update that names no keys mints new ones. A module comes and goes with its
device. Source: "Identity registry" and the service's OpenAPI description.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import IdentityChanged
from fwsm.hub.identity import Identity, is_id
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.hub.events import Events
    from fwsm.hub.state import State

__all__ = ["Registry"]

_KIND = "identity"
_MOST_MODULES = 50


class Registry:
    """All devices and modules of one hub.

    Args:
        state: where they are kept.
        events: told of every change.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._state = state
        self._events = events
        self._wall = wall
        self._devices: dict[str, Identity] = {}
        self._modules: dict[str, dict[str, Identity]] = {}
        for _, record in state.load(_KIND):
            self._add(Identity(**record))

    def find(self, client_id: str) -> Identity | None:
        """Return a device or a module, or None when there is no such."""
        device_id, _, module_id = client_id.partition("/")
        if module_id:
            return self._modules.get(device_id, {}).get(module_id)
        return self._devices.get(client_id)

    def get(self, client_id: str) -> Identity:
        """Return a device or a module; raises Refusal 404001 or 404010 when there is no such."""
        identity = self.find(client_id)
        if identity is not None:
            return identity
        device_id, _, module_id = client_id.partition("/")
        if module_id and device_id in self._devices:
            raise Refusal(Why.MODULE_NOT_FOUND, f"The device {device_id} has no module {module_id}.")
        raise Refusal(Why.DEVICE_NOT_FOUND, f"The device {device_id} is not registered.")

    def admits(self, client_id: str) -> bool:
        """Say whether the device or module exists and may connect; a module may if its device may."""
        device = self._devices.get(client_id.partition("/")[0])
        return device is not None and device.enabled and self.find(client_id) is not None

    def modules(self, device_id: str) -> list[Identity]:
        """Return the modules of a device; raises Refusal 404001 when there is no such device."""
        self.get(device_id)
        return list(self._modules.get(device_id, {}).values())

    def list(self, limit: int | None = None) -> list[Identity]:
        """Return all devices, or at most `limit`, without their modules."""
        return list(self._devices.values())[:limit]

    def client_ids(self) -> Iterator[str]:
        """Return the client ids of all devices and modules."""
        yield from self._devices
        yield from (module.client_id for modules in self._modules.values() for module in modules.values())

    def create(self, client_id: str, body: dict[str, Any]) -> Identity:
        """Add a device or a module as `body` describes it.

        Raises:
            Refusal: 409001 or 409301, it exists; 404001, the module's device does not; 413003, the device has all the
                modules it can have; 400004, the name or the description is malformed.
        """
        device_id, slash, module_id = client_id.partition("/")
        for text in (device_id, module_id) if slash else (device_id,):
            if not is_id(text):
                raise Refusal(
                    Why.ARGUMENT_INVALID,
                    f"{text[:140]!r} is not a device or module id: 1 to 128 letters, digits and -:.+%_#*?!(),=@$'",
                )
        if slash:
            self._check_room(device_id, module_id)
        elif device_id in self._devices:
            raise Refusal(Why.DEVICE_EXISTS, f"A device with ID '{device_id}' is already registered.")
        generation = int(self._wall() * 1e6) + secrets.randbelow(1000)
        identity = Identity(device_id, "", "", generation=generation, module_id=module_id or None)
        return self._keep(identity.described(body))

    def update(self, client_id: str, body: dict[str, Any], if_match: str) -> Identity:
        """Change a device or a module as `body` describes it, if its etag is `if_match` or that is `*`.

        Raises:
            Refusal: 404001 or 404010, no such; 412001, another etag; 400004, the description is malformed.
        """
        old = self.get(client_id)
        _check_etag(old, if_match)
        new = replace(old.described(body), revision=old.revision + 1)
        return self._keep(new if new.enabled == old.enabled else replace(new, status_changed_at=self._wall()))

    def delete(self, client_id: str, if_match: str) -> None:
        """Remove a device with its modules, or a module, if its etag is `if_match` or that is `*`.

        Raises:
            Refusal: 404001 or 404010, no such; 412001, another etag.
        """
        identity = self.get(client_id)
        _check_etag(identity, if_match)
        modules = [] if identity.module_id else self.modules(identity.device_id)
        for gone in (*modules, identity):
            self._remove(gone)

    def _check_room(self, device_id: str, module_id: str) -> None:
        modules = self.modules(device_id)
        if any(module.module_id == module_id for module in modules):
            raise Refusal(Why.MODULE_EXISTS, f"The device {device_id} has a module '{module_id}' already.")
        if len(modules) >= _MOST_MODULES:
            raise Refusal(Why.TOO_MANY_MODULES, f"The device {device_id} has {_MOST_MODULES} modules, and no room.")

    def _keep(self, identity: Identity) -> Identity:
        self._add(identity)
        self._state.put(_KIND, identity.client_id, identity)
        modules = [] if identity.module_id else self.modules(identity.device_id)
        for changed in (identity, *modules):
            self._events.publish(IdentityChanged(changed.client_id, admitted=self.admits(changed.client_id)))
        return identity

    def _add(self, identity: Identity) -> None:
        if identity.module_id is None:
            self._devices[identity.device_id] = identity
        else:
            self._modules.setdefault(identity.device_id, {})[identity.module_id] = identity

    def _remove(self, identity: Identity) -> None:
        if identity.module_id is None:
            del self._devices[identity.device_id]
            self._modules.pop(identity.device_id, None)
        else:
            del self._modules[identity.device_id][identity.module_id]
        self._state.put(_KIND, identity.client_id, None)
        self._events.publish(IdentityChanged(identity.client_id, admitted=False))


def _check_etag(identity: Identity, if_match: str) -> None:
    if if_match not in {"*", identity.etag}:
        raise Refusal(Why.PRECONDITION, f"{identity.client_id} has etag {identity.etag}, not {if_match}.")
