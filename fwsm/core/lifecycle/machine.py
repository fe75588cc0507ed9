"""The `transitions` machine that is built from the table, and walks updates through it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from transitions.extensions.nesting import HierarchicalMachine, NestedEventData, NestedState, NestedTransition

from fwsm.core.entry import successor
from fwsm.core.lifecycle.extension import NO_EXTENSION
from fwsm.core.lifecycle.table import Trigger
from fwsm.core.update import Limits, State
from fwsm.errors import LifecycleError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from transitions import EventData, Transition

    from fwsm.core.entry import Facts
    from fwsm.core.guards import Guard
    from fwsm.core.lifecycle.extension import Extension
    from fwsm.core.lifecycle.table import Row
    from fwsm.core.update import Update

__all__ = ["Entry", "Lifecycle"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry into a state, as the entry callbacks see it.

    Attributes:
        row: the line of the table that was taken.
        before, after: the record before and after it.
        facts: what came with the trigger.
    """

    row: Row
    before: Update
    after: Update
    facts: Facts


class _State(NestedState):
    """A state whose child is written behind a dot, as on the twin."""

    separator = "."


class _Transition(NestedTransition):
    """A transition between leaves. Nothing is bound to parents, so none of them has to be left or entered."""

    def _change_state(self, event_data: EventData) -> None:
        machine = event_data.machine
        machine.callbacks(machine.leaves[self.source].on_exit, event_data)
        setattr(event_data.model, machine.model_attribute, self.dest)
        machine.callbacks(machine.leaves[self.dest].on_enter, event_data)


class _Machine(HierarchicalMachine):
    """The hierarchical machine for a model that is always in exactly one leaf.

    In general the current state is a tree, which has to be built, walked and merged at every event; that took three
    quarters of an event's time. Callbacks are functions that take the event, so no names of them are looked up.
    Conditions, callbacks and their order are those of `transitions`.
    """

    state_cls = _State
    transition_cls = _Transition

    @cached_property
    def leaves(self) -> dict[str, NestedState]:
        """The states that the model can be in, by their full names."""
        return {name: self.get_state(name) for name in self.get_nested_state_names()}

    def callbacks(self, funcs: Iterable[Any], event_data: EventData) -> None:
        """Call them in order."""
        for function in funcs:
            function(event_data)

    def trigger_event(self, model: object, trigger: str, *args: Any, **kwargs: Any) -> bool:
        """Try the transitions of the model's state in order; the first that fits is executed."""
        state = getattr(model, self.model_attribute)
        event = self.events[trigger]
        data = NestedEventData(self.leaves[state], event, self, model, args, kwargs)
        return any(_executed(transition, data) for transition in event.transitions[state])


def _executed(transition: Transition, data: NestedEventData) -> bool:
    data.transition = transition  # type: ignore[assignment]  # the stubs do not know `transition_cls`
    return transition.execute(data)


class Lifecycle:
    """The machine that walks updates through the table.

    It keeps no update itself: the record goes in and the next record comes out, so that a failed entry leaves
    nothing behind. One thread at a time.

    Args:
        on_entry: called in this order on every entry into a state. An exception from one of them ends the walk;
            the caller then still has the record as it was.
        limits: where the table breaks loops.
        extension: what a program adds to the table.

    Attributes:
        table: all rows, in the order in which they are tried.
        states: all states that an update can be in.
    """

    def __init__(
        self,
        on_entry: Sequence[Callable[[Entry], None]] = (),
        limits: Limits | None = None,
        extension: Extension = NO_EXTENSION,
    ) -> None:
        self.limits = limits or Limits()
        self.table = extension.table
        self.states = extension.states
        self._known = {state: frozenset(row.trigger for row in self.rows_from(state)) for state in self.states}
        self.state = State.WAITING.value  # the machine writes it: this object is its model
        self.machine = _Machine(
            model=self,
            states=_nested(self.states, [partial(_announce, callback) for callback in on_entry]),
            initial=self.state,
            auto_transitions=False,
            send_event=True,
        )
        for row in self.table:
            self.machine.add_transition(
                row.trigger.value,
                row.source.value,
                row.target.value if row.target else None,
                conditions=[partial(self._holds, guard) for guard in row.guards],
                before=partial(self._take, row),
            )

    def fire(self, update: Update, trigger: Trigger, facts: Facts) -> Update:
        """Take the row that fits and return the record after it.

        Raises:
            LifecycleError: the state does not know this trigger; nothing has changed.
            Exception: whatever an entry callback raises; nothing has changed for the caller.
        """
        stands_for = update
        if trigger is Trigger.RESTARTED and update.state not in self._known and update.state.status == "applying":
            stands_for = replace(update, state=State.CONFIRMING)  # see the theory of operation
        known = self.known(stands_for.state)
        if trigger not in known:  # asked here, because a callback may raise the MachineError of a machine of its own
            raise LifecycleError(
                f"'{trigger}' means nothing in state '{update.state}'", fix=f"Known here: {', '.join(sorted(known))}"
            )
        walk = _Walk(stored=update, before=stands_for, facts=facts)
        self.state = stands_for.state.value
        getattr(self, trigger.value)(walk=walk)
        return walk.entry.after if walk.entry else update

    def known(self, state: State) -> frozenset[Trigger]:
        """The triggers that have a row in this state."""
        return self._known.get(state, frozenset())

    def rows_from(self, state: State) -> tuple[Row, ...]:
        """What may happen in this state, in the order in which it is tried."""
        return tuple(row for row in self.table if row.source is state)

    def _holds(self, guard: Guard, event: EventData) -> bool:
        walk: _Walk = event.kwargs["walk"]
        return guard(walk.before, walk.facts, self.limits)

    def _take(self, row: Row, event: EventData) -> None:
        walk: _Walk = event.kwargs["walk"]
        if row.target is None:
            return
        after = successor(walk.before, row.target, walk.facts, self.limits, effects=row.effects, failure=row.failure)
        walk.entry = Entry(row=row, before=walk.stored, after=after, facts=walk.facts)


@dataclass(slots=True)
class _Walk:
    """One call of `fire`, handed through the machine with the event.

    Attributes:
        stored: the record as it is on disk.
        before: the same, in a state that the table knows.
        facts: what came with the trigger.
        entry: what comes of it.
    """

    stored: Update
    before: Update
    facts: Facts
    entry: Entry | None = None


def _announce(callback: Callable[[Entry], None], event: EventData) -> None:
    entry = event.kwargs["walk"].entry
    callback(entry)


def _nested(states: Sequence[State], on_enter: list[partial[None]]) -> list[dict[str, object]]:
    """The states as the machine wants them: children inside their parent. Only leaves are entered."""
    parents: dict[str, dict[str, object]] = {}
    for state in states:
        if state.substatus is None:
            parents[state.value] = {"name": state.value, "on_enter": on_enter}
        else:
            parent = parents.setdefault(state.status, {"name": state.status, "children": []})
            children = parent["children"]
            assert isinstance(children, list)  # noqa: S101  # a status is either a leaf or a parent
            children.append({"name": state.substatus, "on_enter": on_enter})
    return list(parents.values())
