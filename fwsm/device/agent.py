"""Drives the lifecycle, one step at a time.

The agent owns the record, the database and the installer. Everything that happens to an update happens in `step`, in
one thread: a message is answered, the result of a job is taken, or the work of the present state is begun. What a step
learns goes through the table; the machine's entry callbacks commit it, ring the reporter, and tell the hooks. Only
after that does the next step act on it: commit, then act.

`run` takes the steps in turns. A simulation calls `step` itself.
"""

from __future__ import annotations

import logging
import random
import uuid
from typing import TYPE_CHECKING, Any, TypeVar

from fwsm.core.lifecycle import NO_EXTENSION, Trigger
from fwsm.core.policy import Always
from fwsm.core.update import Limits, Update
from fwsm.device.applying import Applying
from fwsm.device.commands import BUILT_IN, Commands
from fwsm.device.hooks import Hooks
from fwsm.device.inbox import Inbox
from fwsm.device.job import ThreadRunner
from fwsm.device.loading import Loading
from fwsm.device.methods import Methods
from fwsm.device.order import Order
from fwsm.device.outcome import Fact, Pauses
from fwsm.device.ports import Trouble, Twin
from fwsm.device.record import Record
from fwsm.device.recovery import Recovery
from fwsm.device.steps import Steps
from fwsm.device.turns import Turns
from fwsm.device.underway import Underway
from fwsm.device.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future

    from fwsm.core.lifecycle import Extension, Row
    from fwsm.core.moment import Moment
    from fwsm.core.policy import Policy
    from fwsm.device.health import HealthCheck
    from fwsm.device.job import Runner
    from fwsm.device.methods import Method
    from fwsm.device.ports import Clock, Download, Heartbeat, Installer, Message
    from fwsm.device.reporter import Reporter
    from fwsm.store import Store

