"""What a process costs while it is at rest, read from /proc, and whether that grows.

A process is at rest when its update has settled and everything has been told. One life of a program is from one `exec`
to the next: the device's simulated reboot begins a new one under the same process id.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["MEMORY_WARM_UP", "Reading", "at_rest", "growth"]

# The first readings of a life do not count: libraries load what they need when they need it, and the allocator's arenas
# are touched for the first time (measured: level after three updates, with as few arenas as the systemd unit allows).
WARM_UP: Final = 2
MEMORY_WARM_UP: Final = 4
# Of its connections to the hub, the device may hold one that is gone until the next takes its place: two threads and
# five files (measured); and for a while after a report the three files of one more connection to its database. One that
# were kept at each reconnect would be beyond this after two.
MORE_THREADS: Final = 4
MORE_FILES: Final = 8
MORE_IN_A_LIFE_KIB: Final = 2 * 1024
MORE_BETWEEN_LIVES_KIB: Final = 12 * 1024

_LOOKS, _LOOK_AGAIN_S = 10, 0.1


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at a process.

    Attributes:
        life: different for each life; says nothing else.
        threads: how many.
        files: how many open file descriptors.
        memory_kib: resident memory.
    """

    life: tuple[int, str, str]
    threads: int
    files: int
    memory_kib: int

    @classmethod
    def of(cls, pid: int) -> Reading:
        """Look now.

        Raises:
            OSError: there is no such process.
        """
        folder = Path(f"/proc/{pid}")
        facts = folder.joinpath("stat").read_text().rpartition(")")[2].split()
        status = dict(line.split(":", 1) for line in folder.joinpath("status").read_text().splitlines())
        # From proc(5): when it began, and where its code begins, which each exec draws anew.
        life = (pid, facts[19], facts[23])
        memory_kib = int(status["VmRSS"].split()[0])
        return cls(life, int(status["Threads"]), len(list(folder.joinpath("fd").iterdir())), memory_kib)

    def __str__(self) -> str:
        """As it is told."""
        return f"{self.threads} threads, {self.files} files, {self.memory_kib / 1024:.1f} MiB"


def at_rest(pid: int) -> Reading:
    """The least of some looks within a second: what comes and goes, such as a report on its way, is no growth."""
    pause, least = threading.Event(), Reading.of(pid)
    for _ in range(_LOOKS):
        pause.wait(_LOOK_AGAIN_S)
        now = Reading.of(pid)
        least = Reading(
            now.life,
            min(least.threads, now.threads),
            min(least.files, now.files),
            min(least.memory_kib, now.memory_kib),
        )
    return least


def growth(name: str, readings: Sequence[Reading]) -> Iterator[str]:
    """Say what has grown beyond its bound, in one life or from the first to any later one.

    Args:
        name: of the program.
        readings: at rest, in order.
    """
    lives = [[each for each in readings if each.life == life] for life in dict.fromkeys(each.life for each in readings)]
    for life in lives:
        if len(life) > WARM_UP:
            yield from _more_handles(f"{name} in one life", life[WARM_UP - 1], life[-1])
        if len(life) > MEMORY_WARM_UP:
            yield from _more_memory(f"{name} in one life", life[MEMORY_WARM_UP - 1], life[-1], MORE_IN_A_LIFE_KIB)
    for life in lives[1:]:
        what = f"{name} from its first life to a later one"
        yield from _more_handles(what, lives[0][0], life[0])
        yield from _more_memory(what, lives[0][0], life[0], MORE_BETWEEN_LIVES_KIB)


def _more_handles(what: str, first: Reading, last: Reading) -> Iterator[str]:
    if last.threads - first.threads > MORE_THREADS or last.files - first.files > MORE_FILES:
        yield f"{what} has grown from {first} to {last}"


def _more_memory(what: str, first: Reading, last: Reading, more_kib: int) -> Iterator[str]:
    if last.memory_kib - first.memory_kib > more_kib:
        yield f"the memory of {what} has grown from {first} to {last}"
