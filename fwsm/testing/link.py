"""A hub in memory, as the device sees it: it merges patches, and fails when it is told to."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from fwsm.device.ports import Twin
from fwsm.errors import FwsmError, LinkError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.device.ports import Message

__all__ = ["MemoryLink"]


class MemoryLink:
    """The link port with a twin behind it; `fwsm.device.ports.Link`.

    Attributes:
        patches: the reported patches that were applied, in order.
        twin: the reported properties.
        desired: the desired properties; changed by `desire`.
        failures: raised by the next calls of `report`, one each, before anything is applied.
        lost_answers: how many of the next reports are applied without an acknowledgement.
    """

    def __init__(self) -> None:
        self.patches: list[Mapping[str, Any]] = []
        self.twin: dict[str, Any] = {}
        self.desired: dict[str, Any] = {"$version": 1}
        self.failures: list[FwsmError] = []
        self.lost_answers = 0
        self._stopped = False
        self.deliver: Callable[[Message], None] | None = None

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Keep the way by which messages are delivered, and deliver the twin."""
        self._stopped = False
        self.deliver = deliver
        self.connect()

    def connect(self) -> None:
        """What happens after each connect: the twin is delivered."""
        if self.deliver is not None:
            self.deliver(Twin(copy.deepcopy(self.desired), copy.deepcopy(self.twin)))

    def desire(self, patch: Mapping[str, Any]) -> None:
        """Change the desired properties, as an operator does; the device is told at once if there is one."""
        _merge(self.desired, patch)
        self.desired["$version"] += 1
        self.connect()

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge as IoT Hub does: objects merge, null deletes, everything else replaces."""
        if self._stopped:
            raise LinkError("the link was stopped")
        if self.failures:
            raise self.failures.pop(0)
        self.patches.append(patch)
        _merge(self.twin, patch)
        if self.lost_answers:
            self.lost_answers -= 1
            raise LinkError("the answer did not come", fix="Try again")

    def stop(self) -> None:
        """Forget the way by which messages are delivered, and take no report any more."""
        self._stopped = True
        self.deliver = None

    @property
    def section(self) -> dict[str, Any]:
        """The value of `iothubDM.firmwareUpdate`."""
        found = self.twin.get("iothubDM", {}).get("firmwareUpdate", {})
        return dict(found)

    @property
    def statuses(self) -> list[str]:
        """The statuses as reported, without repetitions in a row."""
        seen: list[str] = []
        for patch in self.patches:
            status = patch["iothubDM"]["firmwareUpdate"].get("status")
            if status is not None and seen[-1:] != [status]:
                seen.append(status)
        return seen


def _merge(into: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for name, value in patch.items():
        if value is None:
            into.pop(name, None)
        elif isinstance(value, dict):
            there = into.get(name)
            below = there if isinstance(there, dict) else {}
            into[name] = below
            _merge(below, value)
        else:
            into[name] = value
