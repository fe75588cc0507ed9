"""One whole device with everything that can happen to it at hand; `test_device.py` plays with it.

Real are the agent, its database, the download over HTTPS, and the slots with their boot loader, on a disk that forgets
what was not synced. In hand are time, the hub, the order of messages, the moment in which a job runs, and every fault.
The world keeps account of what it did to the device (`faults`) and of what the device promised (`promises`).
"""

from __future__ import annotations

import errno
import hashlib
import itertools
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from fwsm.core.lifecycle import NO_EXTENSION, Extension, Step
from fwsm.core.policy import NotBefore
from fwsm.core.twin import wrapped
from fwsm.core.update import Limits, State
from fwsm.device.agent import Agent
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.device.hooks import Entered, Hooks
from fwsm.device.installers.bootloader import Board
from fwsm.device.installers.slots import SlotInstaller
from fwsm.device.ports import MethodCall, Twin
from fwsm.device.reporter import Reporter
from fwsm.errors import FwsmError, HealthError, InstallError, Kind, StoreError, StoreFullError
from fwsm.store import Retention, Store
from fwsm.testing.clock import FakeClock
from fwsm.testing.link import MemoryLink
from fwsm.testing.lossy import LossyDisk, LossyStore, SyncedState
from fwsm.testing.power import PowerLossError, PowerSwitch
from tests.device.life import HoldingRunner

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping
    from io import FileIO

    from fwsm.core.moment import Moment
    from fwsm.core.update import Probe, Update
    from fwsm.device.job import Job
    from fwsm.device.ports import Message
    from fwsm.store import HistoryRow
    from fwsm.testing.image_faults import Fault
    from fwsm.testing.image_server import ImageServer

# Small, so that the ends of loops are met. No pause is as long as what `pass_time` may let pass.
LIMITS: Final = Limits(attempts=3, restarts=3, reboots=2, damages=1, progress_bytes=1024)
WHOLE_HISTORY: Final = Retention(entries=0, days=0)
PATIENCE: Final = 400  # steps in which everything must have come to rest once the faults have stopped
_FEW: Final = 24
_NEEDS_ROOM: Final = ("commit", "write", "mkdir")


class FlakyInstallError(InstallError):
    """An installer that would do it the next time."""

    kind: ClassVar[Kind] = Kind.TRANSIENT


class Supply(PowerSwitch):
    """Power, and a disk that has no room or fails now and then.

    Attributes:
        full: whether there is no room.
        fails_in: so many operations from now one fails; None for never.
    """

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.fails_in: int | None = None

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """One durable operation."""
        with super().operation(name):
            self._meet(name)
            yield

    def cut_in(self, moments: int) -> None:
        """The power goes so many moments from now."""
        self.cut_at = self.moments + moments

    def restore(self) -> None:
        """The power is there again."""
        self.cut_at, self.off = None, False

    def _meet(self, name: str) -> None:
        if self.full and name.startswith(_NEEDS_ROOM):
            raise (
                StoreFullError(name) if name.startswith("commit") else OSError(errno.ENOSPC, "No space left on device")
            )
        if self.fails_in is not None:
            self.fails_in -= 1
            if self.fails_in < 0:
                self.fails_in = None
                raise StoreError(name) if name.startswith("commit") else OSError(errno.EIO, "Input/output error")


class LyingDisk(LossyDisk):
    """The disk that forgets; now and then it says that it has written to a slot what it has not.

    Attributes:
        lies: how many of the next writes to a slot go wrong.
    """

    lies = 0

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        """Write."""
        if self.lies and data and Path(f"/proc/self/fd/{file.fileno()}").resolve().parent.name == "slots":
            self.lies -= 1
            data = bytes(data[:-1]) + bytes([data[-1] ^ 1])
        super().write(file, data, at_bytes)


