"""The way of an update through seven durable states, and what the real store writes on it."""

from __future__ import annotations

import sqlite3
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import Artifact, Progress, Request, State, Update
from fwsm.store import Store
from fwsm.store.mapping import changed_columns, columns
from fwsm.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment

_BYTES = 64 * 1024 * 1024
_DIGEST = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
_REQUEST = Request("https://images.example/meter/firmware-2.4.1.img", _DIGEST, "2.4.1")
_WAY: tuple[tuple[Trigger, dict[str, Any]], ...] = (
    (Trigger.POLICY_ALLOWED, {}),
    (Trigger.DOWNLOAD_VERIFIED, {"progress": Progress(_BYTES, _BYTES), "artifact": Artifact(_DIGEST, _BYTES)}),
    (Trigger.POLICY_ALLOWED, {"target_slot": "b"}),
    (Trigger.INSTALLED, {"reboot_required": True}),
    (Trigger.RESTARTED, {"target_runs": True}),
    (Trigger.HEALTH_CONFIRMED, {}),
)
STATES = 1 + len(_WAY)


class Walk:
    """Updates that go all the way, one after the other.

    Args:
        accept: keeps a new update.
        lifecycle: keeps every further entry.
    """

    def __init__(self, accept: Callable[[Update, Moment], object], lifecycle: Lifecycle) -> None:
        self._accept = accept
        self._lifecycle = lifecycle
        self._clock = FakeClock()

    def __call__(self) -> None:
        """Take one update, and lead it through all seven states."""
        now = self._clock.now()
        update = Update(
            id=f"{uuid.uuid4()}",
            request=_REQUEST,
            state=State.WAITING,
            boot_id=now.boot_id,
            started_waiting_at=now.wall,
        )
        self._accept(update, now)
        for trigger, known in _WAY:
            self._clock.wall += timedelta(seconds=7.25)
            if trigger is Trigger.RESTARTED:
                self._clock.reboot(f"{uuid.uuid4()}")
            update = self._lifecycle.fire(update, trigger, Facts(now=self._clock.now(), **known))


def recorded(directory: Path) -> dict[str, Any]:
    """What one update makes the store write, for others to write the same.

    Returns:
        `schema`: the statements that make the tables. `commits`: of each, `row`, the columns of the update that it
        sets, and `history`, the columns of the row that it adds; the report is one of them.
    """
    rows: list[dict[str, Any]] = []

    def accepted(update: Update, now: Moment) -> None:
        store.accept(update, now)
        rows.append(columns(update))

    def entered(entry: Entry) -> None:
        rows.append(changed_columns(entry.before, entry.after))

    with Store(directory) as store:
        Walk(accepted, Lifecycle([store.advance, entered]))()
        driver = sqlite3.connect(store.path)
        driver.row_factory = sqlite3.Row
        history = [dict(row) for row in driver.execute("SELECT * FROM history ORDER BY number")]
        tables = driver.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
        schema = [row["sql"] for row in tables]
        driver.close()
    for entry in history:
        del entry["number"]
    return {"schema": schema, "commits": [{"row": r, "history": h} for r, h in zip(rows, history, strict=True)]}
