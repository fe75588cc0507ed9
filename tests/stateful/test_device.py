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
from typing import TYPE_CHECKING, Any

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

from fwsm.core.lifecycle import NO_EXTENSION, Extension, Step
from fwsm.core.update import State
from fwsm.errors import InstallError, LinkAuthError, LinkError, ReportRefusedError
from fwsm.testing.image_faults import no_ranges, portal, refusal, truncated, wrong_range
from fwsm.testing.image_server import ImageServer
from tests.stateful.history import faults_of
from tests.stateful.world import LIMITS, FlakyInstallError, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.core.update import Update
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
    "slot": {"io", "fallback", "installer"},
    "health": {"health", "fallback", "boot", "installer"},
    "internal": {"foreign"},
    "restartLoop": {"kill"},
    "rebootIgnored": {"reboot ignored", "kill"},
    "bootFellBack": {"fallback", "boot"},
    "installInterrupted": {"kill"},
}

paths = st.sampled_from(sorted(IMAGES))
some = st.integers(0, 7)


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
            extension=EXTENSION if extended else NO_EXTENSION,
            repeatable=repeatable,
        )
        self.world.call("firmwareUpdate", self.payload("/one.img"))
        self.world.arrive(0)

    # -- the operator ------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.linked)
    @rule(path=paths, at_once=st.booleans())
    def request(self, path: str, at_once: bool) -> None:
        """Ask for an update, maybe the same again."""
        self.world.faults["request"] += 1
        self.world.call("firmwareUpdate", self.payload(path))
        if at_once:
            self.world.arrive(-1)

    @precondition(lambda self: self.world.linked)
    @rule(name=st.sampled_from(["Cancel", "Retry", "Status"]), at_once=st.booleans())
    def command(self, name: str, at_once: bool) -> None:
        """Cancel, retry, or look."""
        self.world.faults[name.lower()] += 1
        self.world.call(f"firmwareUpdate{name}")
        if at_once:
            self.world.arrive(-1)

    @precondition(lambda self: self.world.linked)
    @rule(payload=st.sampled_from(JUNK))
    def nonsense(self, payload: Any) -> None:
        """Ask for nothing that could be done."""
        self.world.call("firmwareUpdate", payload)
        self.world.arrive(-1)

    @precondition(lambda self: self.world.calls)
    @rule(number=some, again=st.booleans())
    def arrive(self, number: int, again: bool) -> None:
        """A method arrives late, before others, and maybe twice."""
        self.world.arrive(number, again=again)

    @rule(content=st.none() | paths.map(str) | st.just("junk"))
    def desire(self, content: str | None) -> None:
        """Set the desired property, the same again, or take it away."""
        self.world.faults["request"] += content is not None
        self.world.faults["cancel"] += content is None
        wish: Any = self.payload(content) if content in IMAGES else content
        self.world.link.desire({"iothubDM": {"firmwareUpdate": wish}})

    @precondition(lambda self: self.world.twins)
    @rule()
    def hear(self) -> None:
        """The twin arrives, late."""
        self.world.hear()

    # -- time and work -----------------------------------------------------------------------------------------------

    @rule(steps=st.integers(1, 6))
    def work(self, steps: int) -> None:
        """The agent works, and nobody hears of it."""
        self.world.work(steps)

    @rule()
    def live(self) -> None:
        """All goes its way for a while."""
        self.world.live()

    @rule(steps=st.integers(1, 4))
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

    @rule(seconds=st.sampled_from([1.0, 20.0, 200.0, 2000.0]))
    def pass_time(self, seconds: float) -> None:
        """Time passes."""
        self.world.wait(seconds)

    @rule(days=st.sampled_from([-20000, -400, -1, 1, 400, 20000]))
    def jump(self, days: int) -> None:
        """The wall clock is set."""
        self.world.jump(days)

    # -- the end of processes ----------------------------------------------------------------------------------------

    @rule(cuts=st.lists(st.tuples(st.integers(0, 40), st.booleans()), min_size=1, max_size=4))
    def cut(self, cuts: list[tuple[int, bool]]) -> None:
        """The power goes, or the process dies, at some moment; and once more on the way back."""
        self.world.cut(cuts)

    @rule(times=st.integers(1, 5))
    def restart(self, times: int) -> None:
        """The process dies between two steps, and keeps dying as soon as it has come back."""
        for _ in range(times):
            self.world.restart()
            self.world.work(2)

    @rule()
    def reboot(self) -> None:
        """The board is rebooted, asked for or not."""
        self.world.reboot()

    @precondition(lambda self: self.trial_slot())
    @rule(at=st.integers(0, 6000))
    def spoil_trial(self, at: int) -> None:
        """The boot loader will not accept the image that it is to try, and falls back."""
        self.world.faults["fallback"] += 1
        self.world.disk.rot(self.world.board().slot_path(self.trial_slot()), at)

    # -- the hub's faults --------------------------------------------------------------------------------------------

    @precondition(lambda self: self.world.linked)
    @rule()
    def lose_link(self) -> None:
        """The hub is gone."""
        self.world.lose_link()

    @precondition(lambda self: not self.world.linked)
    @rule()
    def regain_link(self) -> None:
        """The hub is back."""
        self.world.regain_link()

    @rule(times=st.integers(1, 3))
    def lose_answers(self, times: int) -> None:
        """The hub takes reports, and its answers are lost."""
        self.world.link.lost_answers += times

    @rule(error=st.sampled_from([LinkError, LinkAuthError, ReportRefusedError]))
    def refuse_report(self, error: type[LinkError]) -> None:
        """The hub does not take the next report, now or ever."""
        self.world.link.failures.append(error("no"))
        self.world.faults["refused"] += error is ReportRefusedError

    @precondition(lambda self: self.world.linked)
    @rule(forgets=st.booleans())
    def reconnect(self, forgets: bool) -> None:
        """The link is made anew; the hub may have lost what was reported."""
        if forgets:
            self.world.link.twin.clear()
        self.world.link.connect()

    # -- the server's, the disk's and the board's faults -------------------------------------------------------------

    @rule(path=paths, how=st.sampled_from(sorted(SERVED_BADLY)), times=st.integers(1, 4))
    def misserve(self, path: str, how: str, times: int) -> None:
        """The next answers of the server are wrong."""
        self.world.misserve(path, SERVED_BADLY[how](), times)

    @rule(path=paths, other=st.booleans())
    def replace_image(self, path: str, other: bool) -> None:
        """Another image takes the place of the one on the server."""
        self.world.faults["server"] += 1
        self.server.put(path, (OTHERS if other else IMAGES)[path])

    @precondition(lambda self: self.world.artifacts() and self.digest_known())
    @rule(number=some, at=st.integers(0, 6000))
    def rot(self, number: int, at: int) -> None:
        """A file of the download rots."""
        self.world.faults["rot"] += 1
        files = self.world.artifacts()
        self.world.disk.rot(files[number % len(files)], at)

    @rule(full=st.booleans())
    def fill(self, full: bool) -> None:
        """The disk fills up, or has room again."""
        self.world.faults["full"] += full
        self.world.power.full = full

    @rule(operations=st.integers(0, 30))
    def fail_disk(self, operations: int) -> None:
        """One of the next operations on the disk fails."""
        self.world.faults["io"] += 1
        self.world.power.fails_in = operations

    @rule(
        method=st.sampled_from(
            ["install", "installed", "confirm", "confirmed", "roll_back", "rolled_back", "runs", "probe"]
        ),
        error=st.sampled_from([FlakyInstallError, InstallError, RuntimeError]),
        times=st.integers(1, 4),
    )
    def spoil_installer(self, method: str, error: type[Exception], times: int) -> None:
        """The installer will fail: for a moment, for good, or with a bug."""
        self.world.faults["foreign" if error is RuntimeError else "installer"] += 1
        self.world.troubles.setdefault(method, []).extend(error("it does not work") for _ in range(times))

    @rule(healthy=st.booleans())
    def feel(self, healthy: bool) -> None:
        """The new firmware works, or does not."""
        self.world.faults["health"] += not healthy
        self.world.healthy = healthy

    @rule(shut=st.booleans())
    def gate(self, shut: bool) -> None:
        """The policy lets updates be applied, or does not."""
        self.world.gate.shut = shut

    # -- what must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No promise is broken, the history is in order, and the board boots a whole image."""
        world = self.world
        world.witness()
        assert world.crooked + world.broken_promises() == []
        assert faults_of(world.history(), world.extension.table, LIMITS, world.agent.update) == []
        self.board_holds()

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
        if not world.faults["refused"]:
            ends = {row.update_id: row.state.status for row in rows}
            assert ends.items() <= world.told
        world.link.connect()
        world.settle()
        assert world.link.section == world.section()
        for row in rows:
            if row.state.settled and row.failure_code is not None:
                causes = CAUSES[row.failure_code]
                assert any(world.faults[cause] for cause in causes), (row, world.faults)

    def go_on(self) -> None:
        """A new update works."""
        world = self.world
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

    # -- looking -----------------------------------------------------------------------------------------------------

    def payload(self, path: str) -> dict[str, Any]:
        """A request; that for the third image names no digest."""
        request = {"fwPackageUri": self.server.url(path)}
        digest = {"fwPackageCheckValue": hashlib.sha256(IMAGES[path]).hexdigest()}
        return request if path == "/three.img" else request | digest

    def digest_known(self) -> bool:
        """Whether what rots can be noticed."""
        update = self.world.agent.update
        return update is not None and (update.request.sha256 is not None or update.artifact is not None)

    def trial_slot(self) -> str:
        """The slot that waits for a boot; empty if none does."""
        pointer = self.world.board().status()
        return pointer.trial if pointer.trial is not None and pointer.trial != pointer.booted else ""


def _migrate(_update: Update, _stop: Any) -> None:
    """Nothing to be done."""


EXTENSION = Extension(
    (
        Step("backingUp", State.INSTALLING, _migrate),
        Step("warning", State.REBOOTING, _migrate),
        Step("migrating", State.CONFIRMING, _migrate),
    )
)


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
        few = settings(profile, max_examples=profile.max_examples // 2, stateful_step_count=40)
        run_state_machine_as_test(Machine, settings=few)
