"""What must hold of a history whatever has happened, read off its rows. None of it asks the code under test."""

from __future__ import annotations

from itertools import groupby, pairwise, takewhile
from typing import TYPE_CHECKING

from fwsm.core.update import State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from fwsm.core.lifecycle import Row
    from fwsm.core.update import Limits, Update
    from fwsm.store import HistoryRow

SETTLED = {State.DOWNLOAD_FAILED, State.APPLY_COMPLETE, State.APPLY_FAILED}
INTERRUPTIBLE = {State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE}


def faults_of(rows: Sequence[HistoryRow], table: Iterable[Row], limits: Limits, newest: Update | None) -> list[str]:
    """What is wrong with a history, in words.

    Args:
        rows: all of it, oldest first.
        table: the lifecycle.
        limits: where it breaks loops.
        newest: the newest update as the agent has it.
    """
    each = {name: [row for row in rows if row.update_id == name] for name in dict.fromkeys(r.update_id for r in rows)}
    found = [*_order(rows, each), *_newest(rows, newest)]
    known = {(row.trigger.value, row.source, row.target) for row in table}
    for name, its in each.items():
        found += [f"{name}: {fault}" for fault in (*_path(its, known), *_loops(its, limits))]
    if newest is not None:
        found += _counts(each.get(newest.id, []), newest, limits)
    return found


def _order(rows: Sequence[HistoryRow], each: dict[str, list[HistoryRow]]) -> Iterator[str]:
    """One update is open at a time, and it is the newest."""
    open_ones = [name for name, its in each.items() if its[-1].state not in SETTLED]
    if len(open_ones) > 1:
        yield f"several updates are open: {open_ones}"
    if open_ones and open_ones[0] != list(each)[-1]:
        yield f"{open_ones[0]} is open, and is not the newest"
    numbers = [row.number for row in rows]
    if numbers != sorted(set(numbers)):
        yield "numbers are used twice"


def _newest(rows: Sequence[HistoryRow], newest: Update | None) -> Iterator[str]:
    """What is in memory is what is on disk."""
    stored = (rows[-1].update_id, rows[-1].state, rows[-1].attempt) if rows else None
    known = (newest.id, newest.state, newest.attempt) if newest else None
    if stored != known:
        yield f"the agent has {known}, and the disk {stored}"


def _path(rows: Sequence[HistoryRow], known: set[tuple[str, State, State | None]]) -> Iterator[str]:
    """The rows are a way through the table, which begins with the acceptance."""
    if (rows[0].trigger, rows[0].source, rows[0].state) != ("accepted", None, State.WAITING):
        yield f"it begins with {rows[0]}"
    for before, after in pairwise(rows):
        if after.source is not before.state:
            yield f"{before.state} is followed by an entry from {after.source}"
        if after.source is None or (after.trigger, after.source, after.state) not in known:
            yield f"no row leads by {after.trigger} from {after.source} to {after.state}"
        if after.trigger in {"cancelled", "superseded"} and after.source not in INTERRUPTIBLE:
            yield f"it was {after.trigger} in {after.source}, behind the point of no return"
        if after.failure_code == "bootFellBack" and after.source is State.REBOOTING and after.boot_id == before.boot_id:
            yield "it fell back without a boot"
        if after.state is State.DOWNLOAD_FAILED and after.source not in INTERRUPTIBLE:
            yield f"it went from {after.source} to {after.state}"


def _loops(rows: Sequence[HistoryRow], limits: Limits) -> Iterator[str]:
    """No state is entered more often in a row than the limits allow. A download may go on as long as it progresses."""
    if any(row.attempt > limits.attempts for row in rows):
        yield "it tries too often"
    for state, stay in groupby(rows, key=lambda row: row.state):
        if state.status != "applying":
            continue
        triggers = [row.trigger for row in stay][1:]
        if triggers.count("restarted") > (limits.reboots if state is State.REBOOTING else limits.restarts):
            yield f"the process comes back to {state} too often"
        if sum(trigger.endswith(("failed", "overdue")) for trigger in triggers) >= limits.attempts + limits.reboots:
            yield f"{state} is tried too often"


def _counts(rows: Sequence[HistoryRow], newest: Update, limits: Limits) -> Iterator[str]:
    """The counters of the record are those of its history."""
    if newest.resumed != sum(row.trigger == "restarted" for row in rows):
        yield f"it came back {newest.resumed} times by its own count"
    stay = takewhile(lambda row: row.state is newest.state, reversed(rows))
    restarts = sum(row.trigger == "restarted" for row in stay)
    if newest.state is not State.DOWNLOADING and newest.restarts != restarts:  # there, progress lets it start again
        yield f"it came back to {newest.state} {restarts} times, and {newest.restarts} by its own count"
    bounded = State.DOWNLOADING, State.INSTALLING, State.CONFIRMING, State.ROLLING_BACK
    if newest.state in bounded and newest.restarts > limits.restarts:
        yield f"{newest.restarts} restarts in {newest.state}"
    if newest.reboots > limits.reboots + 1:
        yield f"{newest.reboots} reboots"
    if newest.damages > limits.damages:
        yield f"{newest.damages} damages"
