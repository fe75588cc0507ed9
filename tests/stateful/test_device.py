"""A whole device under anything in any order: messages, faults, cuts, time.

The rules do to the device what the world does to it; the invariants are what it promises. At the end all faults stop:
then every update must settle, the hub must know everything, every failure must have a cause that the rules gave it,
and a new update must work.
"""

from __future__ import annotations

import hashlib
import itertools
import logging
import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from fwsm.core.update import State
from fwsm.errors import InstallError, LinkAuthError, LinkError, ReportRefusedError
from fwsm.testing.image_faults import no_ranges, portal, refusal, truncated, wrong_range
from fwsm.testing.image_server import ImageServer
from tests.stateful.history import faults_of
from tests.stateful.world import EXTENSION, LIMITS, FlakyInstallError, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.testing.image_faults import Fault

pytestmark = pytest.mark.stateful

FACTORY = b"the image that the board was made with"
IMAGES = {f"/{name}.img": random.Random(name).randbytes(6000) for name in ("one", "two", "three")}
OTHERS = {path: content[::-1] for path, content in IMAGES.items()}
WHOLE = {FACTORY, *IMAGES.values(), *OTHERS.values()}
JUNK = [None, 7, "text", {}, {"fwPackageUri": 1}, {"fwPackageUri": "ftp://images.example/one.img"}]

SERVED_BADLY: dict[str, Callable[[], Fault]] = {
    "half of it": lambda: truncated(3000),
    "a little of it": lambda: truncated(10),
    "503": lambda: refusal(503, retry_after="30"),
    "404": lambda: refusal(404),
    "403": lambda: refusal(403),
    "no ranges": no_ranges,
    "another range": lambda: wrong_range("bytes 1-2/3"),
    "a portal": portal,
}
# What an update may end with, and what of the rules can lead there. Anything else is a bug; so is "internal" by itself.
CAUSES = {
    "cancelled": {"cancel"},
    "superseded": {"request"},
    "downloadInterrupted": {"server", "io"},
    "artifact": {"server"},
    "artifactMissing": {"server"},
    "artifactForbidden": {"server"},
    "artifactDamaged": {"server", "rot"},
    "noSpace": {"full"},
    "install": {"installer"},
    "slot": {"io", "fallback", "installer", "lie"},
    "health": {"health", "fallback", "boot", "installer"},
    "internal": {"foreign"},
    "restartLoop": {"kill"},
    "rebootIgnored": {"reboot ignored", "kill"},
    "bootFellBack": {"fallback", "boot"},
    "installInterrupted": {"kill"},
}

METHODS = ["install", "installed", "confirm", "confirmed", "roll_back", "rolled_back", "runs", "probe", "step"]
STEPS = 40

paths = st.sampled_from(sorted(IMAGES))
some = st.integers(0, 7)
cuts = st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=4)
# What can befall an update: the rules by their names, with what they take. Each is a rule, and part of another one.
BLOWS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "request": {"path": paths, "at_once": st.booleans()},
    "command": {"name": st.sampled_from(["Cancel", "Retry", "Status"]), "at_once": st.booleans()},
    "desire": {"content": st.none() | paths | st.just("junk")},
    "begin": {"steps": st.integers(1, 4)},
    "pass_time": {"seconds": st.sampled_from([1.0, 20.0, 200.0, 2000.0])},
    "jump": {"days": st.sampled_from([-20000, -400, -1, 1, 400, 20000])},
    "cut": {"cuts": cuts},
    "restart": {"times": st.integers(1, 5), "steps": st.integers(0, 3)},
    "reboot": {"times": st.integers(1, 4)},
    "change_link": {"what": st.sampled_from(["lose", "regain", "reconnect", "forget", "stall"])},
    "spoil_reports": {
        "error": st.sampled_from([None, LinkError, LinkAuthError, ReportRefusedError]),
        "times": st.integers(1, 3),
    },
    "misserve": {"path": paths, "how": st.sampled_from(sorted(SERVED_BADLY)), "times": st.integers(1, 4)},
    "replace_image": {"path": paths, "other": st.booleans()},
    "rot": {"number": some, "at": st.integers(0, 6000)},
    "spoil_trial": {"at": st.integers(0, 6000)},
    "fill": {"full": st.booleans()},
    "spoil_disk": {"operations": st.integers(0, 30)},
    "spoil_slot": {"lies": st.integers(1, 3)},
    "spoil_installer": {
        "method": st.sampled_from(METHODS),
        "error": st.sampled_from([FlakyInstallError, InstallError, RuntimeError]),
        "times": st.integers(1, 4),
    },
    "feel": {"healthy": st.booleans(), "shut": st.booleans()},
}
blows = st.sampled_from(sorted(BLOWS)).flatmap(
    lambda name: st.tuples(st.just(name), st.fixed_dictionaries(BLOWS[name]))
)

