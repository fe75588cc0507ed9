"""A whole update on a disk that fails: at each call that changes a file, once, for a while, or with the process dying.

    LD_PRELOAD=diskfaults.so python -m tests.store.sweeping DIRECTORY first|later ENOSPC|EIO|EROFS once|lasting|killed

The faults are made by `diskfaults.c`, below SQLite and Python. A clean run counts the calls, those of the first
start of a device or those of an update of one that has its database; then each of them gets a run of its own in which
it fails. It prints how many that were, and ends with an AssertionError that names the call at which something did not
hold.
"""

from __future__ import annotations

import ctypes
import errno
import shutil
import sqlite3
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.core.update import State
from fwsm.errors import StoreError
from fwsm.store import Store
from tests.device.life import STEPS, URI, Life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__: list[str] = []

REQUEST = {"fwPackageUri": URI}
PATIENCE = 4  # so many times the device meets the fault before the disk is well again
WAY = ["waiting", "downloading", "downloadComplete", "applying", "applyComplete"]


class Disk:
    """The switch of `diskfaults.c`."""

    def __init__(self) -> None:
        self._switch = ctypes.CDLL(None)

    def fail(self, directory: Path, at: int, number: int, *, lasting: bool) -> None:
        """Let the call fail that comes so manieth, counted from 1; none if it is 0."""
        self._switch.disk_fails(f"{directory}/".encode(), at, number, lasting)

    def mend(self) -> None:
        """Let nothing fail any more."""
        self._switch.disk_mend()

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return int(self._switch.disk_calls())

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let whoever looks on see the disk as it is."""
        self._switch.disk_pause(1)
        yield
        self._switch.disk_pause(0)


class Trial:
    """One update on a disk that fails at one call.

    Args:
        disk: the switch.
        directory: for this trial.
        way: what comes of the fault: "once" it is over; "lasting", it is there until the device has met it some times;
            "killed", the process dies of it.
    """

    def __init__(self, disk: Disk, directory: Path, way: str) -> None:
        self._disk = disk
        self._way = way
        self._met = 0
        self.life = Life(directory)
        self._answered = False

    def run(self, at: int, number: int) -> int:
        """Live through it, and look at each step whether all holds; how many calls there were."""
        self._disk.fail(self.life.directory, at, number, lasting=self._way != "once")
        self._start()
        for _ in range(STEPS):
            if self._step():
                break
            with self._disk.paused():
                self._look()
        else:
            raise AssertionError(f"the device does not come to rest: {self.life.agent.update}")
        calls = self._disk.calls
        self._disk.mend()
        assert calls >= at, f"there were {calls} calls only"
        self._look_at_the_end()
        return calls

    def _start(self) -> None:
        self.life.start()
        self.life.link.start(self.life.agent.deliver)
        self._heed_trouble()

    def _step(self) -> bool:
        """One step of the device and of its reporter; whether it has come to rest."""
        life = self.life
        if not self._answered:
            status, _ = life.call(payload=REQUEST)
            self._answered = status == 200
            if not self._answered:
                self._meet()
        reboots, wait_s = life.installer.reboots, self._tried(lambda: life.agent.step(life.clock.now()))
        while self._tried(life.reporter.step) == 0.0:
            pass
        self._heed_trouble()
        if life.installer.reboots > reboots:
            life.end()
            life.clock.reboot(life.board.power_cycle())
            self._start()
            return False
        life.clock.advance(wait_s or 0.0)
        update = life.agent.update
        settled = wait_s is None and update is not None and update.state.settled
        return settled and self._tried(lambda: float(len(life.outbox.pending()))) == 0.0

    def _tried(self, step: Callable[[], float | None]) -> float | None:
        """What a step says; one that the store refuses is tried again later, as `run` does."""
        try:
            return step()
        except StoreError:
            self._meet()
            return 5.0

    def _heed_trouble(self) -> None:
        assert self.life.store is not None
        if self.life.store.trouble is not None:
            self._meet()

    def _meet(self) -> None:
        """The device has met the fault."""
        self._met += 1
        if self._way == "killed" and self._met == 1:
            self._die()
        if self._met == PATIENCE:
            self._disk.mend()

    def _die(self) -> None:
        """The process is killed, and another one finds what is on the disk then; the disk is well again."""
        self._disk.mend()
        life = self.life
        left = life.directory.with_name(f"{life.directory.name}-left")
        shutil.copytree(life.directory, left)
        life.end()
        life.directory = left
        self._start()

    def _look(self) -> None:
        """Nothing is ahead of the disk, and nothing that was acknowledged is gone."""
        life = self.life
        stored, entered = _stored(life.directory / "fwsm.db")
        update = life.agent.update
        assert stored == ([(update.id, update.state)] if update else []), f"{update} is not what is stored: {stored}"
        assert not self._answered or stored, "what was acknowledged is gone"
        assert set(life.link.statuses) <= set(entered), f"{life.link.statuses} was told of {entered}"

    def _look_at_the_end(self) -> None:
        life = self.life
        assert life.agent.update is not None
        assert life.agent.update.state is State.APPLY_COMPLETE, life.agent.update
        assert life.board.installed == [life.agent.update.id]
        assert life.link.statuses == WAY, life.link.statuses
        assert life.link.section["status"] == "applyComplete"
        assert not list(life.directory.glob("*damaged*"))
        told = len(life.link.patches)
        life.restart()
        life.link.start(life.agent.deliver)
        assert life.agent.step(life.clock.now()) in {0.0, None}
        life.report()
        assert len(life.link.patches) == told
        life.end()


def _stored(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    """The updates, and the statuses of the history, as somebody else sees them who comes by."""
    if not path.exists() or not path.stat().st_size or path.with_name("fwsm.db-journal").exists():
        return [], []  # it is just being made
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as other:
        if not other.execute("SELECT 1 FROM sqlite_master").fetchone():
            return [], []
        updates = other.execute("SELECT id, state FROM updates ORDER BY number").fetchall()
        states = other.execute("SELECT state FROM history ORDER BY number").fetchall()
    return updates, [state.partition(".")[0] for (state,) in states]


def _sweep(directory: Path, begin: str, number: int, way: str) -> int:
    """Sweep, and tell how many calls there were."""
    disk = Disk()
    made = directory / "made"
    disk.fail(made, 0, 0, lasting=False)
    Store(made).close()
    last = disk.calls
    if begin == "later":
        last = _trial(disk, directory, made, way).run(0, number)
    for at in range(1, last + 1):
        trial = _trial(disk, directory / f"{at}", made if begin == "later" else None, way)
        try:
            trial.run(at, number)
        except BaseException as error:
            raise AssertionError(f"call {at} of {last}: {type(error).__name__}: {error}") from error
        shutil.rmtree(directory / f"{at}")
    return last


def _trial(disk: Disk, directory: Path, made: Path | None, way: str) -> Trial:
    trial = Trial(disk, directory / "state", way)
    directory.mkdir(exist_ok=True)
    if made is not None:
        shutil.copytree(made, trial.life.directory)
    return trial


if __name__ == "__main__":
    found = _sweep(Path(sys.argv[1]), sys.argv[2], getattr(errno, sys.argv[3]), sys.argv[4])
    sys.stdout.write(str(found))
