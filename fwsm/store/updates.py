"""The record of each update, one row; the newest is the one that counts, and the only one that changes.

The functions work inside a transaction of the caller's.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select

from fwsm.errors import StoreDamagedError
from fwsm.store.mapping import changed_columns, columns, update_of
from fwsm.store.prepared import Prepared, inserted
from fwsm.store.tables import UPDATES

if TYPE_CHECKING:
    import sqlite3

    from fwsm.core.update import Update

__all__ = ["change_update", "insert_update", "last_applied_update", "latest_update"]

_INSERT = inserted(UPDATES)
_NEWEST = select(func.max(UPDATES.c.number)).scalar_subquery()
_newest_first = UPDATES.c.number.desc()
_LATEST = Prepared(select(UPDATES).order_by(_newest_first).limit(1))
_LAST_APPLIED = Prepared(select(UPDATES).where(UPDATES.c.applied_at.is_not(None)).order_by(_newest_first).limit(1))


def insert_update(driver: sqlite3.Connection, update: Update) -> None:
    """Add a record; from now on it is the newest."""
    _INSERT.run(driver, columns(update))


def change_update(driver: sqlite3.Connection, before: Update, after: Update) -> None:
    """Change what differs of the newest record.

    Raises:
        StoreDamagedError: another one is the newest.
    """
    new = changed_columns(before, after)
    if new and _change(tuple(new)).run(driver, {"key": after.id, **new}).rowcount != 1:
        raise StoreDamagedError(
            f"update {after.id} is not the newest one in the database",
            why="somebody has changed the file",
            fix="The agent sets it aside; leave it alone while the agent runs",
        )


@cache
def _change(names: tuple[str, ...]) -> Prepared:
    """The change of some columns of the newest update. The ways through the lifecycle change the same few again."""
    newest = UPDATES.update().where(UPDATES.c.number == _NEWEST, UPDATES.c.id == bindparam("key"))
    return Prepared(newest.values({name: bindparam(name) for name in names}))


def latest_update(driver: sqlite3.Connection) -> Update | None:
    """The newest record; None if there is none.

    Raises:
        ValueError: a value means nothing to this program.
    """
    return _first(_LATEST, driver)


def last_applied_update(driver: sqlite3.Connection) -> Update | None:
    """The newest record of an update that was applied; None if none ever was.

    Raises:
        ValueError: a value means nothing to this program.
    """
    return _first(_LAST_APPLIED, driver)


def _first(statement: Prepared, driver: sqlite3.Connection) -> Update | None:
    rows = statement.rows(driver)
    return update_of(rows[0]) if rows else None
