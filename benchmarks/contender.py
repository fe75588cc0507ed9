"""A contender: a process that does an update whenever it is told to, and what it asks of the disk for that."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

_HERE = Path(__file__).parent / "contenders"
PEERS = Path(sys.prefix) / "peers" / "bin" / "python"
# fsync(5</path>) = 0, pwrite64(5</path>, ""..., 1024, 0) = 1024; a call that another thread's comes between is cut.
_CALL = re.compile(
    r"^\d+ +(?P<name>\w+)\(\d+<(?P<path>[^>]*)>(?:.*?, (?P<bytes>\d+)(?:, \d+)?(?:\)| <))?", re.MULTILINE
)
_SYNCS = ("fsync", "fdatasync")
_WRITES = ("write", "pwrite64")


@dataclass(frozen=True, slots=True)
class Contender:
    """A program in `contenders`.

    Attributes:
        program: its name.
        arguments: what it takes beside its folder and the recorded commits.
        peer: whether it is run by the Python that has the peers.
    """

    program: str
    arguments: tuple[str, ...] = ()
    peer: bool = False

    @property
    def missing(self) -> bool:
        """Whether it cannot run here."""
        return self.peer and not PEERS.exists()

    def command(self, folder: Path, recorded: Path) -> list[str]:
        """What starts it."""
        python = str(PEERS) if self.peer else sys.executable
        return [python, f"{_HERE / self.program}.py", f"{folder}", f"{recorded}", *self.arguments]


class Running:
    """A contender that runs; called, it does one update and says how many seconds that took.

    Attributes:
        busy_s: the processor time of each update so far, in seconds.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.busy_s: list[float] = []
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self) -> float:
        """Have it do one update."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self._process.args!r} has ended with {self._process.wait()}")
        took, busy = answer.split()
        self.busy_s.append(float(busy))
        return float(took)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)


@dataclass(frozen=True, slots=True)
class Load:
    """What one update asks of the disk, on average over many.

    Attributes:
        syncs: fsync and fdatasync calls.
        log_bytes: written to the log: SQLite's write-ahead log or rollback journal.
        file_bytes: written to the database itself.
    """

    syncs: float
    log_bytes: float
    file_bytes: float


def load(command: Sequence[str], log: Path, *, warm: int, updates: int) -> Load:
    """Count the calls of a contender with strace, over `updates` updates after `warm` others."""
    calls = ",".join((*_SYNCS, *_WRITES))
    with Running(["strace", "-f", "-y", "-s", "0", "-e", f"trace={calls}", "-o", f"{log}", *command]) as contender:
        for _ in range(warm + updates):
            contender()
    counted: Counter[str] = Counter()
    answered = 0
    for call in _CALL.finditer(log.read_text(encoding="utf-8", errors="replace")):
        path = call["path"]
        if path.startswith("pipe:"):
            answered += 1
        elif warm <= answered < warm + updates:
            if call["name"] in _SYNCS:
                counted["syncs"] += 1
            elif path.endswith(("-wal", "-journal", ".log")):
                counted["log"] += int(call["bytes"])
            elif path.endswith((".db", ".sqlite")):
                counted["file"] += int(call["bytes"])
    return Load(counted["syncs"] / updates, counted["log"] / updates, counted["file"] / updates)
