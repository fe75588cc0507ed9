"""A link with the embedded hub at its other end, and what came through it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from fwsm.core.connection_string import DeviceConnection
from fwsm.device.clock import SystemClock
from fwsm.device.iothub import IoTHubLink
from fwsm.device.ports import MethodCall, Trouble
from fwsm.errors import LinkError
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fwsm.device.ports import Message, Twin
    from fwsm.errors import FwsmError
    from fwsm.hub import Hub
    from tests.device.iothub.states import States

__all__ = ["DEADLINE_S", "Twins", "new_link", "report_in_time"]

# So short that a test can wait for it. On a slow machine it also ends calls that are under way, so whoever chooses it
# does not count connections, and reports by `report_in_time`.
DEADLINE_S = 1.0


class Twins:
    """The twins that were delivered, so that a test can wait for one, and the troubles; methods are echoed."""

    def __init__(self) -> None:
        self.read: list[Twin] = []
        self.troubles: list[FwsmError] = []
        self._changed = threading.Condition()

    def __call__(self, message: Message) -> None:
        """Take one message."""
        if isinstance(message, MethodCall):
            message.respond(200, {"name": message.name, "payload": message.payload})
            return
        if isinstance(message, Trouble):
            self.troubles.append(message.error)
            return
        with self._changed:
            self.read.append(message)
            self._changed.notify_all()

    def wait(self, fact: Callable[[], bool]) -> None:
        """Wait until `fact` holds after one of the deliveries."""
        with self._changed:
            assert self._changed.wait_for(fact, PATIENCE_S), self.read


def new_link(hub: Hub, states: States, text: str = "", **options: Any) -> IoTHubLink:
    """Return a link to `hub` as d1, or as `text` says, with short pauses; no deadline comes unless `options` say so."""
    connection = DeviceConnection.parse(text or hub.device("d1").connection_string)
    settings = {"deadline_s": PATIENCE_S, "backoff_base_s": 0.05, "backoff_cap_s": 0.2, **options}
    return IoTHubLink(connection, clock=SystemClock(), ca_pem=hub.ca_pem, on_state=states, **settings)


def report_in_time(link: IoTHubLink, patch: Mapping[str, Any]) -> None:
    """Report as often as it takes, as whoever keeps the report on disk does."""
    end_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            return link.report(patch)
        except LinkError:
            if time.monotonic() > end_s:
                raise
