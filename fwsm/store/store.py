"""The agent's side of the database.

Each change is one transaction that holds the record, its counters, and a history row with what the twin is to be told.
When a method here returns, that is on disk; when it raises, nothing of it is.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Self

from sqlalchemy import bindparam, func, select

from fwsm.core.twin import changed
from fwsm.core.update import State
from fwsm.errors import StoreError
from fwsm.store.desired import NO_STATE, read_acknowledgement, write_acknowledgement
from fwsm.store.engine import connect, translated
from fwsm.store.lock import Lock
from fwsm.store.mapping import columns, iso, parse_iso, understood, update_of
from fwsm.store.outbox import Outbox
from fwsm.store.prepared import Prepared, driver_of, inserted, writing
from fwsm.store.schema import check, prepare
from fwsm.store.tables import HISTORY, INCIDENTS, UPDATES

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

__all__ = ["ACCEPTED", "HistoryRow", "Incident", "Store"]

# The trigger of an update's first history row. It is no row of the table: before it there is no update.
ACCEPTED: Final = "accepted"

_INSERT = inserted(UPDATES)
_NEWEST = select(func.max(UPDATES.c.number)).scalar_subquery()
_NOTE = inserted(HISTORY)
_INCIDENT = inserted(INCIDENTS)
_INCIDENTS = Prepared(select(INCIDENTS).order_by(INCIDENTS.c.number.desc()).limit(bindparam("limit")))
_OLD_INCIDENTS = Prepared(
    INCIDENTS.delete().where(
        INCIDENTS.c.number <= select(func.max(INCIDENTS.c.number)).scalar_subquery() - bindparam("kept")
    )
)
_LATEST = Prepared(select(UPDATES).order_by(UPDATES.c.number.desc()).limit(1))
_HISTORY = Prepared(
    select(HISTORY).where(HISTORY.c.state != NO_STATE).order_by(HISTORY.c.number.desc()).limit(bindparam("limit"))
)
_HISTORY_OF_ONE = Prepared(
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


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that went wrong beside the update.

    Attributes:
        number: counts up, never reused.
        at: UTC wall time.
        boot_id: the boot it happened in.
        update_id: the update that was under way; None if none was.
        code: short and stable, for programs.
        message: for people.
    """

    number: int
    at: datetime
    boot_id: str
    update_id: str | None
    code: str
    message: str


# So many are kept: enough to see what keeps happening, and never a full disk.
_KEPT_INCIDENTS: Final = 200
_LONGEST_MESSAGE: Final = 4000


