"""The threads of a device, and the order in which they start and end."""

from __future__ import annotations

import logging
import os
import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fwsm.core.text import said_by
from fwsm.errors import LifecycleError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.device.agent import Agent
    from fwsm.device.ports import Link
    from fwsm.device.reporter import Reporter

__all__ = ["Lifetime"]

_log = logging.getLogger(__name__)


class Lifetime:
    """One run of a device: the agent in the thread that calls `run`, the reporter in its own.

    A process that is forked meanwhile has none of the threads, and the database and the lock are its parent's. There
    nothing can be asked for, nothing is to be waited for, and nothing is let go of.

    Args:
        agent, reporter, link: whose; the link is started and stopped with them.
        reporter_ends_s: how long the end waits for a report that the link, although it was stopped, does not let go of.
    """

    def __init__(self, agent: Agent, reporter: Reporter, link: Link, *, reporter_ends_s: float = 10.0) -> None:
        self._agent = agent
        self._reporter = reporter
        self._link = link
        self._reporter_ends_s = reporter_ends_s
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._process = os.getpid()
        self._once = threading.Lock()  # taken for good by whatever comes first: `run`, `start` or `close`
        self._closed = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._reporter_error: BaseException | None = None
        # The threads that its end waits for, while they are at it.
        self._agent_in: int | None = None
        self._reporter_in: int | None = None

    def run(self) -> None:
        """Run until `stop`; once.

        Raises:
            LifecycleError: it was started before, or closed.
            Exception: a bug, here or in a part.
        """
        self._begin()
        with self._running():
            self._work()

    def start(self) -> None:
        """Do what `run` does in a thread of its own, and return at once.

        Raises:
            LifecycleError: it was started before, or closed.
        """
        self._begin()
        thread = threading.Thread(target=self._run_in_thread, name="fwsm-agent", daemon=True)
        try:
            thread.start()
        except BaseException:
            self._ended.set()
            raise
        self._thread = thread

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or a signal handler."""
        self._stops.put(None)

    def close(self) -> bool:
        """Stop, and wait until nothing of it runs; what was never started cannot be started any more.

        Returns:
            Whether what it works on is to be let go of; it is not where it was left to the parent.

        Raises:
            LifecycleError: it is asked for in a thread that it would have to wait for.
        """
        if self._left_to_parent:
            return False
        self._require_elsewhere("to close the device")
        self._closed = True
        if self._once.acquire(blocking=False):
            self._ended.set()
        self.stop()
        self.wait(None)
        return True

    def join(self, timeout_s: float | None) -> bool:
        """Wait until what `start` or `run` began has ended; whether it has.

        Raises:
            LifecycleError: it is asked for in a thread that it would have to wait for.
            Exception: what ended it in a thread of its own, if that was not `stop`.
        """
        ended = self.wait(timeout_s)
        if ended and self._error is not None:
            raise self._error
        return ended

    def wait(self, timeout_s: float | None) -> bool:
        """As `join`, whatever ended it."""
        if not self._once.locked() or self._left_to_parent:
            return True
        self._require_elsewhere("to wait for the end of the device")
        ended = self._ended.wait(timeout_s)
        if ended and self._thread is not None:
            self._thread.join()  # which has nothing left to do
        return ended

    def require_running_elsewhere(self, asked: str) -> None:
        """Check that the agent can be asked for something and waited for.

        Args:
            asked: for what.

        Raises:
            RefusedError: it does not run, or it is this thread that it runs in.
        """
        if self._left_to_parent:
            raise RefusedError(
                "the device does not run here",
                why=f"it is that of process {self._process}, from which this one was forked",
                fix="Ask for it there",
            )
        if not self._once.locked() or self._ended.is_set():
            raise RefusedError("the device does not run", fix="Call start() first, or run() in another thread")
        if self._agent_in == threading.get_ident():
            raise RefusedError(
                f"{asked} cannot be asked for here",
                why="the agent waits for this hook, or this part, which would wait for the agent",
                fix="Ask for it in another thread",
            )

    @property
    def _left_to_parent(self) -> bool:
        """Whether this is a process that was forked from the one that made it."""
        return os.getpid() != self._process

    def _begin(self) -> None:
        if self._left_to_parent:
            raise LifecycleError(
                "the device cannot run here",
                why=f"it was made in process {self._process}, from which this one was forked",
                fix="Make it behind the fork, as behind that of a daemon",
            )
        if self._closed or not self._once.acquire(blocking=False):
            done = "closed" if self._closed else "started before"
            raise LifecycleError(f"the device was {done}", fix="Make a new Device for another run")

    @contextmanager
    def _running(self) -> Iterator[None]:
        self._agent_in = threading.get_ident()
        try:
            yield
        finally:
            self._agent_in = None
            self._ended.set()

    def _run_in_thread(self) -> None:
        with self._running():
            try:
                self._work()
            except BaseException as error:  # noqa: BLE001  # raised by `join`
                self._error = error

    def _work(self) -> None:
        reporter = threading.Thread(target=self._report, name="fwsm-reporter", daemon=True)
        stopper = threading.Thread(target=self._pass_stop_on, name="fwsm-stop", daemon=True)
        reporter.start()
        stopper.start()
        try:
            self._link.start(self._agent.deliver)
            self._agent.run()
        finally:
            self._agent.drop_orders()
            self._reporter.stop()
            self._stop_link()
            self.stop()  # lets the stopper go if nobody else did
            reporter.join(self._reporter_ends_s)
            if reporter.is_alive():
                _log.error("the link was stopped, and has not let go of a report; the device ends without it")
        if self._reporter_error is not None:
            raise self._reporter_error

    def _stop_link(self) -> None:
        try:
            self._link.stop()
        except Exception as error:  # noqa: BLE001  # what has ended the run says more, and the rest is to end as well
            _log.error("the link could not be stopped: %s: %s", type(error).__name__, said_by(error))

    def _report(self) -> None:
        self._reporter_in = threading.get_ident()
        try:
            self._reporter.run()
        except BaseException as error:  # noqa: BLE001  # raised by `run`: a device that never reports again has ended
            _log.exception("the reporter has ended, and so does the device")
            self._reporter_error = error
            self.stop()
        finally:
            self._reporter_in = None

    def _require_elsewhere(self, asked: str) -> None:
        if threading.get_ident() in {self._agent_in, self._reporter_in} or self._agent.works_here:
            raise LifecycleError(
                f"{asked} cannot be asked for here",
                why="this is a hook, or a part at work: the device would wait for it, and it for the device",
                fix="Call stop() here, and the rest in another thread",
            )

    def _pass_stop_on(self) -> None:
        """A signal handler may have interrupted the agent inside its bell, and must not ring it. A queue it may use."""
        self._stops.get()
        self._agent.stop()
