"""What was last done about the desired property, on disk: a fact, and a report in line with all others.

Both functions work inside a transaction of the caller's, together with what was done.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.core.desired import Acknowledgement
from fwsm.store.mapping import iso
from fwsm.store.prepared import Prepared
from fwsm.store.tables import FACTS, HISTORY

if TYPE_CHECKING:
    import sqlite3

    from fwsm.core.moment import Moment

__all__ = ["NO_STATE", "read_acknowledgement", "write_acknowledgement"]

NO_STATE: Final = ""
"""The state of a history row that is a report and no entry into a state."""

_NAME: Final = "desired"
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


def read_acknowledgement(driver: sqlite3.Connection) -> Acknowledgement | None:
    """The newest; None if nothing was ever done."""
    found = _READ.run(driver).fetchone()
    return Acknowledgement(**json.loads(found[0])) if found else None


def write_acknowledgement(driver: sqlite3.Connection, acknowledgement: Acknowledgement, now: Moment) -> None:
    """Keep it, and let the twin be told."""
    _WRITE.run(driver, {"value": json.dumps(asdict(acknowledgement))})
    report = json.dumps(acknowledgement.patch(), separators=(",", ":"))
    _REPORT.run(driver, {"at": iso(now.wall), "boot_id": now.boot_id, "report": report})
