"""What is written down of a lost database, in the new one: a fact, an incident, and a report in line with all others.

The functions that write work inside a transaction of the caller's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.core.twin import incident
from fwsm.store.desired import NO_STATE
from fwsm.store.mapping import iso
from fwsm.store.prepared import Prepared
from fwsm.store.tables import FACTS, HISTORY

if TYPE_CHECKING:
    import sqlite3

    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

__all__ = ["DAMAGED", "Loss", "read_loss", "tell_loss", "write_loss"]

# The code of the incident that a database had to be set aside.
DAMAGED: Final = "storeDamaged"

_NAME: Final = "lost"
_READ = Prepared(select(FACTS.c.value).where(FACTS.c.name == _NAME))
_FACT = insert(FACTS).values(name=_NAME, value=bindparam("value"))
_WRITE = Prepared(_FACT.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": _FACT.excluded.value}))
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
    """A database that was set aside, and of which the new one does not know yet.

    Attributes:
        name: what it is called now.
        update: its newest update, if that can be trusted.
    """

    name: str
    update: Update | None


def read_loss(driver: sqlite3.Connection) -> str | None:
    """The name of the last database that was set aside and is known of; None if none ever was."""
    found = _READ.run(driver).fetchone()
    return found[0] if found else None


def write_loss(driver: sqlite3.Connection, loss: Loss) -> None:
    """Know of it from now on."""
    _WRITE.run(driver, {"value": loss.name})


def tell_loss(driver: sqlite3.Connection, now: Moment) -> None:
    """Let the twin be told."""
    report = json.dumps(incident(DAMAGED, now.wall), separators=(",", ":"))
    _REPORT.run(driver, {"at": iso(now.wall), "boot_id": now.boot_id, "report": report})
