"""Long work beside the agent's thread, one piece at a time.

A download takes minutes and a slot takes a while to write; meanwhile the agent must answer direct methods. So such work
runs as a job: a plain function that gets a stop event and returns a value. The agent starts it, hears the bell when it
has ended, and takes the result. Jobs never touch the database.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["InlineRunner", "Job", "Runner", "StopEvent", "ThreadRunner"]

T = TypeVar("T")


class StopEvent(threading.Event):
    """Tells work to break off; and counts how often the work looks at it, which shows that it gets on.

    Attributes:
        looks: how often. Only whether it has changed means something.
    """

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def is_set(self) -> bool:
        """Whether to break off."""
        self.looks += 1
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is time to break off; False if `timeout` seconds were over before."""
        self.looks += 1
        was_set = super().wait(timeout)
        self.looks += 1
        return was_set


class Job(Generic[T]):
    """One piece of work, and what came of it."""

    def __init__(self, work: Callable[[threading.Event], T], ring: Callable[[], None]) -> None:
        self.stop = StopEvent()
        self._work = work
        self._ring = ring
        self._ended = threading.Event()
        self._result: T | None = None
        self._error: BaseException | None = None
        self._thread: int | None = None  # where it runs, as long as it does

    def run(self) -> None:
        """Do the work; called once, by the runner."""
        self._thread = threading.get_ident()
        try:
            self._result = self._work(self.stop)
        except BaseException as error:  # noqa: BLE001  # whoever takes the result gets it, in the thread that asked
            self._error = error
        finally:
            self._thread = None
            self._ended.set()
            self._ring()

    @property
    def runs_here(self) -> bool:
        """Whether it is this very thread that does the work."""
        return self._thread == threading.get_ident()

    @property
    def ended(self) -> bool:
        """Whether there is a result to take."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end; False if that took longer."""
        return self._ended.wait(timeout_s)

    def result(self) -> T:
        """What the work returned; raises what the work raised. Only after it has ended."""
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # set, since the work has ended without an error


class Runner(Protocol):
    """Runs jobs."""

    def start(self, job: Job[T]) -> None:
        """Begin the work; `job.ended` tells when it is done."""
        ...


class ThreadRunner:
    """Each job in a thread of its own. The thread is a daemon: a process that has to end does not wait for a disk."""

    def start(self, job: Job[T]) -> None:
        """Begin in a new thread and return."""
        threading.Thread(target=job.run, name="fwsm-job", daemon=True).start()


class InlineRunner:
    """Does the work at once, in the caller's thread: for simulations and tests that must be the same every time."""

    def start(self, job: Job[T]) -> None:
        """Do it and return when it is done."""
        job.run()
