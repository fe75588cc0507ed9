"""One device: its database, its link, its threads, and the order in which they start and end.

This is what a program embeds. The agent runs in the thread that calls `run`, or in one of its own after `start`; the
reporter has its own. They meet in the database and at two bells.

    with Device("/var/lib/meter", link=link, installer=installer) as device:
        device.run()  # until device.stop(), which a signal handler may call
"""

from __future__ import annotations

import random
import uuid
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self, TypeVar

from fwsm.core.lifecycle import NO_EXTENSION, Extension
from fwsm.core.policy import Always
from fwsm.core.request import METHOD
from fwsm.core.update import Limits
from fwsm.device.agent import Agent
from fwsm.device.clock import SystemClock
from fwsm.device.commands import BUILT_IN
from fwsm.device.examined import Examiner
from fwsm.device.fitting import (
    require_calls,
    require_directory,
    require_kind,
    require_part,
    require_seconds,
    require_states,
)
from fwsm.device.hooks import Hooks
from fwsm.device.job import Runner
from fwsm.device.lifetime import Lifetime
from fwsm.device.methods import Method, require_methods
from fwsm.device.order import came_of
from fwsm.device.reporter import Reporter
from fwsm.store import Retention, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from fwsm.core.lifecycle import Row
    from fwsm.core.policy import Policy
    from fwsm.core.update import State, Update
    from fwsm.device.health import HealthCheck
    from fwsm.device.hooks import EntryHook, ProgressHook, ReportHook
    from fwsm.device.ports import Clock, Download, Heartbeat, Installer, Link
    from fwsm.store import HistoryRow

__all__ = ["Device"]

_E = TypeVar("_E", bound="EntryHook")
_P = TypeVar("_P", bound="ProgressHook")
_R = TypeVar("_R", bound="ReportHook")


