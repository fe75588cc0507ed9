"""What happens inside the hub, as values, for whoever wants to know.

The rooms of the hub do not call each other to pass on news: whoever changes something publishes, and the
connections, the log of reports and waiting tests listen. All of it runs in the hub's thread, in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.bags import Bag
    from fwsm.hub.twin import Twin

__all__ = [
    "Connected",
    "DesiredChanged",
    "Disconnected",
    "Event",
    "Events",
    "IdentityChanged",
    "JobEnded",
    "Reported",
    "Sender",
    "Subscribed",
    "TelemetryReceived",
    "TwinAdded",
    "TwinChanged",
    "TwinRemoved",
    "WorkWaiting",
]


@dataclass(frozen=True, slots=True)
class Connected:
    """A device has been let in; `model_id` is the model that it claims to follow, "" for none."""

    client_id: str
    model_id: str = ""


@dataclass(frozen=True, slots=True)
class Disconnected:
    """A device's connection has ended."""

    client_id: str


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A device has subscribed to something."""

    client_id: str


@dataclass(frozen=True, slots=True)
class IdentityChanged:
    """A device was created, changed or deleted; `admitted` says whether it may be connected now."""

    client_id: str
    admitted: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported patch was accepted and made version `version`."""

    client_id: str
    patch: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class DesiredChanged:
    """Desired properties were written; `patch` is the change, nulls included, and made version `version`."""

    client_id: str
    patch: dict[str, Any]
    version: int


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job is over, well or badly."""

    job_id: str


@dataclass(frozen=True, slots=True)
class WorkWaiting:
    """There is something to do for the hub itself that should not wait for its next look around (see `backstage`)."""


@dataclass(frozen=True, slots=True)
class TwinAdded:
    """A device or module was created, and a twin with it."""

    client_id: str
    twin: Twin


@dataclass(frozen=True, slots=True)
class TwinRemoved:
    """A device or module was deleted, and its twin with it."""

    client_id: str
    twin: Twin


@dataclass(frozen=True, slots=True)
class TwinChanged:
    """A twin was written, by whomever.

    Attributes:
        change: what was written, nulls included: `tags`, `desired`, `reported` as far as they were.
        version: of the whole twin.
        versions: of the sections in `change` that have one.
        at: when, in epoch seconds.
        replacement: the new twin, when it took the place of the old one instead of being merged.
    """

    client_id: str
    change: dict[str, Any]
    version: int
    versions: dict[str, int]
    at: float
    replacement: Twin | None = None


@dataclass(frozen=True, slots=True)
class Sender:
    """How the device that sends was let in; IoT Hub notes it on every message.

    Attributes:
        client_id: who it is.
        scope: `device`, `module`, or `hub` for a token of a policy.
        kind: `sas` or `x509`.
        generation: of the identity.
        model_id: the model that the device claims to follow (`model-id`), "" for none.
    """

    client_id: str
    scope: str
    kind: str
    generation: int
    model_id: str = ""


@dataclass(slots=True)  # to make a frozen one takes four times as long, and a hub under load makes little else
class TelemetryReceived:
    """A device has sent a message."""

    client_id: str
    bag: Bag
    body: bytes
    sender: Sender


Event: TypeAlias = (
    Connected
    | Disconnected
    | Subscribed
    | IdentityChanged
    | Reported
    | DesiredChanged
    | TwinAdded
    | TwinRemoved
    | TwinChanged
    | TelemetryReceived
    | JobEnded
    | WorkWaiting
)


class Events:
    """The place where news is passed on."""

    def __init__(self) -> None:
        self._listeners: list[tuple[Callable[[Any], None], tuple[type[Any], ...]]] = []
        # By the kind of the event: a hub under load has thousands a second, and most listeners want none of them.
        self._routes: dict[type[Any], list[Callable[[Any], None]]] = {}

    def subscribe(self, listener: Callable[[Any], None], *kinds: type[Event]) -> None:
        """Call `listener` with every event of these kinds from now on; with every event when no kind is named."""
        self._listeners.append((listener, kinds))
        self._routes = {}

    def publish(self, event: Event) -> None:
        """Tell the listeners that want to know, in the order in which they came."""
        kind = type(event)
        route = self._routes.get(kind)
        if route is None:
            route = [listener for listener, kinds in self._listeners if not kinds or kind in kinds]
            self._routes[kind] = route
        for listener in route:
            listener(event)
