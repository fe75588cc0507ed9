"""Call a device that may be offline, as soon as it can be called.

The hub says on the twin whether it sees the device connected. That may be late, and a device that is connected may not
listen to methods yet; so only the call itself tells. A call that the hub refused because the device is offline never
reached it and may be made again.

A hub that does not answer at first is an error to most commands; `first_look` waits for it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from fwsm.errors import DeviceOfflineError, ServiceError
from fwsm.service.presence import HubAway, HubBack, Presence, pause

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.service.presence import TwinReader

__all__ = ["Happening", "first_look", "when_online"]

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
    since: float | None = None,
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
        since: when that began to count, by `clock`; None for now.
        on_event: told when the device is found offline, once, and when the hub goes away or comes back meanwhile.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        DeviceOfflineError: it did not come in time; nothing has reached it.
        ServiceError: another of the hub's errors, of the call or while waiting.
    """
    started = clock() if since is None else since
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
        twin = _seen(hub, lambda patient: reader.twin(device_id, patient=patient), on_event)
        connected = twin is not None and twin.get("connectionState") == "Connected"


def first_look(
    look: Callable[[bool], _T],
    *,
    timeout_s: float | None = None,
    on_event: Callable[[Happening], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = pause,
) -> _T:
    """Return what `look` returns as soon as the hub answers, although it may not do so yet.

    Args:
        look: asks the hub for something that is there; told whether to have patience of its own.
        timeout_s: how long to wait for the hub; None for ten minutes.
        on_event: told when the hub is found away, and when it is back.
        clock: seconds, never running backwards.
        sleep: waits so many seconds.

    Raises:
        HubUnreachableError: it did not answer in time.
        ServiceError: another of the hub's errors, such as that there is no such device.
    """
    started = clock()
    hub = Presence(clock, met=True)
    errors: list[ServiceError] = []

    def note(event: Happening) -> None:
        if isinstance(event, HubAway):
            errors.append(event.error)
        on_event(event)

    while (found := _seen(hub, look, note)) is None:
        left_s = None if timeout_s is None else started + timeout_s - clock()
        if left_s is not None and left_s <= 0:
            raise errors[-1]
        longest_s = hub.pause_s(_FIRST_PAUSE_S / 2)
        sleep(longest_s if left_s is None else min(longest_s, left_s))
    return found


def _seen(hub: Presence, read: Callable[[bool], _T], on_event: Callable[[Happening], None]) -> _T | None:
    looking = hub.look(read)
    while True:
        try:
            on_event(next(looking))
        except StopIteration as end:
            found: _T | None = end.value
            return found