__all__ = ["Agent"]

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Agent:
    """One device's update agent.

    Args:
        store: the database; the caller closes it after the agent has stopped.
        reporter: what tells the hub.
        download, installer, policy, clock: the ports.
        checks: what must hold before new firmware is confirmed; each raises HealthError.
        hooks: what the embedding program hears of.
        limits: where loops end and how long to wait.
        extension: what the program adds to the lifecycle.
        soak_s, check_every_s: how long the checks must hold, and how often they are made.
        allow_http: whether `http` is good enough for `fwPackageUri`.
        methods: direct methods of the embedder's own, by name; see `fwsm.device.methods`.
        runner: how jobs run.
        heartbeat: called in each turn of `run`, see `Heartbeat`.
        chance: random numbers in [0, 1) for jitter.
        new_id: makes update ids.

    Raises:
        ConfigError: a method has a name that is taken, or cannot be called.
        StoreError: the database cannot be read.
    """

    def __init__(
        self,
        store: Store,
        reporter: Reporter,
        *,
        download: Download,
        installer: Installer,
        clock: Clock,
        policy: Policy | None = None,
        checks: Sequence[HealthCheck] = (),
        hooks: Hooks | None = None,
        limits: Limits | None = None,
        extension: Extension = NO_EXTENSION,
        soak_s: float = 0.0,
        check_every_s: float = 5.0,
        allow_http: bool = False,
        methods: Mapping[str, Method] | None = None,
        runner: Runner | None = None,
        heartbeat: Heartbeat | None = None,
        chance: Callable[[], float] = random.random,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        limits = limits or Limits()
        self._clock = clock
        self._reporter = reporter
        self._heartbeat = heartbeat
        self._turns = Turns(self.step, self._beat, clock)
        runner = runner or ThreadRunner()
        hooks = hooks or Hooks()
        self._record = Record(store, reporter, hooks, limits, extension)
        self._methods = Methods(methods or {}, runner, taken=BUILT_IN)
        pauses = Pauses(clock, limits, chance)
        applying = Applying(
            installer=installer,
            download=download,
            clock=clock,
            checks=checks,
            limits=limits,
            pauses=pauses,
            soak_s=soak_s,
            check_every_s=check_every_s,
        )
        loading = Loading(download, pauses, self._record.note_progress)
        self._work = Work(policy or Always(), loading, applying, Steps(extension.steps, pauses))
        self._underway = Underway(self._work.begin, runner, self._turns.ring)
        self._recovery = Recovery(store, self._record, applying, self._work, allow_http=allow_http)
        self._commands = Commands(
            self._record, clock=clock, new_id=new_id, allow_http=allow_http, ready=self._recovery.require_record
        )
        self._twin: Twin | None = None  # what is still to be read
        self._inbox = Inbox(self._turns.ring)
        self._came_back = self.update is None or self.update.state.settled
        hooks.mishaps.on_new = self._turns.ring

    @property
    def update(self) -> Update | None:
        """The newest update as it stands on disk; None on a device that never had one."""
        return self._record.update

    @property
    def works_here(self) -> bool:
        """Whether it is in this very thread that the work for the update is done; from any thread."""
        return self._underway.runs_here

    def may_happen(self) -> tuple[Row, ...]:
        """The rows of the table for the present state, in the order in which they are tried; from any thread."""
        update = self.update
        return () if update is None else self._record.rows_from(update.state)

    def order(self, name: str, payload: Any = None) -> Future[Update | None]:
        """Have one of the built-in methods carried out for this program; from any thread. See `Order.done`.

        Raises:
            RequestError: the payload is malformed.
        """
        order = Order(name, self._commands.asked(name, payload))  # read in this thread, so what it raises ends no other
        self._inbox.put(order)
        return order.done

    def deliver(self, message: Message) -> None:
        """Take a message; from any thread. A later step does what it asks for."""
        if isinstance(message, Twin):  # at once: what is reported before that step is not in it
            self._reporter.hear(message.reported)
        self._inbox.put(message)

    def stop(self) -> None:
        """Make `run` return soon; from any thread. Not from a signal handler: it may have interrupted the bell."""
        self._turns.stop()

    def run(self) -> None:
        """Work until `stop`. What was going on then goes on at the next start.

        Raises:
            StoreLockedError: another agent works on the state directory meanwhile.
            Exception: a bug, here or in a port. The next start counts as a restart, so the table ends what loops.
        """
        try:
            self._turns.run()
        finally:
            self._underway.close()

    def step(self, now: Moment) -> float | None:
        """Do at most one unit of work.

        Returns:
            Seconds until the next step has something to do; None if only the bell can bring that.

        Raises:
            StoreError: nothing has changed; call again later.
        """
        if not self._inbox.empty():  # first, so that a store that refuses everything else is told to whoever calls
            self._take(self._inbox.get())
            return 0.0
        if self._recovery.needed or self._twin is not None:
            return self._recover(now)
        self._record.keep_incidents(now)
        if not self._came_back:
            self._come_back(now)
            return 0.0
        if self._noticing(self._commands.heed):
            return 0.0
        return None if self.update is None else self._go_on(self.update, now)

    # -- work --------------------------------------------------------------------------------------------------------

    def _beat(self, now: Moment) -> float | None:
        return None if self._heartbeat is None else self._heartbeat(now, self._underway.sign_of_life)

    def _recover(self, now: Moment) -> float:
        if not self._recovery.needed:
            self._read_twin(now)
            return 0.0
        before = self.update
        wait_s = self._recovery.step(now)
        if wait_s == 0:
            self._commands.reload()
        if self.update is not before:
            self._came_back = self.update is None or self.update.state.settled
            self._underway.abandon()
        return wait_s

    def _come_back(self, now: Moment) -> None:
        update = self.update
        if update is not None:
            known = self._work.on_restart(update)
            self._record.fire(update, Fact(Trigger.RESTARTED, known), now)
        self._came_back = True

    def _go_on(self, update: Update, now: Moment) -> float | None:
        met = self._underway.step(update, now)
        if not isinstance(met, Fact):
            return met
        self._record.fire(update, met, now)
        self._underway.settle()
        return 0.0

    def drop_orders(self) -> None:
        """After `run`, or in place of it: nobody will carry them out."""
        self._inbox.close()

    # -- commands ----------------------------------------------------------------------------------------------------

    def _take(self, message: Message | Order) -> None:
        if isinstance(message, Order):
            self._noticing(lambda: message.carry_out(self._commands))
        elif isinstance(message, Trouble):
            self._record.keep_trouble(message.error, self._clock.now())
        elif isinstance(message, Twin):
            self._twin = message
            try:
                if not self._recovery.needed:  # else it waits for the database
                    self._read_twin(self._clock.now())
            finally:  # what the hub has lost is to be said again, whether or not the database takes what is new
                self._reporter.compare()
        elif message.name in BUILT_IN:
            status, payload = self._noticing(lambda: self._commands.answer(message.name, message.payload))
            _log.info("method %s answered with %d", message.name, status)
            message.respond(status, payload)
        else:
            self._methods.start(message)

    def _read_twin(self, now: Moment) -> None:
        twin = self._twin
        if twin is not None:
            self._noticing(lambda: self._recovery.hear(twin, now))
            self._noticing(lambda: self._commands.read(twin))
            self._twin = None

    def _noticing(self, command: Callable[[], T]) -> T:
        """Carry out a command. If it has changed the update, the work under way is for nothing."""
        before = self.update
        try:
            return command()
        finally:
            if self.update is not before:
                self._underway.abandon()
                self._came_back = True  # what it could come back to is no more
