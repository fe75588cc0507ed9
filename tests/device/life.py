"""One device over several lives of its process, for the tests of the agent and of its work."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from fwsm.device.agent import Agent
from fwsm.device.examined import Examiner
from fwsm.device.hooks import Entered, Hooks
from fwsm.device.job import InlineRunner, Job
from fwsm.device.ports import MethodCall
from fwsm.device.reporter import Reporter
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.fakes import Board, MemoryDownload, MemoryInstaller
from fwsm.testing.link import MemoryLink

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.update import State, Update

URI = "https://images.example/one.img"
OTHER = "https://images.example/two.img"
IMAGE = bytes(range(256)) * 4096  # 1 MiB
STEPS = 400


class Life:
    """One device over several lives of its process."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = FakeClock()
        self.board = Board()
        self.link = MemoryLink()
        self.download = MemoryDownload({URI: IMAGE, OTHER: IMAGE[::-1]})
        self.installer = MemoryInstaller(self.board)
        self.options: dict[str, Any] = {}
        self.hooks = Hooks()
        self.entries: list[tuple[str | None, str]] = []
        self.hooks.on_enter(self._note_entry)
        self.store: Store | None = None
        self.store_class = Store
        self.ids = (f"u{number}" for number in range(1, 100))

    def start(self) -> None:
        """Begin a life of the process."""
        self.store = self.store_class(self.directory)
        self.outbox = self.store.outbox()
        examiner = Examiner(self.hooks.mishaps)
        clock = examiner.clock(self.clock)
        self.reporter = Reporter(self.outbox, examiner.link(self.link), clock)
        defaults: dict[str, Any] = {"runner": InlineRunner(), "chance": lambda: 0.5, "hooks": self.hooks}
        options = defaults | self.options
        if options.get("policy") is not None:
            options["policy"] = examiner.policy(options["policy"])
        self.agent = Agent(
            self.store,
            self.reporter,
            download=examiner.download(self.download),
            installer=examiner.installer(self.installer),
            clock=clock,
            new_id=lambda: next(self.ids),
            **options,
        )

    def end(self) -> None:
        """End it, as a kill would: nothing is told."""
        if self.store is not None:
            self.outbox.close()
            self.store.close()
            self.store = None

    def restart(self) -> None:
        """A new process in the same boot."""
        self.end()
        self.start()

    def reboot(self) -> None:
        """A new process in a new boot."""
        self.end()
        self.clock.reboot(self.board.power_cycle())
        self.start()

    def call(self, name: str = "firmwareUpdate", payload: Any = None) -> tuple[int, dict[str, Any]]:
        """Call a direct method and step until it is answered."""
        answers: list[tuple[int, Any]] = []
        self.agent.deliver(MethodCall(name, payload, lambda status, body: answers.append((status, dict(body)))))
        for _ in range(STEPS):
            if answers:
                return answers[0]
            self.agent.step(self.clock.now())
        raise AssertionError("the method was not answered")

    def step_until(self, state: State) -> Update:
        """Step, letting time pass where the agent waits for it, until the update is in this state."""
        for _ in range(STEPS):
            if self.agent.update and self.agent.update.state is state:
                return self.agent.update
            wait_s = self.agent.step(self.clock.now())
            if wait_s is None:
                break
            self.clock.advance(wait_s)
        update = self.agent.update
        raise AssertionError(f"stays in {update.state if update else None}, {update}")

    def report(self) -> None:
        """Let the reporter send all that waits."""
        for _ in range(STEPS):
            if self.reporter.step() is None:
                return
        raise AssertionError("the reporter does not come to an end")

    def _note_entry(self, entered: Entered) -> None:
        before = entered.before.state.value if entered.before else None
        self.entries.append((before, entered.update.state.value))


class LateRunner:
    """Runs a job when the test says so."""

    def __init__(self) -> None:
        self.jobs: list[Job[Any]] = []

    def start(self, job: Job[Any]) -> None:
        """Keep it for later."""
        self.jobs.append(job)


class LateEvent(threading.Event):
    """A stop event for which the stop comes just after somebody has looked for it."""

    def __init__(self, stop: Callable[[], None]) -> None:
        super().__init__()
        self._then: Callable[[], None] | None = stop

    def is_set(self) -> bool:
        """Look, and then stop."""
        seen = super().is_set()
        then, self._then = self._then, None
        if then is not None:
            then()
        return seen


class HoldingRunner:
    """Does each job at once, until it is told to hold them; then the test says when.

    Attributes:
        holds: whether it holds.
        jobs: what it holds.
    """

    def __init__(self) -> None:
        self.holds = False
        self.jobs: list[Job[Any]] = []

    def start(self, job: Job[Any]) -> None:
        """Do it, or keep it for later."""
        if self.holds:
            self.jobs.append(job)
        else:
            job.run()
