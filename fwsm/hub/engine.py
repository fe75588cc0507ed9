"""What is behind the doors: all rooms of one hub, wired together.

The doors (MQTT, REST, Python) translate and nothing else; whatever a hub knows or decides is in here. Everything runs
in the thread of one event loop, so nothing is locked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.authorities import Authorities
from fwsm.hub.cloudmessages import CloudMessages
from fwsm.hub.configurations import Configurations
from fwsm.hub.events import Events
from fwsm.hub.faults import Faults
from fwsm.hub.feed import Feed
from fwsm.hub.jobs import Jobs
from fwsm.hub.links import Links
from fwsm.hub.methods import Methods
from fwsm.hub.policy import Policies
from fwsm.hub.presence import Presence
from fwsm.hub.registry import Registry
from fwsm.hub.session import Sessions
from fwsm.hub.throttles import Throttles
from fwsm.hub.twins import Twins

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.state import State

__all__ = ["Engine"]


class Engine:
    """One hub without its doors.

    Args:
        state: what is kept from one run to the next.
        wall: the time in epoch seconds; tokens and `$metadata` go by it.
        monotonic: a clock that never jumps, in seconds; keep-alive goes by it.
    """

    def __init__(self, state: State, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self.wall = wall
        self.monotonic = monotonic
        self.faults = Faults()
        self.throttles = Throttles(monotonic)
        self.events = Events()
        self.feed = Feed(self.events, wall)
        self.policies = Policies.kept_in(state)
        self.authorities = Authorities(state, wall)
        self.registry = Registry(state, self.events, wall)
        self.twins = Twins(self.registry, state, self.events, wall)
        self.sessions = Sessions(self.registry, state, self.events)
        self.links = Links(self.events)
        self.presence = Presence(state, self.events, wall)
        self.messages = CloudMessages(self.registry, self.links, state, self.events, wall)
        self.methods = Methods(self.registry, self.links, self.events)
        self.jobs = Jobs(state, self.events, wall)
        self.configurations = Configurations(state, self.events, wall)
