"""More than the table: further children of `applying`, and further rows with guards, without a table of one's own.

A `Step` is a child of `applying` that is entered in place of the state that it stands before; when its work is done,
that state follows. So it is stored, reported, drawn, and gone on with after a crash like every other state. Where it
stands decides what coming back means:

- before `installing` and before `rebooting` the old firmware runs, and the step simply runs again;
- before `confirming` the new firmware runs. If it does not when the process comes back, the board has fallen back.

A further row is tried before the built-in rows of the same trigger and source. It must have a guard, so that a trigger
still always leads somewhere, and it may lead where those rows lead, or to the failure of that part of the way; nothing
that holds for the built-in table can be undone by it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from fwsm.core.entry import Effect
from fwsm.core.guards import attempts_left, cause_transient, restarts_left, target_runs
from fwsm.core.lifecycle.table import FELL_BACK, RESTART_LOOP, TABLE, Row, Trigger
from fwsm.core.update import State
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from fwsm.core.update import Update

__all__ = ["NO_EXTENSION", "Extension", "Step"]

_PLACES: Final = (State.INSTALLING, State.REBOOTING, State.CONFIRMING)


@dataclass(frozen=True, slots=True)
class Step:
    """A further child of `applying`.

    Attributes:
        name: the substatus on the twin, such as `backingUp`; letters and digits, beginning with a small letter.
        before: the state that it stands before: `INSTALLING`, `REBOOTING` or `CONFIRMING`. Where no reboot is needed,
            or a power cut has been one, the way leads to `confirming`, past what stands before `rebooting`.
        run: does the work, beside the agent's thread. It may have been done before by a process that died, so it must
            be safe to do twice. It raises FwsmError if it fails: a transient one is tried again, any other rolls back.
            It breaks off when the event is set; what it does then does not count.

    Raises:
        ConfigError: the name is no name or a built-in one, or nothing can stand there.
    """

    name: str
    before: State
    run: Callable[[Update, threading.Event], None]

    def __post_init__(self) -> None:
        """Check."""
        if self.before not in _PLACES:
            raise ConfigError(
                f"the step '{self.name}' cannot stand before '{self.before}'",
                why="steps are children of 'applying'",
                fix=f"Choose one of {', '.join(place.name for place in _PLACES)}",
            )
        if self.state.name in State.__members__:
            raise ConfigError(f"the step '{self.name}' has the name of a built-in state", fix="Choose another name")

    @property
    def state(self) -> State:
        """The state that an update is in while the step runs."""
        return State.child(self.name)


@dataclass(frozen=True, slots=True)
class Extension:
    """What a program adds to the lifecycle.

    Attributes:
        steps: further children of `applying`; several before the same state run in this order.
        rows: further rows, tried before the built-in ones of the same trigger and source.

    Raises:
        ConfigError: two steps have one name, or a row would break what the table promises.
    """

    steps: tuple[Step, ...] = ()
    rows: tuple[Row, ...] = ()

    def __post_init__(self) -> None:
        """Check."""
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ConfigError(f"two steps have the same name: {', '.join(names)}", fix="Give each a name of its own")
        for row in self.rows:
            _check(row)

    @property
    def table(self) -> tuple[Row, ...]:
        """The whole table of the extended lifecycle."""
        rows = tuple(self._around(row) for row in (*self.rows, *TABLE))
        return rows + tuple(row for step in self.steps for row in self._rows_of(step))

    @property
    def states(self) -> tuple[State, ...]:
        """All states, each step where it is passed."""
        found: list[State] = []
        for state in State:
            found += [step.state for step in self.steps if step.before is state]
            found.append(state)
        return tuple(found)

    def _around(self, row: Row) -> Row:
        """The same row, but into the first step before its target. What ordering a reboot counts is counted later."""
        if row.target is None or row.target is row.source or (first := self._first_before(row.target)) is None:
            return row
        return replace(row, target=first, effects=row.effects - {Effect.COUNT_REBOOT})

    def _first_before(self, target: State) -> State | None:
        return next((step.state for step in self.steps if step.before is target), None)

    def _rows_of(self, step: Step) -> tuple[Row, ...]:
        here, t = step.state, Trigger
        queue = [each for each in self.steps if each.before is step.before]
        behind = queue[queue.index(step) + 1 :]
        follows = behind[0].state if behind else step.before
        orders_reboot = {Effect.COUNT_REBOOT} if follows is State.REBOOTING else set()
        restart, attempt = frozenset({Effect.COUNT_RESTART}), frozenset({Effect.COUNT_ATTEMPT})
        fell_back = frozenset({Effect.COUNT_RESTART, Effect.NOTE_OLD_RUNS})
        on_the_way = (
            Row(t.STEP_DONE, here, follows, effects=frozenset(orders_reboot)),
            Row(t.STEP_FAILED, here, here, (cause_transient, attempts_left), attempt),
            Row(t.STEP_FAILED, here, State.ROLLING_BACK),
        )
        if step.before is State.CONFIRMING:
            return (
                *on_the_way,
                Row(t.RESTARTED, here, here, (target_runs, restarts_left), restart),
                Row(t.RESTARTED, here, State.ROLLING_BACK, (target_runs,), restart, RESTART_LOOP),
                Row(t.RESTARTED, here, State.APPLY_FAILED, (), fell_back, FELL_BACK),
            )
        return (
            *on_the_way,
            Row(t.RESTARTED, here, here, (restarts_left,), restart),
            Row(t.RESTARTED, here, State.ROLLING_BACK, (), restart, RESTART_LOOP),
        )


NO_EXTENSION: Final = Extension()


def _check(row: Row) -> None:
    what = f"the row '{row.trigger}' from '{row.source}' to '{row.target}' cannot be added"
    if not row.guards:
        raise ConfigError(what, why="without a guard it would hide the built-in rows behind it", fix="Give it a guard")
    built_in = [there for there in TABLE if there.trigger is row.trigger and there.source is row.source]
    if not built_in:
        raise ConfigError(
            what,
            why="the built-in table does not know this trigger there",
            fix="Choose one that it knows, or add a step",
        )
    targets = {there.target for there in built_in} | {_failure_of(row.source)}
    allowed = sorted(target for target in targets if target is not None and target is not row.source)
    if row.target not in allowed:
        fix = f"Lead it to {' or '.join(allowed)}" if allowed else "Leave it out: nothing can be added here"
        raise ConfigError(what, why="it would break what the table promises", fix=fix)


def _failure_of(source: State) -> State | None:
    if source.interruptible:
        return State.DOWNLOAD_FAILED
    if source.settled or source is State.ROLLING_BACK:
        return None
    return State.ROLLING_BACK
