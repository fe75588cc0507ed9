"""Follow an update on the device's twin until it settles.

The twin is polled. Right after a trigger it may still show how an *earlier* update ended, so what counts is chosen
with care: by `updateId` if the device gave one, else by any change against the section read before the trigger.
Between two looks the twin may change more than once; a watcher sees the last of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from fwsm.errors import DeviceTimeoutError, UpdateFailedError
from fwsm.service.presence import HubAway, HubBack, Presence, pause
from fwsm.service.section import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.service.presence import TwinReader

__all__ = ["Event", "Interest", "Snapshot", "watch"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The section has changed.

    Attributes:
        section: what it is now.
        elapsed_s: since the watch began.
    """

    section: Section
    elapsed_s: float


Event: TypeAlias = Snapshot | HubAway | HubBack


def watch(
    reader: TwinReader,
    device_id: str,
    *,
    update_id: str | None = None,
    before: Section | None = None,
    interval_s: float = 0.5,
    timeout_s: float | None = None,
    since: float | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = pause,
) -> Iterator[Event]:
    """Yield what the device reports, whenever it has changed; the last event is a snapshot that is settled.

    Args:
        reader: where twins come from.
        device_id: whom to watch.
        update_id: which update counts; None for whichever the device reports.
        before: what was reported before that update was asked for; it does not count. None if that was nothing.
        interval_s: pause between two looks; longer while the hub is away.
        timeout_s: how long to watch; None for as long as it takes.
        since: when that began to count, by `clock`; None for now.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        DeviceTimeoutError: it has not settled in time; the update goes on.
        UpdateFailedError: the device works on another update now.
        HubUnreachableError: the hub could not be reached at first, or was away for ten minutes.
        ServiceError: another of the hub's errors, such as that the device is gone.
    """
    started = clock()
    counted_from = started if since is None else since
    interest = Interest(device_id, update_id, before)
    hub = Presence(clock)
    while True:
        twin = yield from hub.look(lambda patient: reader.twin(device_id, patient=patient))
        section = None if twin is None else interest.admit(Section.of(twin))
        if section is not None:
            yield Snapshot(section, clock() - started)
            if section.settled:
                return
        left_s = None if timeout_s is None else counted_from + timeout_s - clock()
        if left_s is not None and left_s <= 0:
            raise DeviceTimeoutError(
                f"the update of {device_id} has not settled within {timeout_s:g} s",
                why=interest.standing,
                fix=f"What the device does goes on; look again with `fwsm watch {device_id}`",
            )
        pause_s = hub.pause_s(interval_s)
        sleep(pause_s if left_s is None else min(pause_s, left_s))


class Interest:
    """Which sections count, each only once in a row.

    Args:
        device_id: whose they are.
        update_id: which update counts; None for whichever the device reports.
        before: what was reported before that update was asked for; it does not count. None if that was nothing.
    """

    def __init__(self, device_id: str, update_id: str | None, before: Section | None) -> None:
        self._device_id = device_id
        self._update_id = update_id
        self._last = before if update_id is None else None
        self._seen = False

    @property
    def standing(self) -> str:
        """Where the update was seen last."""
        return f"it is {self._last.status}" if self._seen and self._last else "the device has not reported it yet"

    def admit(self, section: Section | None) -> Section | None:
        """Return the section if it is news about the right update.

        Raises:
            UpdateFailedError: the device has turned to another one.
        """
        if section is None or section == self._last:
            return None
        if self._update_id not in {None, section.update_id}:
            if self._seen:
                raise UpdateFailedError(
                    f"{self._device_id} has turned to another update",
                    why=f"it reports {section.update_id or 'one without an id'} instead of {self._update_id}",
                    fix=f"Look at that one with `fwsm watch {self._device_id}`",
                )
            return None  # an earlier update's; the report of ours is on its way
        self._seen = True
        self._last = section
        return section
