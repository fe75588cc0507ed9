"""What of one device is shown on the graph: where its update stands, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.text import cut
from fwsm.diagram.duration import in_words
from fwsm.diagram.journey import between_s
from fwsm.diagram.tally import Spent, Tally

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.core.update import State, Update
    from fwsm.diagram.graph import Edge, Way
    from fwsm.diagram.journey import Journey
    from fwsm.diagram.tally import Passed, Taken

__all__ = ["PLAIN", "Here", "Overlay", "at_utc", "counted", "plural", "update_name"]


@dataclass(frozen=True, slots=True)
class Here:
    """Where an update stands.

    Attributes:
        state: the state.
        words: what else is known of it, a short line each.
    """

    state: State
    words: tuple[str, ...]

    @classmethod
    def of(cls, journey: Journey) -> Here:
        """Where the update of a journey stands."""
        update = journey.update
        begun = journey.visits[-1].stays[0].entry.at if journey.stays else None
        return cls(update.state, tuple(_words(update, begun, journey.until)))


@dataclass(frozen=True, slots=True)
class Overlay:
    """What to show beside the lifecycle itself.

    Attributes:
        caption: whose update it is, and of when.
        here: the state to light.
        tally: what to write on states and edges; whatever is not in it was never reached.
    """

    caption: str = ""
    here: Here | None = None
    tally: Tally | None = None

    @classmethod
    def of(cls, journey: Journey, *, current: bool, history: bool) -> Overlay:
        """Where a journey has come to, what it was, or both."""
        return cls(
            caption=f"Update {update_name(journey.update)}, as of {at_utc(journey.until)}",
            here=Here.of(journey) if current else None,
            tally=Tally.of(journey) if history else None,
        )

    def lights(self, state: State) -> bool:
        """Whether the update stands there."""
        return self.here is not None and self.here.state is state

    def missed(self, state: State) -> bool:
        """Whether the state was never reached, as far as that is known."""
        return self.tally is not None and state not in self.tally.states and not self.lights(state)

    def passed(self, state: State) -> Passed | None:
        """What was done in a state; None if nothing, or if it is not to be shown."""
        return self.tally.states.get(state) if self.tally else None

    def taken(self, edge: Edge) -> str:
        """How often an edge was taken, and after how long; empty if it never was, or if that is not to be shown."""
        taken = self._taken(edge)
        return f"{taken.times}{_TIMES} {taken.time}" if taken else ""

    def followed(self, edge: Edge, way: Way) -> bool:
        """Whether an edge was taken in this way."""
        taken = self._taken(edge)
        return taken is not None and any(row.trigger in taken.triggers for row in edge.along(way))

    def _taken(self, edge: Edge) -> Taken | None:
        return self.tally.edges.get((edge.source, edge.target)) if self.tally else None


PLAIN: Final = Overlay()
_LONGEST: Final = 60  # of what others have named
_ID: Final = 8  # as `fwsm device history` has it
_TIMES: Final = "\N{MULTIPLICATION SIGN}"


def counted(passed: Passed) -> tuple[str, ...]:
    """What was done in a state, in one or two lines: visits and time, then tries and restarts if there were more."""
    more = [f"{passed.tries} tries"] if passed.tries > passed.visits else []
    if passed.restarts:
        more.append(plural(passed.restarts, "restart"))
    time = f" {passed.time}" if passed.time != Spent() else ""  # nothing is spent where an update has settled
    return (f"{passed.visits}{_TIMES}{time}", *([", ".join(more)] if more else []))


def plural(number: int, one: str, many: str = "") -> str:
    """So and so many of them; `many` where the plural does not end in a mere s."""
    return f"{number} {one}" if number == 1 else f"{number} {many or f'{one}s'}"


def update_name(update: Update) -> str:
    """What people call an update: the beginning of its id, and its version."""
    name = cut(update.id[:_ID], _ID)
    return f"{name} to {cut(update.request.version, _LONGEST)}" if update.request.version else name


def at_utc(at: datetime) -> str:
    """A moment, to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _words(update: Update, begun: datetime | None, now: datetime) -> list[str]:
    words = []
    if begun is not None:
        span_s = between_s(begun, now)
        known = f" ({in_words(span_s)})" if span_s is not None and not update.state.settled else ""
        words.append(f"since {at_utc(begun)}{known}")
    if update.attempt > 1:
        words.append(f"try {update.attempt}")
    if update.reason:
        words.append(f"waits: {cut(update.reason, _LONGEST)}")
    if update.until:
        words.append(f"until {at_utc(update.until)}")
    if update.failure:
        words.append(f"error {update.failure.code}")
    return words
