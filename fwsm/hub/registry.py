"""The registry: which devices exist, with which keys, and whether they may connect.

Rules of the service's REST side: create only without If-Match, update only with it; an update that names no
keys mints new ones. Source: "Identity registry" and the service's OpenAPI description.
"""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import IdentityChanged
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.sas import is_key, new_key
from fwsm.hub.timestamp import NEVER

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.events import Events
    from fwsm.hub.state import State

__all__ = ["Identity", "Registry"]

_KIND = "identity"
_DEVICE_ID = re.compile(r"[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}")


@dataclass(frozen=True, slots=True)
class Identity:
    """One device in the registry. The keys are base64."""

    device_id: str
    primary_key: str
    secondary_key: str
    enabled: bool = True
    status_reason: str | None = None
    generation: int = 0
    revision: int = 1

    @property
    def keys(self) -> tuple[str, str]:
        """Both keys; a device may use either."""
        return self.primary_key, self.secondary_key

    @property
    def etag(self) -> str:
        """Moves with every write to this identity."""
        return base64.b64encode(f"{self.generation + self.revision}".encode()).decode()

    @property
    def status(self) -> str:
        """`enabled` or `disabled`."""
        return "enabled" if self.enabled else "disabled"

    def document(self, *, connected: bool) -> dict[str, Any]:
        """Return the identity as an operator reads it."""
        return {
            "deviceId": self.device_id,
            "generationId": str(self.generation),
            "etag": self.etag,
            "connectionState": "Connected" if connected else "Disconnected",
            "status": self.status,
            "statusReason": self.status_reason,
            "connectionStateUpdatedTime": NEVER,
            "statusUpdatedTime": NEVER,
            "lastActivityTime": NEVER,
            "cloudToDeviceMessageCount": 0,
            "authentication": {
                "symmetricKey": {"primaryKey": self.primary_key, "secondaryKey": self.secondary_key},
                "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
                "type": "sas",
            },
            "capabilities": {"iotEdge": False},
        }

    def record(self) -> dict[str, Any]:
        """Return the identity as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


class Registry:
    """All devices of one hub.

    Args:
        state: where they are kept.
        events: told of every change.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, events: Events, wall: Callable[[], float]) -> None:
        self._state = state
        self._events = events
        self._wall = wall
        self._devices = {key: Identity(**record) for key, record in state.load(_KIND)}

    def find(self, device_id: str) -> Identity | None:
        """Return a device, or None when there is no such."""
        return self._devices.get(device_id)

    def get(self, device_id: str) -> Identity:
        """Return a device; raises Refusal 404001 when there is no such."""
        identity = self._devices.get(device_id)
        if identity is None:
            raise Refusal(Why.DEVICE_NOT_FOUND, f"The device {device_id} is not registered.")
        return identity

    def list(self, limit: int) -> list[Identity]:
        """Return at most `limit` devices."""
        return list(self._devices.values())[:limit]

    def create(self, device_id: str, body: dict[str, Any]) -> Identity:
        """Add a device as `body` describes it.

        Raises:
            Refusal: 409001, it exists; 400004, the name or the description is malformed.
        """
        if not _DEVICE_ID.fullmatch(device_id):
            raise Refusal(
                Why.ARGUMENT_INVALID,
                f"{device_id[:140]!r} is not a device id: 1 to 128 letters, digits and -:.+%_#*?!(),=@$'",
            )
        if device_id in self._devices:
            raise Refusal(Why.DEVICE_EXISTS, f"A device with ID '{device_id}' is already registered.")
        identity = Identity(device_id, "", "", generation=int(self._wall() * 1e6) + secrets.randbelow(1000))
        return self._keep(_described(identity, body))

    def update(self, device_id: str, body: dict[str, Any], if_match: str) -> Identity:
        """Change a device as `body` describes it, if its etag is `if_match` or that is `*`.

        Raises:
            Refusal: 404001, no such device; 412001, another etag; 400004, the description is malformed.
        """
        old = self.get(device_id)
        _check_etag(old, if_match)
        return self._keep(replace(_described(old, body), revision=old.revision + 1))

    def delete(self, device_id: str, if_match: str) -> None:
        """Remove a device, if its etag is `if_match` or that is `*`; raises Refusal 404001 or 412001."""
        _check_etag(self.get(device_id), if_match)
        del self._devices[device_id]
        self._state.put(_KIND, device_id, None)
        self._events.publish(IdentityChanged(device_id, admitted=False))

    def _keep(self, identity: Identity) -> Identity:
        self._devices[identity.device_id] = identity
        self._state.put(_KIND, identity.device_id, identity)
        self._events.publish(IdentityChanged(identity.device_id, admitted=identity.enabled))
        return identity


def _check_etag(identity: Identity, if_match: str) -> None:
    if if_match not in {"*", identity.etag}:
        raise Refusal(Why.PRECONDITION, f"The device {identity.device_id} has etag {identity.etag}, not {if_match}.")


def _described(identity: Identity, body: dict[str, Any]) -> Identity:
    named = body.get("deviceId", identity.device_id)
    if named != identity.device_id:
        raise Refusal(Why.ARGUMENT_INVALID, f"deviceId in the body is {named!r}, in the path {identity.device_id!r}.")
    status = body.get("status") or "enabled"
    if status not in {"enabled", "disabled"}:
        raise Refusal(Why.ARGUMENT_INVALID, f"status is {status!r}, not enabled or disabled.")
    primary, secondary = _keys(body.get("authentication"))
    reason = body.get("statusReason")
    return replace(
        identity,
        primary_key=primary,
        secondary_key=secondary,
        enabled=status == "enabled",
        status_reason=reason if isinstance(reason, str) else None,
    )


def _keys(authentication: Any) -> tuple[str, str]:
    if authentication is None:
        return new_key(), new_key()
    if not isinstance(authentication, dict) or authentication.get("type", "sas") != "sas":
        raise Refusal(Why.ARGUMENT_INVALID, "This hub knows authentication of type sas only.")
    symmetric = authentication.get("symmetricKey") or {}
    if not isinstance(symmetric, dict):
        raise Refusal(Why.ARGUMENT_INVALID, "authentication.symmetricKey is not an object.")
    primary, secondary = symmetric.get("primaryKey"), symmetric.get("secondaryKey")
    if primary is None and secondary is None:
        return new_key(), new_key()
    if not is_key(primary) or not is_key(secondary):
        raise Refusal(Why.ARGUMENT_INVALID, "Give both keys or neither, each base64 of 16 to 64 bytes.")
    return str(primary), str(secondary)