F = TypeVar("F", bound="Callable[..., None]")


def befalls(name: str) -> Callable[[F], F]:
    """Make a rule of a method that is one of the blows."""
    made: Callable[[F], F] = rule(**BLOWS[name])  # type: ignore[call-overload]  # what it takes stands there
    return made


class DeviceMachine(RuleBasedStateMachine):
    """One device.

    Attributes:
        root: where devices may be made.
        server: serves the images.
        factory: the image that boards are made with.
    """

    root: Path
    server: ImageServer
    factory: Path
    numbers = itertools.count()

    @initialize(extended=st.booleans(), repeatable=st.booleans())
    def make(self, extended: bool, repeatable: bool) -> None:
        """A device that has never had an update."""
        for path, content in IMAGES.items():
            self.server.put(path, content)
        self.world = World(
            self.root / str(next(self.numbers)),
            self.server,
            self.factory,
            extended=extended,
            repeatable=repeatable,
        )
        self.send("firmwareUpdate", self.payload("/one.img"))

    # -- the operator ------------------------------------------------------------------------------------------------

    @befalls("request")
    def request(self, path: str, at_once: bool) -> None:
        """Ask for an update, maybe the same again."""
        self.world.faults["request"] += 1
        self.send("firmwareUpdate", self.payload(path), at_once=at_once)

    @befalls("command")
    def command(self, name: str, at_once: bool) -> None:
        """Cancel, retry, or look."""
        self.world.faults[name.lower()] += 1
        self.send(f"firmwareUpdate{name}", at_once=at_once)

    @rule(payload=st.sampled_from(JUNK))
    def nonsense(self, payload: Any) -> None:
        """Ask for nothing that could be done."""
        self.send("firmwareUpdate", payload)

    @precondition(lambda self: self.world.calls)
    @rule(number=some, again=st.booleans())
    def arrive(self, number: int, again: bool) -> None:
        """A method arrives late, before others, and maybe twice."""
        self.world.arrive(number, again=again)

    @befalls("desire")
    def desire(self, content: str | None) -> None:
        """Set the desired property, the same again, or take it away."""
        self.world.faults["cancel" if content is None else "request"] += 1
        # A wish is merged into the one before, whose digest it would keep.
        wish: Any = {"fwPackageCheckValue": None} | self.payload(content) if content in IMAGES else content
        self.world.link.desire({"iothubDM": {"firmwareUpdate": wish}})

    @precondition(lambda self: self.world.twins)
    @rule()
    def hear(self) -> None:
        """The twin arrives, late."""
        self.world.hear()

    # -- time and work -----------------------------------------------------------------------------------------------

    @rule(state=st.sampled_from(sorted(EXTENSION.states)), path=paths)
    def go_to(self, state: State, path: str) -> None:
        """An update, a new one if there is none, goes as far as this state, if it gets there."""
        world = self.world
        if world.linked and (world.agent.update is None or world.agent.update.state.settled):
            self.request(path, at_once=True)
            world.step()
        for _ in range(STEPS):
            if world.agent.update is None or world.agent.update.state is state or not world.turn():
                return

    @rule(state=st.sampled_from(sorted(EXTENSION.states)), path=paths, suffered=st.lists(blows, min_size=1, max_size=3))
    def suffer(self, state: State, path: str, suffered: list[tuple[str, dict[str, Any]]]) -> None:
        """An update goes as far as this state; there something befalls it, and it goes on with that."""
        self.go_to(state, path)
        for name, how in suffered:
            getattr(self, name)(**how)
        self.world.live()

    @rule(steps=st.integers(1, 6))
    def work(self, steps: int) -> None:
        """The agent works, and nobody hears of it."""
        self.world.work(steps)

    @rule()
    def live(self) -> None:
        """All goes its way for a while."""
        self.world.live()

    @befalls("begin")
    def begin(self, steps: int) -> None:
        """The agent works, and its job takes long."""
        self.world.runner.holds = True
        self.world.work(steps)
        self.world.runner.holds = False

    @rule(steps=st.integers(1, 4))
    def report(self, steps: int) -> None:
        """The hub hears of it."""
        for _ in range(steps):
            self.world.report()

    @befalls("pass_time")
    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self.world.wait(seconds)

    @befalls("jump")
    def jump(self, days: int) -> None:
        """The wall clock is set."""
        self.world.jump(days)

    # -- the end of processes ----------------------------------------------------------------------------------------

    @befalls("cut")
    def cut(self, cuts: list[tuple[int, bool]]) -> None:
        """The power goes, or the process dies, at some moment; and once more on the way back."""
        self.world.cut(cuts)

    @befalls("restart")
    def restart(self, times: int, steps: int) -> None:
        """The process dies between two steps, and keeps dying as soon as it has come back."""
        for _ in range(times):
            self.world.restart()
            self.world.work(steps)

    @befalls("reboot")
    def reboot(self, times: int) -> None:
        """The board is rebooted, asked for or not."""
        for _ in range(times):
            self.world.reboot()

    # -- faults ------------------------------------------------------------------------------------------------------

    @befalls("change_link")
    def change_link(self, what: str) -> None:
        """The hub is gone, or back; the link is made anew, and the hub may have lost what was reported."""
        self.world.change_link(what)

    @befalls("spoil_reports")
    def spoil_reports(self, error: type[LinkError] | None, times: int) -> None:
        """The hub does not take the next reports, now or ever; or it takes them, and its answers are lost."""
        if error is None:
            self.world.link.lost_answers += times
            return
        self.world.link.failures += [error("no") for _ in range(times)]
        self.world.faults["refused"] += error is ReportRefusedError

    @befalls("misserve")
    def misserve(self, path: str, how: str, times: int) -> None:
        """The next answers of the server are wrong."""
        self.world.misserve(path, SERVED_BADLY[how](), times)

    @befalls("replace_image")
    def replace_image(self, path: str, other: bool) -> None:
        """Another image takes the place of the one on the server."""
        self.world.faults["server"] += 1
        self.server.put(path, (OTHERS if other else IMAGES)[path])

    @befalls("rot")
    def rot(self, number: int, at: int) -> None:
        """A file of the download rots, if that can be noticed: a request that names no digest takes what comes."""
        files, update = self.world.artifacts(), self.world.agent.update
        if not files or update is None or update.request.sha256 is None:
            return
        self.world.rot(number, at)

    @befalls("spoil_trial")
    def spoil_trial(self, at: int) -> None:
        """The boot loader will not accept the image that it is to try, if there is one, and falls back."""
        pointer = self.world.board().status()
        if pointer.trial is not None and pointer.trial != pointer.booted:
            self.world.faults["fallback"] += 1
            self.world.disk.rot(self.world.board().slot_path(pointer.trial), at)

    @befalls("fill")
    def fill(self, full: bool) -> None:
        """The disk fills up, or has room again."""
        self.world.faults["full"] += full
        self.world.power.full = full

    @befalls("spoil_disk")
    def spoil_disk(self, operations: int) -> None:
        """One of the next operations on the disk fails."""
        self.world.faults["io"] += 1
        self.world.power.fails_in = operations

    @befalls("spoil_slot")
    def spoil_slot(self, lies: int) -> None:
        """What is written to a slot next is not what gets there, and nobody is told."""
        self.world.faults["lie"] += 1
        self.world.disk.lies = lies

    @befalls("spoil_installer")
    def spoil_installer(self, method: str, error: type[Exception], times: int) -> None:
        """The installer, or a step of the program, will fail: for a moment, for good, or with a bug."""
        self.world.faults["foreign" if error is RuntimeError else "installer"] += 1
        self.world.troubles.setdefault(method, []).extend(error("it does not work") for _ in range(times))

    @befalls("feel")
    def feel(self, healthy: bool, shut: bool) -> None:
        """The new firmware works, or does not; the policy lets updates be applied, or does not."""
        self.world.feel(healthy=healthy)
        self.world.gate.shut = shut

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No promise is broken, the history is in order, and the board boots a whole image."""
        world = self.world
        world.witness()
        wrong = faults_of(world.history(), world.extension.table, LIMITS, world.agent.update)
        wrong += world.crooked + world.broken_promises()
        if wrong:
            raise AssertionError("; ".join(wrong))
        self.board_holds()
        self.download_holds()

    def download_holds(self) -> None:
        """What is called complete is on disk, whole, unless the disk has rotted since."""
        update = self.world.agent.update
        if update is not None and update.state is State.DOWNLOAD_COMPLETE and not self.world.faults["rot"]:
            assert self.world.intact(update)

    def board_holds(self) -> None:
        """It runs a whole image, and tries none but a whole one; what is called complete is what was asked for."""
        board, update = self.world.board(), self.world.agent.update
        pointer = board.status()
        running = board.slot_path(pointer.booted).read_bytes()
        assert running in WHOLE
        trial = pointer.trial
        if trial is not None and not self.world.faults["fallback"]:
            assert board.slot_path(trial).read_bytes() in WHOLE
        if update is not None and update.state is State.APPLY_COMPLETE:
            digest = hashlib.sha256(running).hexdigest()
            assert update.artifact is not None
            assert digest == update.artifact.sha256
            assert update.request.sha256 in {None, digest}
            assert pointer.settled
        if update is not None and update.rolled_back:
            assert pointer.slots[pointer.booted].update_id != update.id
            assert trial is None or pointer.slots[trial].update_id != update.id

    def teardown(self) -> None:
        """The faults stop: everything is brought to its end, and the device is as good as new."""
        if not hasattr(self, "world"):
            return
        try:
            self.rest()
            self.go_on()
        finally:
            self.world.close()

    def rest(self) -> None:
        """All is settled, told, and explained."""
        world = self.world
        world.calm()
        for path, content in IMAGES.items():
            self.server.put(path, content)
        world.settle()
        self.holds()
        rows = world.history()
        assert world.pending() == 0
        if not world.faults["refused"] and not world.faults["forgotten"]:
            ends = {row.update_id: row.state.status for row in rows}
            assert ends.items() <= world.told
        world.link.connect()
        world.settle()
        assert world.link.section == world.section()
        for row in rows:
            if row.state.settled and row.failure_code is not None:
                causes = CAUSES[row.failure_code]
                assert any(world.faults[cause] for cause in causes), f"{row}, and only {dict(world.faults)}"

    def go_on(self) -> None:
        """A new update works."""
        world = self.world
        if not world.board().status().settled:  # its reboot never came: the next update is refused, and orders it
            self.lead_back()
        running = world.board().slot_path(world.board().status().booted).read_bytes()
        path = next(path for path, content in IMAGES.items() if content != running)
        world.call("firmwareUpdate", self.payload(path) | {"fwVersion": "last"})
        world.settle()
        update = world.agent.update
        assert update is not None
        assert (update.state, update.request.version) == (State.APPLY_COMPLETE, "last"), update.failure
        self.holds()
        assert world.link.section == world.section()
        assert world.artifacts() == []

    def lead_back(self) -> None:
        """An update that finds no slot to write to brings the board back to what it falls back to."""
        world = self.world
        world.call("firmwareUpdate", self.payload("/one.img") | {"fwVersion": "refused"})
        world.settle()
        update = world.agent.update
        assert update is not None
        assert update.failure is not None
        assert (update.state, update.failure.code) == (State.APPLY_FAILED, "slot")
        assert world.board().status().settled

    # -- at hand -----------------------------------------------------------------------------------------------------

    def send(self, name: str, payload: Any = None, *, at_once: bool = True) -> None:
        """Send a direct method, if that gets through; it arrives at once or is under way for a while."""
        if not self.world.linked:
            return
        self.world.call(name, payload)
        if at_once:
            self.world.arrive(-1)

    def payload(self, path: str) -> dict[str, Any]:
        """A request; that for the third image names no digest."""
        request = {"fwPackageUri": self.server.url(path)}
        digest = {"fwPackageCheckValue": hashlib.sha256(IMAGES[path]).hexdigest()}
        return request if path == "/three.img" else request | digest


@pytest.fixture
def root() -> Iterator[Path]:
    """A directory in memory if there is such a thing: what a sync comes to is played, and real ones take their time."""
    memory = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(prefix="fwsm-", dir=memory if memory.is_dir() else None))
    yield path
    shutil.rmtree(path)


@pytest.mark.timeout(600)
def test_a_device_under_anything(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is done to it in whatever order, no promise is broken, and in peace everything comes to its end."""
    caplog.set_level(logging.CRITICAL, "fwsm")  # what the device says of all these faults takes longer than they do
    (root / "factory").write_bytes(FACTORY)
    with ImageServer("127.0.0.1", IMAGES) as running:

        class Machine(DeviceMachine):
            server = running
            factory = root / "factory"

        Machine.root = root
        profile = settings()
        few = settings(
            profile, max_examples=profile.max_examples // 2, stateful_step_count=30, report_multiple_bugs=False
        )
        run_state_machine_as_test(Machine, settings=few)