class FaultyInstaller(SlotInstaller):
    """The slot installer; it raises what waits for one of its methods, before or behind ("…ed") the work of it."""

    troubles: dict[str, list[Exception]]

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        """Install."""
        self._meet("install")
        reboot_required = super().install(update, artifact, stop)
        self._meet("installed")
        return reboot_required

    def probe(self, update: Update) -> Probe:
        """Probe."""
        self._meet("probe")
        return super().probe(update)

    def runs(self, update: Update) -> bool:
        """Look."""
        self._meet("runs")
        return super().runs(update)

    def confirm(self, update: Update) -> None:
        """Confirm."""
        self._meet("confirm")
        super().confirm(update)
        self._meet("confirmed")

    def roll_back(self, update: Update) -> bool:
        """Roll back."""
        self._meet("roll_back")
        reboot_required = super().roll_back(update)
        self._meet("rolled_back")
        return reboot_required

    def _meet(self, name: str) -> None:
        meet(self.troubles, name)


def meet(troubles: dict[str, list[Exception]], name: str) -> None:
    """Raise what waits under a name."""
    if troubles.get(name):
        raise troubles[name].pop(0)


class WatchedRunner(HoldingRunner):
    """Runs jobs at once or later; before each it has a look taken at the world."""

    def __init__(self, look: Callable[[], None]) -> None:
        super().__init__()
        self._look = look

    def start(self, job: Job[Any]) -> None:
        """Do it, or keep it for later."""
        if not self.holds:
            self._look()
        super().start(job)

    def run_next(self) -> None:
        """Do what was kept first."""
        self._look()
        self.jobs.pop(0).run()


