"""The lifecycle as a graph: what every drawing is made from.

The states, their nesting and the start come from the built machine, the edges from the table it was built from.
Rows that lead from the same state to the same state share an edge, in the order in which they are tried.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.entry import Effect
from fwsm.core.lifecycle import Lifecycle, Row, Trigger
from fwsm.core.update import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fwsm.diagram.journey import Journey

__all__ = ["Composite", "Edge", "Graph", "Way", "effects_of", "guards_of", "sentence_of", "way_of"]

_COMMANDS: Final = frozenset({Trigger.CANCELLED, Trigger.SUPERSEDED, Trigger.RETRY_REQUESTED})


class Way(enum.StrEnum):
    """What makes an update take an edge."""

    FACT = "fact"  # the work went well or badly
    RESTART = "restart"  # the process came back
    COMMAND = "command"  # an operator asked for it


def way_of(trigger: Trigger) -> Way:
    """The way that a trigger belongs to."""
    if trigger is Trigger.RESTARTED:
        return Way.RESTART
    return Way.COMMAND if trigger in _COMMANDS else Way.FACT


def guards_of(row: Row) -> tuple[str, ...]:
    """The names of a row's guards, in the order in which they are asked."""
    return tuple(guard.__name__ for guard in row.guards)


def effects_of(row: Row) -> tuple[str, ...]:
    """What a row does beside moving, in the order of the effects' declaration."""
    return tuple(effect.value for effect in Effect if effect in row.effects)


def sentence_of(row: Row) -> str:
    """A row as an edge says it: `trigger [guard, guard]`."""
    guards = guards_of(row)
    return f"{row.trigger} [{', '.join(guards)}]" if guards else row.trigger.value


@dataclass(frozen=True, slots=True)
class Edge:
    """All rows that lead from one state to one other, or back to itself.

    Attributes:
        source, target: the states.
        rows: the rows, in the order of the table; at least one.
    """

    source: State
    target: State
    rows: tuple[Row, ...]

    @property
    def way(self) -> Way:
        """What the edge as a whole is: the first of fact, restart, command that one of its rows is."""
        ways = {way_of(row.trigger) for row in self.rows}
        return next(way for way in Way if way in ways)

    @property
    def again(self) -> bool:
        """Whether the state is entered again."""
        return self.source is self.target

    def along(self, way: Way) -> tuple[Row, ...]:
        """Its rows of one way."""
        return tuple(row for row in self.rows if way_of(row.trigger) is way)


@dataclass(frozen=True, slots=True)
class Composite:
    """A state that is only ever entered through its children.

    Attributes:
        name: the `status` that its children share.
        children: in the order of the machine.
    """

    name: str
    children: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Graph:
    """States, edges and rows of the lifecycle.

    Attributes:
        initial: where an update starts.
        places: the top level in the machine's order, each a plain state or one with children.
        rows: the whole table, also those rows that change nothing and so are no edges.
    """

    initial: State
    places: tuple[State | Composite, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, lifecycle: Lifecycle) -> Graph:
        """The graph of a built lifecycle."""
        machine = lifecycle.machine
        return cls(
            initial=State(str(machine.initial)),
            places=tuple(_place(name, state.states) for name, state in machine.states.items()),
            rows=lifecycle.table,
        )

    @property
    def states(self) -> tuple[State, ...]:
        """All states that an update can be in, children in place of their parent."""
        nested = ((place,) if isinstance(place, State) else place.children for place in self.places)
        return tuple(state for group in nested for state in group)

    @property
    def edges(self) -> tuple[Edge, ...]:
        """One edge for each pair of states that a row connects, in the order of the states."""
        rows: dict[tuple[State, State], list[Row]] = {}
        for row in self.rows:
            if row.target is not None:
                rows.setdefault((row.source, row.target), []).append(row)
        rank = {state: number for number, state in enumerate(self.states)}
        pairs = sorted(rows, key=lambda pair: (rank[pair[0]], rank[pair[1]]))
        return tuple(Edge(source, target, tuple(rows[source, target])) for source, target in pairs)

    def including(self, journey: Journey) -> Graph:
        """The same, and what a journey shows beside it: a device's lifecycle may have been extended elsewhere."""
        there = {(row.trigger.value, row.source, row.target) for row in self.rows}
        rows: dict[tuple[str, State | None, State], Row] = {}
        for entry in (stay.entry for stay in journey.stays):
            way = entry.trigger, entry.source, entry.state
            if entry.source is not None and way not in there and entry.trigger in set(Trigger):
                rows[way] = Row(Trigger(entry.trigger), entry.source, entry.state)
        ends = (end for row in rows.values() for end in (row.source, row.target))
        states = [state for state in (*ends, journey.update.state) if state is not None]
        strange = tuple(dict.fromkeys(state for state in states if state not in self.states))
        return Graph(self.initial, tuple(_with(place, strange) for place in self.places), (*self.rows, *rows.values()))

    def rows_from(self, state: State) -> tuple[Row, ...]:
        """What may happen in a state, in the order in which it is tried."""
        return tuple(row for row in self.rows if row.source is state)


def _with(place: State | Composite, strange: tuple[State, ...]) -> State | Composite:
    """A place with the children that nobody here has declared."""
    if isinstance(place, State):
        return place
    return Composite(place.name, place.children + tuple(state for state in strange if state.status == place.name))


def _place(name: str, children: Iterable[str]) -> State | Composite:
    nested = tuple(State(f"{name}.{child}") for child in children)
    return Composite(name, nested) if nested else State(name)
