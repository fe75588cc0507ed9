"""A whole durable update against the same commits by hand, against peers, and what each asks of the disk."""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from contender import Contender, Running, load
from timing import in_turns
from way import STATES, recorded

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from contender import Load

ROUNDS = 100
EACH = 5  # a program that has just run finds its code in the cache, as it would without the others
# Enough for the log to be moved into the database several times, which is when the pages are written once more.
COUNTED = 128

OURS: Final = "fwsm"
DISK: Final = "seven synced appends to a file"
BY_HAND: Final = "sqlite3 by hand"
PLAIN: Final = "sqlite3 by hand, 4096-byte pages"
BARE_MODEL: Final = "python-statemachine on sqlite3"
ORM_MODEL: Final = "python-statemachine on the ORM"
WORKFLOW: Final = "DBOS on SQLite, WAL"
WORKFLOW_AS_IS: Final = "DBOS on SQLite as it comes"
CONTENDERS: Final = {
    OURS: Contender("ours"),
    f"{OURS}, each report acknowledged": Contender("ours", ("acknowledged",)),
    DISK: Contender("appended"),
    BY_HAND: Contender("by_hand", ("512", "512")),  # the settings of fwsm
    PLAIN: Contender("by_hand", ("4096", "1000")),  # SQLite's defaults
    BARE_MODEL: Contender("statemachine_model", ("sqlite3",), peer=True),
    ORM_MODEL: Contender("statemachine_model", ("orm",), peer=True),
    WORKFLOW: Contender("dbos_workflow", ("wal",), peer=True),
    WORKFLOW_AS_IS: Contender("dbos_workflow", ("delete",), peer=True),
}


@dataclass(frozen=True, slots=True)
class Times:
    """How long an update took.

    Attributes:
        fastest_s: in the round that was disturbed least. This is compared, as the standard library's `timeit` advises.
        median_s: in half of the rounds it was faster.
        busy_s: processor time, in the round with the least of it.
    """

    fastest_s: float
    median_s: float
    busy_s: float


def run() -> Iterator[str]:
    """Seven durable states, the report of each in the same commit; each contender in a process of its own.

    All are as durable (synchronous=FULL, and WAL mode but for DBOS as it comes), go through as many states, and keep
    the same texts of the reports.
    """
    present = {name: contender for name, contender in CONTENDERS.items() if not contender.missing}
    if len(present) < len(CONTENDERS):
        yield f"left out: {', '.join(CONTENDERS.keys() - present)} (make bench installs them)"
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, ExitStack() as running:
        folder = Path(name)
        commits = folder / "recorded.json"
        commits.write_text(json.dumps(recorded(folder / "recorded")), encoding="utf-8")
        contenders = {
            name: running.enter_context(Running(contender.command(_made(folder / f"{number}"), commits)))
            for number, (name, contender) in enumerate(present.items())
        }
        for contender in contenders.values():  # so that nobody is timed while tables are made
            contender()
        walls = in_turns(contenders, ROUNDS, each=EACH)
        times = {
            name: Times(min(seconds), statistics.median(seconds), min(contenders[name].busy_s))
            for name, seconds in walls.items()
        }
        running.close()
        loads = {
            name: load(
                contender.command(_made(folder / f"counted-{number}"), commits),
                folder / f"{number}.strace",
                warm=8,
                updates=COUNTED,
            )
            for number, (name, contender) in enumerate(present.items())
            if shutil.which("strace")
        }
    yield from _table(times, loads)
    yield ""
    yield from _ratios(times)
    yield from _disk(loads)


def _table(times: Mapping[str, Times], loads: Mapping[str, Load]) -> Iterator[str]:
    yield f"{'':34} {'fastest':>8} {'x fwsm':>7} {'median':>8} {'CPU':>8} {'syncs':>6} {'log':>8} {'database':>8}"
    for name, took in times.items():
        line = (
            f"{name:34} {took.fastest_s * 1000:5.2f} ms {took.fastest_s / times[OURS].fastest_s:7.2f}"
            f" {took.median_s * 1000:5.2f} ms {took.busy_s * 1000:5.2f} ms"
        )
        if name in loads:
            cost = loads[name]
            line += f" {cost.syncs:6.2f} {cost.log_bytes / 1000:5.1f} KB {cost.file_bytes / 1000:5.1f} KB"
        yield line


def _ratios(times: Mapping[str, Times]) -> Iterator[str]:
    ours = times[OURS].fastest_s
    by_hand, disk = times[BY_HAND], times[DISK]
    yield f"fwsm takes {ours / by_hand.fastest_s:.2f} x the time of {BY_HAND} (at most 1.5 wanted) on this disk"
    # However long syncs keep waiting, both wait for as many: it is 1.5 x where by hand it takes twice `more_s`.
    more_s = times[OURS].busy_s - by_hand.busy_s
    wait_s = (2 * more_s - by_hand.busy_s) / STATES
    yield (
        f"it is {more_s * 1000:.2f} ms of processor time more: at most 1.5 x where a sync keeps waiting for"
        f" {wait_s * 1000:.2f} ms and more; here it is {(disk.fastest_s - disk.busy_s) / STATES * 1000:.2f} ms"
    )
    for name, wanted in ((ORM_MODEL, 3), (BARE_MODEL, 3), (WORKFLOW, 10), (WORKFLOW_AS_IS, 10)):
        if name in times:
            yield f"{name} takes {times[name].fastest_s / ours:.1f} x the time of fwsm (at least {wanted} wanted)"


def _disk(loads: Mapping[str, Load]) -> Iterator[str]:
    if not loads:
        yield "syncs and bytes not counted: strace not installed"
        return
    ours, plain = loads[OURS], loads[PLAIN]
    yield f"{ours.syncs:.2f} syncs an update: {STATES} states and {ours.syncs - STATES:.2f} beside (at most 1 wanted)"
    yield (
        f"{ours.log_bytes / 1000:.1f} KB an update to the log (at most 20 wanted), "
        f"{ours.log_bytes / plain.log_bytes:.2f} of a plain log's {plain.log_bytes / 1000:.1f} KB"
    )


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
