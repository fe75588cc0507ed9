"""All that a database says of one update, read at one moment.

For people who want to see what became of it: beside a running agent, from a copy, or from a file that was set aside.
Nothing is changed and nobody is kept waiting.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select

from fwsm.errors import ConfigError, StoreDamagedError, StoreError
from fwsm.store.engine import look
from fwsm.store.history import HistoryRow, history_row
from fwsm.store.incidents import Incident, incident_of
from fwsm.store.mapping import understood, update_of
from fwsm.store.outbox import TOLD
from fwsm.store.prepared import Prepared, reading
from fwsm.store.schema import check
from fwsm.store.tables import HISTORY, INCIDENTS, UPDATES

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

    from fwsm.core.update import Update

__all__ = ["Logbook", "read_logbook"]

_KNOWN: Final = Prepared(select(UPDATES.c.number, UPDATES.c.id).order_by(UPDATES.c.number.desc()))
_ONE: Final = Prepared(select(UPDATES).where(UPDATES.c.number == bindparam("number")))
_ROWS: Final = Prepared(select(HISTORY).where(HISTORY.c.update_id == bindparam("update_id")).order_by(HISTORY.c.number))
_INCIDENTS: Final = Prepared(
    select(INCIDENTS).where(INCIDENTS.c.update_id == bindparam("update_id")).order_by(INCIDENTS.c.number)
)
_TOLD: Final = Prepared(select(func.coalesce(TOLD, 0)))
_NAMED: Final = 5  # so many ids are named in a message


@dataclass(frozen=True, slots=True)
class Logbook:
    """What a database says of one update.

    Attributes:
        update: the record as it stands.
        rows: its entries into states, oldest first. The oldest ones may have been pruned.
        incidents: what went wrong beside it, oldest first.
        told: the number of the last entry whose report the hub has acknowledged; 0 if it has none.
    """

    update: Update
    rows: tuple[HistoryRow, ...]
    incidents: tuple[Incident, ...]
    told: int


def read_logbook(path: Path, update_id: str | None = None) -> Logbook:
    """Read what is known of one update.

    Args:
        path: the database.
        update_id: the update, or the beginning of its id; None for the newest.

    Raises:
        StoreError: the file is not there, is no database of a device, or cannot be read.
        ConfigError: there is no such update, or there are several.
    """
    if path.is_dir():
        raise StoreError(f"{path} is a directory", fix=f"Name the database in it: {path / 'fwsm.db'}")
    if not path.exists():
        raise StoreError(f"there is no database {path}", fix="Name the file fwsm.db of the device's state directory")
    with _foreign_named(path):
        connection = look(path)
    with closing(connection):
        check(connection)
        with reading(connection, f"cannot read {path}") as driver, _one_moment(driver), understood("an update"):
            return _logbook(driver, update_id)


def _logbook(driver: sqlite3.Connection, update_id: str | None) -> Logbook:
    (row,) = _ONE.rows(driver, {"number": _number(driver, update_id)})
    update = update_of(row)
    of_it = {"update_id": update.id}
    return Logbook(
        update=update,
        rows=tuple(history_row(row) for row in _ROWS.rows(driver, of_it)),
        incidents=tuple(incident_of(row) for row in _INCIDENTS.rows(driver, of_it)),
        told=_TOLD.run(driver).fetchone()[0],
    )


def _number(driver: sqlite3.Connection, update_id: str | None) -> int:
    """The number of the newest update with this id, or of the only one whose id begins so."""
    known = {row["id"]: int(row["number"]) for row in reversed(_KNOWN.rows(driver))}
    if not known:
        raise ConfigError("this device has had no update yet", fix="Start one, then look again")
    if update_id is None:
        return max(known.values())
    if update_id in known:
        return known[update_id]
    found = [name for name in known if name.startswith(update_id)]
    if len(found) == 1:
        return known[found[0]]
    newest = ", ".join(list(reversed(found or list(known)))[:_NAMED])
    if found:
        raise ConfigError(f"{len(found)} updates begin with '{update_id}'", why=newest, fix="Give more of the id")
    raise ConfigError(f"there is no update '{update_id}'", why=f"the newest are: {newest}", fix="Name one of these")


@contextmanager
def _one_moment(driver: sqlite3.Connection) -> Iterator[None]:
    """Let all that is read be of one moment, while an agent goes on writing."""
    driver.execute("BEGIN")
    try:
        yield
    finally:
        driver.rollback()


@contextmanager
def _foreign_named(path: Path) -> Iterator[None]:
    """What is no database here is somebody's slip, and nothing that an agent would have to mend."""
    try:
        yield
    except StoreDamagedError as error:
        raise StoreDamagedError(
            f"{path} is no database that can be read",
            why=error.why,
            fix="Name the file fwsm.db of the device's state directory",
        ) from error
