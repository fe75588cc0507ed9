"""One device: its database, its link, its two threads, and the order in which they start and end.

The agent runs in the thread that calls `run`; the reporter has its own. They meet in the database and at two bells.
"""

from __future__ import annotations

import queue
import threading
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Self

from fwsm.device.agent import Agent
from fwsm.device.reporter import Reporter
from fwsm.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.core.update import Update
    from fwsm.device.ports import Clock, Download, Installer, Link

__all__ = ["Device"]

_REPORTER_ENDS_S = 10.0


class Device:
    """A device that takes updates; a context manager that owns the state directory.

    Args:
        state_dir: where the database is.
        link, download, installer, clock: the ports.
        progress_every_s: at most one progress report in so many seconds; None for none.
        agent: what else `Agent` takes: policy, checks, hooks, limits, and so on.

    Raises:
        StoreLockedError: another agent works on this directory.
        StoreError: the database cannot be used.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        link: Link,
        download: Download,
        installer: Installer,
        clock: Clock,
        progress_every_s: float | None = 5.0,
        **agent: Any,
    ) -> None:
        self._link = link
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()
        with ExitStack() as opened:
            store = opened.enter_context(Store(state_dir))
            outbox = opened.enter_context(closing(store.outbox()))
            self._reporter = Reporter(outbox, link, clock, progress_every_s=progress_every_s)
            self._agent = Agent(store, self._reporter, download=download, installer=installer, clock=clock, **agent)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def update(self) -> Update | None:
        """The newest update as it stands on disk; None if there never was one."""
        return self._agent.update

    def run(self) -> None:
        """Connect, and take and carry out updates until `stop`; once."""
        reporter = threading.Thread(target=self._reporter.run, name="fwsm-reporter", daemon=True)
        stopper = threading.Thread(target=self._pass_stop_on, name="fwsm-stop", daemon=True)
        reporter.start()
        stopper.start()
        try:
            self._link.start(self._agent.deliver)
            self._agent.run()
        finally:
            self._reporter.stop()
            self._link.stop()
            self.stop()  # lets the stopper go if nobody else did
            reporter.join(_REPORTER_ENDS_S)

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or a signal handler."""
        self._stops.put(None)

    def close(self) -> None:
        """Let go of the database; after `run` has returned."""
        self._opened.close()

    def _pass_stop_on(self) -> None:
        """A signal handler may have interrupted the agent inside its bell, and must not ring it. A queue it may use."""
        self._stops.get()
        self._agent.stop()