class Store:
    """The database of one device, held open.

    Args:
        directory: the state directory; made with mode 0700 if it is missing.
        read_only: look without taking the lock, as `fwsm device status` does beside a running agent.

    Raises:
        StoreLockedError: another agent works on this directory.
        StoreError: the database cannot be used; the message says why.
    """

    def __init__(self, directory: Path, *, read_only: bool = False) -> None:
        self.path = directory / "fwsm.db"
        self._lock: Lock | None = None
        if read_only:
            if not self.path.is_file():
                raise StoreError(
                    f"there is no database in {directory}",
                    fix="Check the state directory, or start the agent once: fwsm device run",
                )
        else:
            with translated(f"cannot make the state directory {directory}"):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = Lock(directory / "lock")
        try:
            self._connection: Connection = connect(self.path)
            if read_only:
                check(self._connection)
            else:
                prepare(self._connection)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database and the lock; harmless the second time."""
        connection = getattr(self, "_connection", None)
        if connection is not None and not connection.closed:
            connection.close()
        if self._lock is not None:
            self._lock.release()

    def outbox(self) -> Outbox:
        """The reporter's side, on a connection of its own."""
        return Outbox(self.path)

    def accept(
        self,
        update: Update,
        now: Moment,
        *,
        superseding: Entry | None = None,
        acknowledging: Acknowledgement | None = None,
    ) -> None:
        """Take a new update, and end the one it supersedes, in one transaction.

        Args:
            update: the new one.
            now: the moment.
            superseding: the end of the one before it.
            acknowledging: what is said of the desired property with it.
        """
        with writing(self._connection, "cannot store the new update") as driver:
            if superseding is not None:
                _advance(driver, superseding)
            _INSERT.run(driver, columns(update))
            _enter(driver, None, update, ACCEPTED, now.wall)
            if acknowledging is not None:
                write_acknowledgement(driver, acknowledging, now)

    def advance(self, entry: Entry, *, acknowledging: Acknowledgement | None = None) -> None:
        """Keep an entry into a state, and what is said of the desired property with it, in one transaction."""
        with writing(self._connection, f"cannot store the state '{entry.after.state}'") as driver:
            _advance(driver, entry)
            if acknowledging is not None:
                write_acknowledgement(driver, acknowledging, entry.facts.now)

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep what was done about the desired property where that changed no update; the twin is told."""
        with writing(self._connection, "cannot store the acknowledgement of the desired property") as driver:
            write_acknowledgement(driver, acknowledgement, now)

    def acknowledged(self) -> Acknowledgement | None:
        """What was last done about the desired property; None if nothing ever was."""
        with translated("cannot read what was done about the desired property"):
            return read_acknowledgement(driver_of(self._connection))

    def latest(self) -> Update | None:
        """The newest update, settled or not; None on a device that never had one."""
        with translated("cannot read the update"):
            rows = _LATEST.rows(driver_of(self._connection))
        with understood("the newest update"):
            return update_of(rows[0]) if rows else None

    def history(self, update_id: str | None = None, *, limit: int = 1000) -> list[HistoryRow]:
        """The newest `limit` entries, of one update or of all, oldest first."""
        statement = _HISTORY if update_id is None else _HISTORY_OF_ONE
        values: dict[str, Any] = {"limit": limit} if update_id is None else {"limit": limit, "update_id": update_id}
        with translated("cannot read the history"):
            rows = statement.rows(driver_of(self._connection), values)
        with understood("the history"):
            return [_history_row(row) for row in reversed(rows)]

    def note(self, code: str, message: str, now: Moment, update_id: str | None = None) -> None:
        """Keep that something went wrong beside the update; the oldest of many are forgotten.

        Args:
            code: short and stable, for programs.
            message: for people; cut off if it is very long.
            now: the moment.
            update_id: the update that it happened to, if to one.
        """
        row = {
            "at": iso(now.wall),
            "boot_id": now.boot_id,
            "update_id": update_id,
            "code": code,
            "message": message[:_LONGEST_MESSAGE].encode(errors="replace").decode(),
        }
        with writing(self._connection, "cannot store what went wrong") as driver:
            _INCIDENT.run(driver, row)
            _OLD_INCIDENTS.run(driver, {"kept": _KEPT_INCIDENTS})

    def incidents(self, *, limit: int = _KEPT_INCIDENTS) -> list[Incident]:
        """The newest `limit` things that went wrong beside updates, oldest first."""
        with translated("cannot read what went wrong"):
            rows = _INCIDENTS.rows(driver_of(self._connection), {"limit": limit})
        with understood("what went wrong"):
            return [Incident(**{**row, "at": parse_iso(row["at"])}) for row in reversed(rows)]


@cache
def _advanced(names: tuple[str, ...]) -> Prepared:
    """The change of some columns of the newest update. The ways through the lifecycle change the same few again."""
    newest = UPDATES.update().where(UPDATES.c.number == _NEWEST, UPDATES.c.id == bindparam("key"))
    return Prepared(newest.values({name: bindparam(name) for name in names}))


def _advance(driver: sqlite3.Connection, entry: Entry) -> None:
    before, after = columns(entry.before), columns(entry.after)
    new = {name: value for name, value in after.items() if value != before[name]}
    if new and _advanced(tuple(new)).run(driver, {"key": entry.after.id, **new}).rowcount != 1:
        raise sqlite3.DatabaseError(f"update {entry.after.id} is not the newest one in the database")
    _enter(driver, entry.before, entry.after, entry.row.trigger.value, entry.facts.now.wall)


def _enter(driver: sqlite3.Connection, before: Update | None, after: Update, trigger: str, at: datetime) -> None:
    row = {
        "update_id": after.id,
        "at": iso(at),
        "boot_id": after.boot_id,
        "trigger": trigger,
        "source": before.state.value if before else None,
        "state": after.state.value,
        "attempt": after.attempt,
        "failure_code": after.failure.code if after.failure else None,
        "report": json.dumps(changed(before, after), separators=(",", ":")),
    }
    _NOTE.run(driver, row)


def _history_row(row: dict[str, Any]) -> HistoryRow:
    at = parse_iso(row["at"])
    assert at is not None  # noqa: S101  # the column is NOT NULL
    return HistoryRow(
        number=row["number"],
        update_id=row["update_id"],
        at=at,
        boot_id=row["boot_id"],
        trigger=row["trigger"],
        source=State(row["source"]) if row["source"] else None,
        state=State(row["state"]),
        attempt=row["attempt"],
        failure_code=row["failure_code"],
    )