class WatchedLink(MemoryLink):
    """The hub in memory; after each report it has the twin compared with the device's disk."""

    def __init__(self, witness: Callable[[], None]) -> None:
        super().__init__()
        self._witness = witness

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge."""
        try:
            super().report(patch)
        finally:
            self._witness()


class Gate:
    """A policy that lets nothing be applied while it is shut."""

    def __init__(self) -> None:
        self.shut = False

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:  # noqa: ARG002
        """Wait at the gate."""
        return NotBefore("gate", None, 60.0) if self.shut and update.state is State.DOWNLOAD_COMPLETE else None


def extension(run: Callable[[Update, threading.Event], None]) -> Extension:
    """A lifecycle with a step at each place; `run` is the work of all of them."""
    places = {"backingUp": State.INSTALLING, "warning": State.REBOOTING, "migrating": State.CONFIRMING}
    return Extension(tuple(Step(name, before, run) for name, before in places.items()))


EXTENSION: Final = extension(lambda _update, _stop: None)


class World:
    """The device, its board, its hub, its server, and its operator.

    Args:
        root: an empty directory of its own.
        server: serves the images.
        factory: the image that the board was made with.
        extended: whether the program adds steps to the lifecycle.
        repeatable: what the installer declares.
    """

    def __init__(
        self,
        root: Path,
        server: ImageServer,
        factory: Path,
        *,
        extended: bool,
        repeatable: bool,
    ) -> None:
        self.files, self.state = root / "files", root / "state"
        self.files.mkdir(parents=True)
        self.server = server
        self.factory = factory
        self.extension = extension(self._step) if extended else NO_EXTENSION
        self.repeatable = repeatable
        self.power = Supply()
        self.disk = LyingDisk(self.files, self.power)
        self.synced = SyncedState(self.state)
        self.clock = FakeClock()
        self.link = WatchedLink(self.witness)
        self.linked = True
        self.stalled = False  # whether the hub leaves reports without an answer
        self.gate = Gate()
        self.healthy = True
        self.runner = WatchedRunner(self._look)
        self.troubles: dict[str, list[Exception]] = {}
        self.hooks = Hooks()
        self.hooks.on_enter(self._entered)
        self.calls: list[MethodCall] = []  # under way; each may overtake the others
        self.twins: list[Twin] = []  # under way, in order
        self.ids = (f"u{number}" for number in itertools.count(1))
        self.faults: Counter[str] = Counter()
        self.promises: Counter[tuple[str, str]] = Counter()  # by update and trigger
        self.told: set[tuple[str, str]] = set()  # updates and statuses that the twin has shown
        self.ordered = False  # a reboot
        self.seen = (0, True)  # how often files had rotted, and whether the firmware worked, when a job last ran
        self.crooked: list[str] = []  # what was seen and must not be
        self._server_faults = ExitStack()
        self._store: LossyStore | None = None
        self.start()

    # -- lives of the process ----------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether there is a process."""
        return self._store is not None

    def start(self) -> None:
        """A process comes up. It takes its disks as they are."""
        installer = FaultyInstaller(
            self.files / "board", disk=self.disk, on_reboot=self._order_reboot, factory=self.factory
        )
        installer.repeatable, installer.troubles = self.repeatable, self.troubles
        self.clock.boot_id = installer.board.status().boot_id
        self.runner = WatchedRunner(self._look)
        self.ordered = False
        self._store = LossyStore(self.state, self.power, self.synced, WHOLE_HISTORY)
        self._outbox = self._store.outbox()
        self.reporter = Reporter(self._outbox, self.link, self.clock)
        self.agent = Agent(
            self._store,
            self.reporter,
            download=HttpsDownload(
                self.files / "artifacts",
                disk=self.disk,
                clock=self.clock,
                ca_pem=self.server.ca_pem,
                reserve_bytes=0,
            ),
            installer=installer,
            clock=self.clock,
            policy=self.gate,
            hooks=self.hooks,
            checks=[self._check],
            limits=LIMITS,
            extension=self.extension,
            soak_s=5.0,
            runner=self.runner,
            chance=lambda: 0.5,
            new_id=lambda: next(self.ids),
        )
        if self.linked:
            self.link.start(self._deliver)

    def end(self, *, power_too: bool = False) -> None:
        """The process dies; with the power goes what was not synced, and the board boots."""
        self.faults["kill"] += 1
        if self._store is not None:
            self._outbox.close()
            self._store.close()
            self._store = None
        self.link.stop()
        self.calls.clear()
        self.twins.clear()
        if self.power.off:
            self.power.restore()
        if power_too:
            self.disk.lose()
            self.synced.lose()
            self.disk = LyingDisk(self.files, self.power)
            self.boot()

    def boot(self) -> None:
        """The board boots, which needs no process and no room."""
        self.faults["boot"] += 1
        self.disk.plug(PowerSwitch())
        board = Board(self.files / "board", disk=self.disk)
        board.prepare(self.factory)
        board.power_cycle()
        self.disk.plug(self.power)
        self.clock.reboot(board.status().boot_id)

    def restart(self) -> None:
        """Another process in the same boot."""
        self.end()
        self.start()

    def reboot(self) -> None:
        """A reboot in good order, whoever wanted it."""
        self.end()
        self.boot()
        self.start()

    # -- what it does ------------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        """One step of the agent, as its own loop makes it."""
        try:
            wait_s = self.agent.step(self.clock.now())
        except StoreError:
            wait_s = 5.0
        self._require_power()
        return wait_s

    def report(self) -> float | None:
        """One step of the reporter, as its own loop makes it; a hub that cannot be reached keeps it waiting."""
        if not self.linked or self.stalled:
            return None
        try:
            wait_s = self.reporter.step()
        except FwsmError:
            wait_s = None
        self._require_power()
        return wait_s

    def work(self, steps: int = 1) -> None:
        """Steps of the agent, with as much time between them as it wants to wait."""
        for _ in range(steps):
            wait_s = self.step()
            if wait_s is None and not self.runner.jobs:
                return
            if wait_s:
                self.wait(wait_s)

    def live(self) -> None:
        """Work, report and reboot for a while, with every job done as soon as it is begun."""
        for _ in range(_FEW):
            if not self.turn():
                return

    def turn(self) -> bool:
        """One step of everything that is at work; False if there is nothing more to do."""
        self.run_jobs()
        wait_s = self.step()
        if self.ordered:
            self.reboot()
            return True
        waits_s = [seconds for seconds in (wait_s, self.report()) if seconds is not None]
        self.wait(min(waits_s, default=0.0))
        return bool(waits_s or self.runner.jobs)

    def run_jobs(self) -> None:
        """Do what was begun and kept for later."""
        while self.runner.jobs:
            self.runner.run_next()
            self._require_power()

    def wait(self, seconds: float) -> None:
        """Time passes."""
        if self.ordered and seconds >= LIMITS.reboot_s:
            self.faults["reboot ignored"] += 1
        self.clock.advance(seconds)

    def jump(self, days: int) -> None:
        """The wall clock is set; where there are no dates any more it stays."""
        with suppress(OverflowError):
            self.clock.wall += timedelta(days=days)

    def cut(self, cuts: list[tuple[int, bool]]) -> None:
        """Live with cuts in a row: how many moments each is off from the last, and whether the power goes with it.

        One that is further off than the end of all work falls there.
        """
        for moments, power_too in cuts:
            self.power.cut_in(moments)
            with suppress(PowerLossError):
                if not self.alive:
                    self.start()
                self.live()
            self.power.restore()
            self.end(power_too=power_too)
        self.start()

    # -- the hub and the operator ------------------------------------------------------------------------------------

    def call(self, name: str, payload: Any = None) -> None:
        """Send a direct method; it is under way then."""

        def respond(status: int, body: Mapping[str, Any]) -> None:
            if status == 200:
                self._promise(name, body)

        self.calls.append(MethodCall(name, payload, respond))

    def arrive(self, number: int, *, again: bool = False) -> None:
        """One of the methods under way reaches the device, and maybe once more later."""
        call = self.calls[number % len(self.calls)]
        if not again:
            self.calls.remove(call)
        self.agent.deliver(call)

    def hear(self) -> None:
        """The next twin under way reaches the device."""
        self.agent.deliver(self.twins.pop(0))

    def change_link(self, what: str) -> None:
        """Lose or regain the link, or make it anew, with a hub that forgets what was reported or lets reports wait."""
        self.stalled = what == "stall"
        if what == "lose":  # nothing gets through any more, and what was under way is lost
            self.linked = False
            self.link.stop()
            self.calls.clear()
            self.twins.clear()
            return
        if what == "forget":
            self.faults["forgotten"] += 1
            self.link.twin.clear()
        if what == "regain":
            self.linked = True
        if self.linked:
            self.link.start(self._deliver)

    def misserve(self, path: str, fault: Fault, times: int | None = 1) -> None:
        """The server does something wrong with the next requests."""
        self.faults["server"] += 1
        self._server_faults.enter_context(self.server.fault(path, fault, times=times))

    # -- what is on disk ---------------------------------------------------------------------------------------------

    def history(self) -> list[HistoryRow]:
        """All entries into states as another process finds them on disk, oldest first."""
        with Store(self.state, read_only=True) as beside:
            return beside.history(limit=100_000)

    def board(self) -> Board:
        """The board, to look at."""
        return Board(self.files / "board", disk=Disk())

    def artifacts(self) -> list[Path]:
        """What the download keeps."""
        directory = self.files / "artifacts"
        return sorted(directory.iterdir()) if directory.exists() else []

    def rot(self, number: int, at_bytes: int) -> None:
        """A file of the download rots."""
        self.faults["rot"] += 1
        files = self.artifacts()
        self.disk.rot(files[number % len(files)], at_bytes)

    def feel(self, *, healthy: bool) -> None:
        """The new firmware works, or does not."""
        self.faults["health"] += not healthy
        self.healthy = healthy

    def intact(self, update: Update) -> bool:
        """Whether the finished download of an update is on disk."""
        digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in self.artifacts()}
        return update.artifact is not None and update.artifact.sha256 in digests

    def pending(self) -> int:
        """How many reports the hub has not acknowledged."""
        return len(self._outbox.pending(100_000))

    def section(self) -> dict[str, Any]:
        """What the twin is to show once all is told."""
        hub = MemoryLink()
        hub.report(wrapped(self._outbox.section() or {}))
        return hub.section

    def witness(self) -> None:
        """Look whether the twin tells of something that is not on disk."""
        shown = self.link.section
        if "status" not in shown or "updateId" not in shown or self.faults["refused"]:
            return  # the hub has lost some of it, or has not taken it
        self.told.add((shown["updateId"], shown["status"]))
        rows = self.history()
        if not any(_tells_of(shown, row) for row in rows):
            self.crooked.append(f"the twin is ahead of the disk: {shown}, {rows[-1:]}")

    # -- peace -------------------------------------------------------------------------------------------------------

    def calm(self) -> None:
        """All faults stop."""
        self.power.restore()
        self.power.full, self.power.fails_in, self.disk.lies = False, None, 0
        self._server_faults.close()
        self.troubles.clear()
        self.healthy, self.gate.shut = True, False
        self.link.failures.clear()
        self.link.lost_answers = 0
        self.change_link("regain")

    def settle(self) -> None:
        """Go on until nothing is left to be done.

        Raises:
            AssertionError: it does not come to an end.
        """
        for _ in range(PATIENCE):
            while self.calls:
                self.arrive(0)
            while self.twins:
                self.hear()
            if not self.turn():
                return
        raise AssertionError(f"it does not settle: {self.agent.update}")

    def close(self) -> None:
        """Let go of everything."""
        self._server_faults.close()
        if self._store is not None:
            self._outbox.close()
            self._store.close()
            self._store = None

    # -- inside ------------------------------------------------------------------------------------------------------

    def _deliver(self, message: Message) -> None:
        assert isinstance(message, Twin)
        self.twins.append(message)

    def _promise(self, name: str, body: Mapping[str, Any]) -> None:
        trigger = {
            "firmwareUpdate": "accepted",
            "firmwareUpdateCancel": "cancelled",
            "firmwareUpdateRetry": "retry_requested",
        }.get(name)
        if trigger is None:
            return
        key = (body["updateId"], trigger)
        if trigger == "accepted":
            self.promises[key] = 1
        else:
            self.promises[key] += 1
        self.crooked += self.broken_promises()

    def broken_promises(self) -> list[str]:
        """What was answered with 200 and is not on disk."""
        kept = Counter((row.update_id, row.trigger) for row in self.history())
        return [f"{key} was promised and is not on disk" for key, count in self.promises.items() if kept[key] < count]

    def _entered(self, entered: Entered) -> None:
        """Only what was read again and found whole is applied, and only what works is confirmed."""
        rotted, worked = self.seen
        applies = entered.before is not None and entered.before.state is State.DOWNLOAD_COMPLETE
        if applies and entered.update.state.status == "applying" and rotted == self.faults["rot"]:
            self.crooked += [] if self.intact(entered.update) else ["a damaged file is applied"]
        if entered.trigger == "health_confirmed" and not worked:
            self.crooked.append("what does not work is confirmed")

    def _look(self) -> None:
        self.seen = (self.faults["rot"], self.healthy)

    def _step(self, _update: Update, _stop: threading.Event) -> None:
        meet(self.troubles, "step")

    def _check(self, _update: Update) -> None:
        if not self.healthy:
            raise HealthError("it does not feel well")

    def _order_reboot(self) -> None:
        self.ordered = True

    def _require_power(self) -> None:
        if self.power.off:  # a job took the exception with it
            raise PowerLossError("the power is off")


def _tells_of(shown: Mapping[str, Any], row: HistoryRow) -> bool:
    """Whether the twin shows this entry into a state."""
    if (shown["updateId"], shown["status"]) != (row.update_id, row.state.status):
        return False
    substatus = shown.get("substatus")
    if substatus != row.state.substatus and not (substatus == "rolledBack" and row.state is State.APPLY_FAILED):
        return False
    return bool(shown.get("attempt", row.attempt) == row.attempt)
