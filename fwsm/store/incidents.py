"""What went wrong beside the update, for people who look for the reason. The newest are kept.

The functions work inside a transaction of the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select

from fwsm.store.mapping import iso, parse_iso
from fwsm.store.prepared import Prepared, inserted
from fwsm.store.tables import INCIDENTS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from datetime import datetime

    from fwsm.core.moment import Moment

__all__ = ["KEPT", "Incident", "incident_of", "read_incidents", "write_incident"]

# So many are kept: enough to see what keeps happening, and never a full disk.
KEPT: Final = 200
_LONGEST_MESSAGE: Final = 4000

_WRITE = inserted(INCIDENTS)
_READ = Prepared(select(INCIDENTS).order_by(INCIDENTS.c.number.desc()).limit(bindparam("limit")))
_FORGET = Prepared(
    INCIDENTS.delete().where(
        INCIDENTS.c.number <= select(func.max(INCIDENTS.c.number)).scalar_subquery() - bindparam("kept")
    )
)


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


def write_incident(driver: sqlite3.Connection, code: str, message: str, now: Moment, update_id: str | None) -> None:
    """Keep one; the oldest of many are forgotten, and a very long message is cut off."""
    row = {
        "at": iso(now.wall),
        "boot_id": now.boot_id,
        "update_id": update_id,
        "code": code,
        "message": message[:_LONGEST_MESSAGE].encode(errors="replace").decode(),
    }
    _WRITE.run(driver, row)
    _FORGET.run(driver, {"kept": KEPT})


def read_incidents(driver: sqlite3.Connection, limit: int) -> list[dict[str, Any]]:
    """The newest `limit` rows, oldest first; `incident_of` says what each stands for."""
    return _READ.rows(driver, {"limit": limit})[::-1]


def incident_of(row: Mapping[str, Any]) -> Incident:
    """What a row of `incidents` stands for.

    Raises:
        ValueError: its time is none.
    """
    return Incident(**{**row, "at": parse_iso(row["at"])})
