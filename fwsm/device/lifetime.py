"""The threads of a device, and the order in which they start and end."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from fwsm.errors import LifecycleError, RefusedError

if TYPE_CHECKING:
    from fwsm.device.agent import Agent
    from fwsm.device.ports import Link
    from fwsm.device.reporter import Reporter

__all__ = ["Lifetime"]

_REPORTER_ENDS_S = 10.0


class Lifetime:
    """One run of a device: the agent in the thread that calls `run`, the reporter in its own.

    Args:
        agent, reporter, link: whose; the link is started and stopped with them.
    """

    def __init__(self, agent: Agent, reporter: Reporter, link: Link) -> None:
        self._agent = agent
        self._reporter = reporter
        self._link = link
        self._stops: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._runs_in: int | None = None

    def run(self) -> None:
        """Run until `stop`; once.

        Raises:
            Exception: a bug, here or in a part.
        """
        self._runs_in = threading.get_ident()
        reporter = threading.Thread(target=self._reporter.run, name="fwsm-reporter", daemon=True)
        stopper = threading.Thread(target=self._pass_stop_on, name="fwsm-stop", daemon=True)
        reporter.start()
        stopper.start()
        try:
            self._link.start(self._agent.deliver)
            self._agent.run()
        finally:
            self._runs_in = None
            self._agent.drop_orders()
            self._reporter.stop()
            self._link.stop()
            self.stop()  # lets the stopper go if nobody else did
            reporter.join(_REPORTER_ENDS_S)

    def start(self) -> None:
        """Do what `run` does in a thread of its own, and return at once.

        Raises:
            LifecycleError: it was started before.
        """
        if self._thread is not None:
            raise LifecycleError("the device was started before", fix="Make a new Device for another run")
        self._thread = threading.Thread(target=self._run_in_thread, name="fwsm-agent", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Make `run` return soon; from any thread, or a signal handler."""
        self._stops.put(None)

    def join(self, timeout_s: float | None) -> bool:
        """Wait until what `start` began has ended; whether it has.

        Raises:
            Exception: what ended it, if that was not `stop`.
        """
        ended = self.wait(timeout_s)
        if ended and self._error is not None:
            raise self._error
        return ended

    def wait(self, timeout_s: float | None) -> bool:
        """As `join`, whatever ended it."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def require_running_elsewhere(self, asked: str) -> None:
        """Check that the agent can be asked for something and waited for.

        Args:
            asked: for what.

        Raises:
            RefusedError: it does not run, or it is this thread that it runs in.
        """
        if self._runs_in is None:
            raise RefusedError("the device does not run", fix="Call start() first, or run() in another thread")
        if self._runs_in == threading.get_ident():
            raise RefusedError(
                f"{asked} was asked for in a hook",
                why="it would wait for the agent, which waits for the hook",
                fix="Ask for it in another thread",
            )

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except BaseException as error:  # noqa: BLE001  # raised by `join`
            self._error = error

    def _pass_stop_on(self) -> None:
        """A signal handler may have interrupted the agent inside its bell, and must not ring it. A queue it may use."""
        self._stops.get()
        self._agent.stop()