class Device:
    """A device that takes updates; a context manager that owns the state directory.

    Args:
        state_dir: where the database is; made if it is missing.
        link: the connection to the hub.
        installer: brings images into place.
        download: gets images onto the disk; None for HTTPS with the system's authorities, into `artifacts` in the
            state directory.
        policy: when an update may go on; None for always.
        checks: what must hold before new firmware is confirmed; each raises HealthError.
        clock: time; None for the machine's.
        limits: where loops end and how long to wait.
        extension: what the program adds to the lifecycle; see `Extension`.
        soak_s, check_every_s: how long the checks must hold, and how often they are made.
        allow_http: whether `http` is good enough for `fwPackageUri`.
        retention: how much of the history is kept; None for 2000 entries and two years.
        methods: direct methods of the program's own, by name; see `fwsm.device.methods`.
        progress_every_s: at most one progress report in so many seconds; None for none.
        runner: how long work runs beside the agent; None for in a thread of its own.
        heartbeat: called in each turn of the agent, as `Watchdog.beat` is; None for nothing.
        chance: random numbers in [0, 1) for jitter.
        new_id: makes update ids.

    Raises:
        StoreLockedError: another agent works on this directory.
        StoreError: the database cannot be used.
        ConfigError: a part, or another argument, does not fit; nothing has been made.
    """

    def __init__(
        self,
        state_dir: Path | str,
        *,
        link: Link,
        installer: Installer,
        download: Download | None = None,
        policy: Policy | None = None,
        checks: Sequence[HealthCheck] = (),
        clock: Clock | None = None,
        limits: Limits | None = None,
        extension: Extension = NO_EXTENSION,
        soak_s: float = 0.0,
        check_every_s: float = 5.0,
        allow_http: bool = False,
        retention: Retention | None = None,
        methods: Mapping[str, Method] | None = None,
        progress_every_s: float | None = 5.0,
        runner: Runner | None = None,
        heartbeat: Heartbeat | None = None,
        chance: Callable[[], float] = random.random,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.state_dir = require_directory("state_dir", state_dir)
        require_calls("checks", checks)
        require_kind("limits", limits, Limits, type(None))
        require_kind("extension", extension, Extension)
        require_kind("retention", retention, Retention, type(None))
        require_methods(methods, BUILT_IN)
        require_kind("allow_http", allow_http, bool)
        require_seconds("soak_s", soak_s)
        require_seconds("check_every_s", check_every_s, above=True)
        if progress_every_s is not None:
            require_seconds("progress_every_s", progress_every_s)
        if runner is not None:
            require_part("runner", runner, Runner, like="fwsm.device.job.Runner")
        self._hooks = Hooks()
        examiner = Examiner(self._hooks.mishaps)
        link, installer = examiner.link(link), examiner.installer(installer)
        policy = examiner.policy(Always() if policy is None else policy)
        self._clock = clock = examiner.clock(SystemClock() if clock is None else clock)
        download = examiner.download(
            _https(self.state_dir / "artifacts", clock, allow_http=allow_http) if download is None else download
        )
        heartbeat = None if heartbeat is None else examiner.heartbeat(heartbeat)
        chance, new_id = examiner.chance(chance), examiner.new_id(new_id)
        with ExitStack() as opened:
            store = opened.enter_context(Store(self.state_dir, retention=retention or Retention()))
            outbox = opened.enter_context(closing(store.outbox()))
            reporter = Reporter(outbox, link, clock, progress_every_s=progress_every_s, on_report=self._hooks.reported)
            self._agent = Agent(
                store,
                reporter,
                download=download,
                installer=installer,
                clock=clock,
                policy=policy,
                checks=checks,
                hooks=self._hooks,
                limits=limits,
                extension=extension,
                soak_s=soak_s,
                check_every_s=check_every_s,
                allow_http=allow_http,
                methods=methods,
                runner=runner,
                heartbeat=heartbeat,
                chance=chance,
                new_id=new_id,
            )
            self._lifetime = Lifetime(self._agent, reporter, link)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.close()
        if kind is None:  # else, what the block has raised says more
            self.join()

    # -- what the program sees ---------------------------------------------------------------------------------------

    @property
    def update(self) -> Update | None:
        """The newest update as it stands on disk; None if there never was one. From any thread."""
        return self._agent.update

    @property
    def boot_id(self) -> str:
        """The present boot, as the clock names it. From any thread."""
        return self._clock.now().boot_id

    def history(self, update_id: str | None = None, *, limit: int = 1000) -> list[HistoryRow]:
        """The newest `limit` entries into states, of one update or of all, oldest first. From any thread.

        Raises:
            StoreError: the database cannot be read.
        """
        with Store(self.state_dir, read_only=True) as store:
            return store.history(update_id, limit=limit)

    def may_happen(self) -> tuple[Row, ...]:
        """The rows of the lifecycle's table for the present state, in the order in which they are tried.

        Each has a trigger, guards, and the state that follows. Empty if there never was an update.
        """
        return self._agent.may_happen()

    # -- what it can be told -----------------------------------------------------------------------------------------

    def request(self, payload: Mapping[str, Any] | str) -> Update:
        """Ask for an update, as the direct method `firmwareUpdate` does; returns when it is on disk.

        Args:
            payload: `fwPackageUri`, and if need be `fwPackageCheckValue` and `fwVersion`; a text is taken for JSON.

        Raises:
            RequestError: the payload is malformed; names field, reason and fix.
            RefusedError: not in this state, or the device does not run, or it is asked where the agent waits for it.
            StoreError: it could not be stored; nothing has changed.
        """
        return self._order(METHOD, payload)

    def cancel(self) -> Update:
        """End the update before it is applied; see `request` for what is raised."""
        return self._order(f"{METHOD}Cancel")

    def retry(self) -> Update:
        """Start an update that failed afresh; see `request` for what is raised."""
        return self._order(f"{METHOD}Retry")

    # -- what it tells -----------------------------------------------------------------------------------------------

    def on_enter(self, *states: State) -> Callable[[_E], _E]:
        """Decorates a function that is told of entries into these states, or into all; see `Entered`.

        It runs in the agent's thread after the commit, so it should return soon.

        Raises:
            ConfigError: one of them is no state, or what is decorated is no plain function.
        """
        require_states(states)

        def add(hook: _E) -> _E:
            self._hooks.on_enter(hook, *states)
            return hook

        return add

    def on_progress(self, hook: _P) -> _P:
        """Decorates a function that is told the update and how much of its image is safe on disk."""
        self._hooks.on_progress(hook)
        return hook

    def on_report(self, hook: _R) -> _R:
        """Decorates a function that is told each patch of the reported properties that the hub has acknowledged."""
        self._hooks.on_report(hook)
        return hook

    # -- life --------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Connect, and take and carry out updates until `stop`; once.

        Raises:
            LifecycleError: it was started before, or closed.
            StoreLockedError: something has removed the lock, and another agent works on the state directory now.
            Exception: a bug, here or in a part. The next start counts as a restart, so the table ends what loops.
        """
        self._lifetime.run()

    def start(self) -> None:
        """Do what `run` does in a thread of its own, and return at once; for programs with a loop of their own.

        Raises:
            LifecycleError: it was started before, or closed.
        """
        self._lifetime.start()

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or a signal handler. What was going on goes on at the next start."""
        self._lifetime.stop()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until what `start` or `run` began has ended; whether it has. Not in a hook, nor in a part at work.

        Raises:
            LifecycleError: it is asked for in a hook or a part, which it would have to wait for.
            Exception: what ended `start`'s thread, if that was not `stop`.
        """
        return self._lifetime.join(timeout_s)

    def close(self) -> None:
        """Stop, wait for the end, and let go of the database. Harmless the second time.

        Raises:
            LifecycleError: it is asked for in a hook, or in a part at work, which it would have to wait for.
        """
        if self._lifetime.close():
            self._opened.close()

    def _order(self, name: str, payload: object = None) -> Update:
        self._lifetime.require_running_elsewhere(name)
        return came_of(name, self._agent.order(name, payload))


def _https(directory: Path, clock: Clock, *, allow_http: bool) -> Download:
    from fwsm.device.download import HttpsDownload  # noqa: PLC0415  # whoever brings a download does without urllib3

    return HttpsDownload(directory, clock=clock, allow_http=allow_http)
