"""Follow the updates of many devices until each has settled.

Each device is watched as `watch` does it for one: what its twin showed before does not count. Twins are read one after
the other, twenty a second at most, a fifth of what the smallest paid hub allows, so the operator leaves room for the
devices.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fwsm.errors import DeviceNotFoundError, FwsmError, UpdateFailedError
from fwsm.service.jobs import all_of
from fwsm.service.presence import HubAway, HubBack, Presence, pause
from fwsm.service.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fwsm.service.client import Client
    from fwsm.service.presence import TwinReader
    from fwsm.service.watch import Interest

__all__ = ["FleetEvent", "Lost", "Seen", "sections", "watch_fleet"]

_A_READ_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Seen:
    """A device reports something new about its update.

    Attributes:
        device_id: which.
        section: what it reports now.
        elapsed_s: since the watch began.
    """

    device_id: str
    section: Section
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Lost:
    """A device is watched no longer: it is gone, or works on another update."""

    device_id: str
    error: FwsmError


FleetEvent: TypeAlias = Seen | Lost | HubAway | HubBack


def sections(client: Client, condition: str) -> dict[str, Section]:
    """Return, by device, what the devices that meet a condition report; only of those that report an update."""
    twins = client.query(all_of(condition))
    found = ((str(twin.get("deviceId")), Section.of(twin)) for twin in twins)
    return {device_id: section for device_id, section in found if section is not None}


def watch_fleet(
    reader: TwinReader,
    interests: Mapping[str, Interest],
    *,
    interval_s: float = 0.5,
    timeout_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = pause,
) -> Iterator[FleetEvent]:
    """Yield what devices report, until each has settled or is lost, or the time is up.

    Args:
        reader: where twins come from.
        interests: by device, which of its reports count.
        interval_s: pause between two rounds, longer with many devices or while the hub is away.
        timeout_s: how long to watch; None for as long as it takes.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        ServiceError: one of the hub's errors that concerns all devices.
    """
    started = clock()
    left = dict(interests)
    hub = Presence(clock)
    while left:
        for device_id, interest in list(left.items()):
            try:
                twin = yield from hub.look(_reading(reader, device_id))
                if twin is None:
                    break
                section = interest.admit(Section.of(twin))
            except (DeviceNotFoundError, UpdateFailedError) as error:
                del left[device_id]
                yield Lost(device_id, error)
                continue
            if section is not None:
                if section.settled:
                    del left[device_id]
                yield Seen(device_id, section, clock() - started)
        left_s = None if timeout_s is None else started + timeout_s - clock()
        if not left or (left_s is not None and left_s <= 0):
            return
        pause_s = hub.pause_s(max(interval_s, len(left) * _A_READ_S))
        sleep(pause_s if left_s is None else min(pause_s, left_s))


def _reading(reader: TwinReader, device_id: str) -> Callable[[bool], dict[str, Any]]:
    return lambda patient: reader.twin(device_id, patient=patient)
