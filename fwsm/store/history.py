"""One row for each entry into a state, with what it changes on the twin: what happened, and what is to be told.

The functions work inside a transaction of the caller's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select

from fwsm.core.twin import changed
from fwsm.core.update import State
from fwsm.store.desired import NO_STATE
from fwsm.store.mapping import iso, parse_iso
from fwsm.store.prepared import Prepared, inserted
from fwsm.store.tables import HISTORY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from fwsm.core.update import Update

__all__ = ["ACCEPTED", "RESTORED", "HistoryRow", "history_row", "read_history", "write_entry"]

# The trigger of an update's first history row. It is no row of the table: before it there is no update.
ACCEPTED: Final = "accepted"
# And that of the first row in a database that has lost what was before.
RESTORED: Final = "restored"


_written: Final = json.JSONEncoder(separators=(",", ":")).encode
_WRITE = inserted(HISTORY)
_READ = Prepared(
    select(HISTORY).where(HISTORY.c.state != NO_STATE).order_by(HISTORY.c.number.desc()).limit(bindparam("limit"))
)
_READ_OF_ONE = Prepared(
    select(HISTORY)
    .where(HISTORY.c.update_id == bindparam("update_id"))
    .order_by(HISTORY.c.number.desc())
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One entry into a state.

    Attributes:
        number: counts up, never reused.
        update_id: whose entry.
        at: UTC wall time.
        boot_id: the boot it happened in.
        trigger: what led there; "accepted" for a new update.
        source: the state before; None for a new update.
        state: the state entered.
        attempt: the try, counted from 1.
        failure_code: what had gone wrong; None if nothing.
    """

    number: int
    update_id: str
    at: datetime
    boot_id: str
    trigger: str
    source: State | None
    state: State
    attempt: int
    failure_code: str | None


def write_entry(
    driver: sqlite3.Connection,
    before: Update | None,
    after: Update,
    trigger: str,
    at: datetime,
    *,
    also: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Add a row.

    Args:
        driver: in a transaction.
        before: the record in the state that is left; None if there is none.
        after: the record in the state that is entered.
        trigger: what led there.
        at: UTC wall time.
        also: what the twin is told beside the change of the record.
    """
    row = {
        "update_id": after.id,
        "at": iso(at),
        "boot_id": after.boot_id,
        "trigger": trigger,
        "source": before.state.value if before else None,
        "state": after.state.value,
        "attempt": after.attempt,
        "failure_code": after.failure.code if after.failure else None,
        "report": _written({**changed(before, after), **also}),
    }
    _WRITE.run(driver, row)


def read_history(driver: sqlite3.Connection, update_id: str | None, limit: int) -> list[dict[str, Any]]:
    """The newest `limit` rows, of one update or of all, oldest first; `history_row` says what each stands for."""
    statement = _READ if update_id is None else _READ_OF_ONE
    values: dict[str, Any] = {"limit": limit} if update_id is None else {"limit": limit, "update_id": update_id}
    return statement.rows(driver, values)[::-1]


def history_row(row: Mapping[str, Any]) -> HistoryRow:
    """The entry that a row of `history` stands for.

    Raises:
        ValueError: no program of this kind has such a state.
    """
    at = parse_iso(row["at"])
    assert at is not None  # noqa: S101  # the column is NOT NULL
    return HistoryRow(
        number=row["number"],
        update_id=row["update_id"],
        at=at,
        boot_id=row["boot_id"],
        trigger=row["trigger"],
        source=State.named(row["source"]) if row["source"] else None,
        state=State.named(row["state"]),
        attempt=row["attempt"],
        failure_code=row["failure_code"],
    )
