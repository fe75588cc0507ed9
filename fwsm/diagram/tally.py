"""Journeys counted: how often a state was visited and an edge taken, and where the time went."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fwsm.diagram.duration import in_words
from fwsm.diagram.journey import Sign

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.core.update import State
    from fwsm.diagram.journey import Journey

__all__ = ["Passed", "Spent", "Taken", "Tally"]


@dataclass(frozen=True, slots=True)
class Spent:
    """Time that was spent.

    Attributes:
        seconds: what can be believed of it.
        whole: whether that is all of it; else the clock was set meanwhile.
    """

    seconds: float = 0.0
    whole: bool = True

    def __add__(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(self.seconds + other.seconds, self.whole and other.whole)

    def __str__(self) -> str:
        """In words, with a mark if it may have been more."""
        if not self.whole and not self.seconds:
            return "?"
        return f"{'' if self.whole else '≥'}{in_words(self.seconds)}"

    @classmethod
    def of(cls, span_s: float | None) -> Spent:
        """A span that may be unknown."""
        return cls(0.0, whole=False) if span_s is None else cls(span_s)


@dataclass(frozen=True, slots=True)
class Passed:
    """What was done in one state.

    Attributes:
        visits: how often it was entered from elsewhere.
        tries: how often its work was begun in these visits, other than after a restart.
        restarts: how often the process came back there.
        time: how long it was in all.
    """

    visits: int = 0
    tries: int = 0
    restarts: int = 0
    time: Spent = field(default_factory=Spent)


@dataclass(frozen=True, slots=True)
class Taken:
    """How one edge was taken.

    Attributes:
        times: how often.
        time: what was spent in the source before, since the entry before it, in all.
        triggers: what led there.
    """

    times: int = 0
    time: Spent = field(default_factory=Spent)
    triggers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted; states and edges that nothing is known of are not in it."""

    states: Mapping[State, Passed]
    edges: Mapping[tuple[State, State], Taken]

    @classmethod
    def of(cls, journey: Journey) -> Tally:
        """Count a journey."""
        states: dict[State, Passed] = {}
        for visit in journey.visits:
            known = states.get(visit.state, Passed())
            states[visit.state] = Passed(
                visits=known.visits + 1,
                tries=known.tries + visit.tries,
                restarts=known.restarts + visit.count(Sign.RESTART),
                time=sum((Spent.of(stay.span_s) for stay in visit.stays), known.time),
            )
        edges: dict[tuple[State, State], Taken] = {}
        for before, after in journey.moves:
            pair = before.entry.state, after.entry.state
            taken = edges.get(pair, Taken())
            edges[pair] = Taken(
                taken.times + 1, taken.time + Spent.of(before.span_s), taken.triggers | {after.entry.trigger}
            )
        return cls(states, edges)
