"""Shared access policies: named keys of the hub, and the rights that each carries.

IoT Hub comes with five of them. Source: "Control access to IoT Hub by using shared access signatures".
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from fwsm.hub.sas import BadTokenError, SasToken, new_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.hub.state import State

__all__ = ["Policies", "Right"]


class Right(enum.Flag):
    """What a policy allows."""

    REGISTRY_READ = enum.auto()
    REGISTRY_WRITE = enum.auto()
    SERVICE_CONNECT = enum.auto()
    DEVICE_CONNECT = enum.auto()


_KIND, _KEY = "policies", "keys"

_RIGHTS = {
    "iothubowner": Right.REGISTRY_READ | Right.REGISTRY_WRITE | Right.SERVICE_CONNECT | Right.DEVICE_CONNECT,
    "service": Right.SERVICE_CONNECT,
    "device": Right.DEVICE_CONNECT,
    "registryRead": Right.REGISTRY_READ,
    "registryReadWrite": Right.REGISTRY_READ | Right.REGISTRY_WRITE,
}


class Policies:
    """The policies of one hub.

    Args:
        keys: the key of each policy, in base64, by name; a policy that is absent gets a random one.
    """

    def __init__(self, keys: Mapping[str, str]) -> None:
        self.keys = {name: keys.get(name) or new_key() for name in _RIGHTS}

    @classmethod
    def kept_in(cls, state: State) -> Policies:
        """Return the policies that `state` holds; a new state gets new ones."""
        policies = cls(dict(state.load(_KIND)).get(_KEY, {}))
        state.put(_KIND, _KEY, policies)
        return policies

    def record(self) -> dict[str, str]:
        """Return the keys as they are stored."""
        return self.keys

    def check(self, token: SasToken, right: Right, resource: str, now: float) -> None:
        """Prove that `token` gives `right` on `resource` (a path behind the host name) at `now` (epoch seconds).

        Raises:
            BadTokenError: it does not.
        """
        key = self.keys.get(token.policy or "")
        if key is None:
            raise BadTokenError(f"there is no policy {token.policy}")
        token.check((key,), now)
        if right not in _RIGHTS[token.policy or ""]:
            raise BadTokenError(f"the policy {token.policy} lacks the right {_name(right)}")
        if not token.covers(resource):
            raise BadTokenError(f"the token is for {token.resource}, not for {resource}")


def _name(right: Right) -> str:
    """Return the right as IoT Hub writes it, such as ServiceConnect."""
    return str(right.name).title().replace("_", "")
