"""A whole durable update against raw `sqlite3` doing the same commits."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from timing import interleaved

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import Request, State, Update
from fwsm.store import Store
from fwsm.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 60
WAY = (
    (Trigger.POLICY_ALLOWED, {}),
    (Trigger.DOWNLOAD_VERIFIED, {}),
    (Trigger.POLICY_ALLOWED, {}),
    (Trigger.INSTALLED, {"reboot_required": True}),
    (Trigger.RESTARTED, {"target_runs": True}),
    (Trigger.HEALTH_CONFIRMED, {}),
)


def run() -> Iterator[str]:
    """Seven durable states (accepted, then six transitions), the report of each in the same commit."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder, Store(Path(folder) / "ours") as store:
        ours, raw = _Ours(store), _Raw(Path(folder) / "raw.db")
        written_before = _written_bytes()
        ours()
        written = _written_bytes() - written_before
        medians = interleaved({"fwsm": ours, "raw sqlite3": raw}, ROUNDS)
        raw.close()
    for name, seconds in medians.items():
        yield f"{name:12} {seconds * 1000:7.2f} ms an update, {7 / seconds:6.0f} durable states a second"
    yield f"ratio        {medians['fwsm'] / medians['raw sqlite3']:.2f} x raw sqlite3 (WAL, synchronous=FULL)"
    if written:
        yield f"written      {written / 1024:.1f} KiB by our process for one update (write calls, checkpoint included)"


class _Ours:
    """The real store and the real machine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clock = FakeClock()
        self._lifecycle = Lifecycle([store.advance])
        self._number = 0

    def __call__(self) -> None:
        self._number += 1
        now = self._clock.now()
        request = Request("https://images.example/fw.img")
        update = Update(
            id=f"u{self._number}", request=request, state=State.WAITING, boot_id="b", started_waiting_at=now.wall
        )
        self._store.accept(update, now)
        for trigger, known in WAY:
            if trigger is Trigger.RESTARTED:
                self._clock.reboot(f"reboot-{self._number}")
            update = self._lifecycle.fire(update, trigger, Facts(now=self._clock.now(), **known))


class _Raw:
    """The same commits by hand: one row changed and one added in each, with reports of the same size."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("page_size=1024", "journal_mode=WAL", "synchronous=FULL", "wal_autocheckpoint=256"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE updates (number INTEGER PRIMARY KEY, id TEXT UNIQUE, record TEXT)")
        self._connection.execute("CREATE TABLE history (number INTEGER PRIMARY KEY AUTOINCREMENT, report TEXT)")
        self._number = 0

    def __call__(self) -> None:
        self._number += 1
        record = "r" * 260
        self._commit("INSERT INTO updates (id, record) VALUES (?, ?)", (f"u{self._number}", record), "f" * 420)
        for _ in WAY:
            self._commit("UPDATE updates SET record = ? WHERE id = ?", (record, f"u{self._number}"), "p" * 150)

    def _commit(self, statement: str, values: tuple[str, str], report: str) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.execute(statement, values)
        self._connection.execute("INSERT INTO history (report) VALUES (?)", (report,))
        self._connection.execute("COMMIT")

    def close(self) -> None:
        self._connection.close()


def _written_bytes() -> int:
    """What this process has passed to write calls on files, by the kernel's account; 0 where it keeps none."""
    try:
        for line in Path(f"/proc/{os.getpid()}/io").read_text().splitlines():
            if line.startswith("wchar"):
                return int(line.split(":")[1])
    except OSError:
        pass
    return 0
