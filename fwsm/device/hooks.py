"""What the embedding program hears of: entries into states, progress, reports.

A hook is told after the fact: what it hears of is on disk, or has reached the hub. It cannot hold anything up but by
being slow, and cannot break anything: what it raises is logged, and kept as an incident in the database, once for each
hook and update. So is what a guard of an extension raises; it does not hold then. Only SystemExit and KeyboardInterrupt
are no failures: they end the run of the device.

| hook | told | in which thread |
|---|---|---|
| entered | after each commit of an entry into a state | the agent's: it works on when the hook returns |
| progressed | how much of the image is safe on disk, about once a second | the download's |
| reported | each patch that the hub has acknowledged | the reporter's |
"""

from __future__ import annotations

import copy
import functools
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from fwsm.core.text import said_by
from fwsm.device.fitting import require_call, require_done, require_states
from fwsm.device.mishaps import Mishap, Mishaps

if TYPE_CHECKING:
    from fwsm.core.entry import Facts
    from fwsm.core.guards import Guard
    from fwsm.core.lifecycle import Extension
    from fwsm.core.update import Limits, Progress, State, Update

__all__ = ["Entered", "EntryHook", "Hooks", "ProgressHook", "ReportHook"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entered:
    """An entry into a state, on disk.

    Attributes:
        update: the record after it; `update.state` is the state that was entered, maybe once more.
        before: the record before it; None for a new update.
        trigger: the fact that led there, as the history names it; "accepted" for a new update.
    """

    update: Update
    before: Update | None
    trigger: str


EntryHook: TypeAlias = Callable[[Entered], object]
"""Told of an entry into a state."""

ProgressHook: TypeAlias = "Callable[[Update, Progress], object]"
"""Told how much of an update's image is safe on disk."""

ReportHook: TypeAlias = Callable[[Mapping[str, Any]], object]
"""Told a patch of the reported properties that the hub has acknowledged."""


class Hooks:
    """All hooks of one device. They may be added and called by any thread.

    Args:
        mishaps: where it is said which of them have failed; None for a place of their own.

    Attributes:
        mishaps: the same.
    """

    def __init__(self, mishaps: Mishaps | None = None) -> None:
        self.mishaps = mishaps or Mishaps()
        self._lock = threading.Lock()
        self._entered: list[tuple[frozenset[State], EntryHook]] = []
        self._progressed: list[ProgressHook] = []
        self._reported: list[ReportHook] = []

    def on_enter(self, hook: EntryHook, *states: State) -> None:
        """Tell `hook` of entries into these states; of all if none is named.

        Raises:
            ConfigError: it is no function, or one of them is no state.
        """
        require_states(states)
        self._add(self._entered, hook, (frozenset(states), hook))

    def on_progress(self, hook: ProgressHook) -> None:
        """Tell `hook` how far downloads are."""
        self._add(self._progressed, hook, hook)

    def on_report(self, hook: ReportHook) -> None:
        """Tell `hook` what the hub has acknowledged."""
        self._add(self._reported, hook, hook)

    def entered(self, entered: Entered) -> None:
        """Call the hooks for an entry into a state."""
        for states, hook in self._list(self._entered):
            if not states or entered.update.state in states:
                self._call(hook, entered.update.id, entered)

    def progressed(self, update: Update, progress: Progress) -> None:
        """Call the hooks for progress."""
        for hook in self._list(self._progressed):
            self._call(hook, update.id, update, progress)

    def reported(self, patch: Mapping[str, Any]) -> None:
        """Call the hooks for a report."""
        for hook in self._list(self._reported):
            self._call(hook, None, copy.deepcopy(patch))  # it goes on being compared with the twin

    def guarded(self, extension: Extension) -> Extension:
        """The same extension, but a guard of its rows that raises does not hold."""
        rows = (replace(row, guards=tuple(map(self._guarded, row.guards))) for row in extension.rows)
        return replace(extension, rows=tuple(rows))

    def _add(self, hooks: list[Any], hook: object, item: object) -> None:
        require_call("a hook", hook)
        with self._lock:
            hooks.append(item)

    def _list(self, hooks: list[Any]) -> list[Any]:
        with self._lock:
            return list(hooks)

    def _call(self, hook: Callable[..., object], update_id: str | None, *told: object) -> None:
        try:
            require_done(hook(*told))
        except Exception as error:  # noqa: BLE001  # it is the embedder's code
            _log.exception("the hook %s failed; the update goes on", _name(hook))
            self._keep("hookFailed", hook, error, update_id)

    def _guarded(self, guard: Guard) -> Guard:
        @functools.wraps(guard)
        def holds(update: Update, facts: Facts, limits: Limits) -> bool:
            try:
                answer = guard(update, facts, limits)
                require_done(answer)
                return bool(answer)
            except Exception as error:  # noqa: BLE001  # it is the embedder's code
                _log.exception("the guard %s failed, so it does not hold", _name(guard))
                self._keep("guardFailed", guard, error, update.id)
                return False

        return holds

    def _keep(self, code: str, failed: Callable[..., object], error: Exception, update_id: str | None) -> None:
        message = f"{_name(failed)} raised {type(error).__name__}: {said_by(error)}"
        self.mishaps.add(Mishap(code, message, update_id), of=id(failed))


def _name(hook: Callable[..., object]) -> str:
    module = getattr(hook, "__module__", None)
    name = getattr(hook, "__qualname__", None) or type(hook).__qualname__
    return f"{module}.{name}" if module else str(name)
