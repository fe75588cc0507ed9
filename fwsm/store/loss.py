"""What is written down of a lost database, in the new one: a fact, an incident, and a report in line with all others.

The functions that write work inside a transaction of the caller's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, or_, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.core.twin import incident
from fwsm.store.desired import NO_STATE
from fwsm.store.history import RESTORED, write_entry
from fwsm.store.incidents import write_incident
from fwsm.store.mapping import iso, parse_iso
from fwsm.store.prepared import Prepared
from fwsm.store.tables import FACTS, HISTORY, INCIDENTS
from fwsm.store.updates import insert_update

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

__all__ = ["DAMAGED", "LOST", "Loss", "read_incident", "read_loss", "write_loss", "write_restored"]

# The codes of the incidents that the twin is told of: a database had to be set aside; it was gone.
DAMAGED: Final = "storeDamaged"
LOST: Final = "storeLost"

_NAME: Final = "lost"
_READ = Prepared(select(FACTS.c.value).where(FACTS.c.name == _NAME))
_FACT = insert(FACTS).values(name=_NAME, value=bindparam("value"))
_WRITE = Prepared(_FACT.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": _FACT.excluded.value}))
_INCIDENT = Prepared(
    select(INCIDENTS.c.code, INCIDENTS.c.at)
    .where(or_(INCIDENTS.c.code == DAMAGED, INCIDENTS.c.code == LOST))
    .order_by(INCIDENTS.c.number.desc())
    .limit(1)
)
_REPORT = Prepared(
    HISTORY.insert().values(
        update_id="",
        at=bindparam("at"),
        boot_id=bindparam("boot_id"),
        trigger=_NAME,
        state=NO_STATE,
        attempt=0,
        report=bindparam("report"),
    )
)


@dataclass(frozen=True, slots=True)
class Loss:
    """A database that was lost, and of which the new one does not know yet.

    Attributes:
        name: what it is called now that it was set aside; None if it was gone.
        update: its newest update, if that can be trusted.
    """

    name: str | None
    update: Update | None

    @property
    def code(self) -> str:
        """Of the incident that the twin is told of."""
        return LOST if self.name is None else DAMAGED

    def __str__(self) -> str:
        """What happened, for people."""
        return "the database was gone" if self.name is None else f"the database was set aside as {self.name}"


def read_loss(driver: sqlite3.Connection) -> str | None:
    """The name of the last database that was set aside and is known of; None if none ever was."""
    found = _READ.run(driver).fetchone()
    return found[0] if found else None


def read_incident(driver: sqlite3.Connection) -> tuple[str, datetime] | None:
    """Code and time of the newest incident that the twin was told of; None if there was none."""
    found = _INCIDENT.run(driver).fetchone()
    at = parse_iso(found[1]) if found else None
    return (found[0], at) if at else None


def write_loss(driver: sqlite3.Connection, loss: Loss, update: Update | None, now: Moment, message: str) -> None:
    """Know of it from now on, and let the twin be told.

    Args:
        driver: in a transaction.
        loss: what was lost.
        update: the newest update; None if nothing is known of it.
        now: the moment.
        message: what happened, for people.
    """
    if update is None:
        write_incident(driver, loss.code, message, now, None)
        _tell(driver, loss.code, now)
    else:
        write_restored(driver, update, now, loss.code, message)
    if loss.name is not None:
        _WRITE.run(driver, {"value": loss.name})


def write_restored(driver: sqlite3.Connection, update: Update, now: Moment, code: str, message: str) -> None:
    """Add an update that was known elsewhere, with the incident that made it necessary; the twin is told all of it."""
    insert_update(driver, update)
    write_incident(driver, code, message, now, update.id)
    write_entry(driver, None, update, RESTORED, now.wall, also=incident(code, now.wall))


def _tell(driver: sqlite3.Connection, code: str, now: Moment) -> None:
    report = json.dumps(incident(code, now.wall), separators=(",", ":"))
    _REPORT.run(driver, {"at": iso(now.wall), "boot_id": now.boot_id, "report": report})
