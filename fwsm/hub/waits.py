"""What a test waits for at a running hub: connections, twins, and what devices have reported."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubError
from fwsm.hub.topics import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.runtime import Runtime

__all__ = ["Waits"]


class Waits(ABC):
    """The part of a hub (see `hub`) that watches devices, and waits for them in any thread but the hub's own."""

    @property
    @abstractmethod
    def _live(self) -> Runtime:
        """The hub that runs; raises HubError when it does not."""

    @abstractmethod
    def twin(self, device_id: str) -> dict[str, Any]:
        """Return a copy of a twin in the shape of the REST resource; raises DeviceNotFoundError."""

    def reports(self, device_id: str) -> list[dict[str, Any]]:
        """Return the reported patches that were accepted from a device since the hub started, oldest first.

        The hub forgets the oldest of all devices' when they are larger than 64 MiB together.
        """
        return copy.deepcopy(self._live.watch.reports(device_id))

    def connected(self, device_id: str) -> bool:
        """Say whether the device is connected."""
        return self._live.engine.links.connected(device_id)

    def wait_connected(self, device_id: str, timeout_s: float = 30.0) -> None:
        """Wait until the device is connected; raises HubError after `timeout_s`."""
        self._live.watch.wait_for(lambda: self.connected(device_id), f"a connection of {device_id}", timeout_s)

    def wait_disconnected(self, device_id: str, timeout_s: float = 30.0) -> None:
        """Wait until the device is not connected; raises HubError after `timeout_s`."""
        self._live.watch.wait_for(lambda: not self.connected(device_id), f"the end of {device_id}'s link", timeout_s)

    def wait_reachable(self, device_id: str, timeout_s: float = 30.0) -> None:
        """Wait until the device listens to direct methods; raises HubError after `timeout_s`."""
        links = self._live.engine.links
        self._live.watch.wait_for(
            lambda: links.listener(device_id, METHODS) is not None, f"{device_id} listening to methods", timeout_s
        )

    def wait_twin(
        self, device_id: str, predicate: Callable[[dict[str, Any]], object], timeout_s: float = 30.0
    ) -> dict[str, Any]:
        """Wait until `predicate` holds for the twin (see `twin`), and return that twin.

        Raises:
            HubError: it did not hold within `timeout_s`; the message shows the reported properties.
            DeviceNotFoundError: there is no such device.
        """

        def fact() -> dict[str, Any] | None:
            twin = self.twin(device_id)
            return twin if predicate(twin) else None

        try:
            return self._live.watch.wait_for(fact, f"the wanted twin of {device_id}", timeout_s)
        except HubError as error:
            reported = self.twin(device_id)["properties"]["reported"]
            raise HubError(error.what, why=f"the device has reported {reported}") from None
