"""Call a device that may be offline, as soon as it can be called.

The hub says on the twin whether it sees the device connected. That may be late, and a device that is connected may not
listen to methods yet; so only the call itself tells. A call that the hub refused because the device is offline never
reached it and may be made again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from fwsm.errors import DeviceOfflineError
from fwsm.service.presence import HubAway, HubBack, Presence, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.service.presence import TwinReader

__all__ = ["Happening", "when_online"]

_T = TypeVar("_T")
Happening: TypeAlias = DeviceOfflineError | HubAway | HubBack

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 10.0


def when_online(
    call: Callable[[], _T],
    reader: TwinReader,
    device_id: str,
    *,
    timeout_s: float | None = None,
    on_event: Callable[[Happening], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = pause,
) -> _T:
    """Return what `call` returns once the device is there for it.

    Args:
        call: raises DeviceOfflineError if the device could not be reached; made again then, and only then.
        reader: where twins come from.
        device_id: whom it calls.
        timeout_s: how long to wait; None for as long as it takes.
        on_event: told when the device is found offline, once, and when the hub goes away or comes back meanwhile.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        DeviceOfflineError: it did not come in time; nothing has reached it.
        ServiceError: another of the hub's errors, of the call or while waiting.
    """
    started = clock()
    hub = Presence(clock)
    pause_s = _FIRST_PAUSE_S
    last: DeviceOfflineError | None = None
    connected = False
    while True:
        if last is None or connected:
            try:
                return call()
            except DeviceOfflineError as error:
                if last is None:
                    on_event(error)
                last = error
        left_s = None if timeout_s is None else started + timeout_s - clock()
        if left_s is not None and left_s <= 0:
            raise DeviceOfflineError(
                f"{device_id} has not come online within {timeout_s:g} s",
                why=last.why,
                fix="Nothing has reached it; start the device, or wait longer with --timeout",
            )
        longest_s = hub.pause_s(pause_s)
        sleep(longest_s if left_s is None else min(longest_s, left_s))
        pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
        connected = _connected(hub, lambda patient: reader.twin(device_id, patient=patient), on_event)


def _connected(hub: Presence, read: Callable[[bool], dict[str, Any]], on_event: Callable[[Happening], None]) -> bool:
    looking = hub.look(read)
    while True:
        try:
            on_event(next(looking))
        except StopIteration as end:
            twin = end.value
            return twin is not None and twin.get("connectionState") == "Connected"
