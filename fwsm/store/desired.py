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
from fwsm.core.twin import wrapped
from fwsm.store.mapping import iso
from fwsm.store.tables import FACTS, HISTORY

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from fwsm.core.moment import Moment

__all__ = ["NO_STATE", "read_acknowledgement", "write_acknowledgement"]

NO_STATE: Final = ""
"""The state of a history row that is a report and no entry into a state."""

_NAME: Final = "desired"
_READ = select(FACTS.c.value).where(FACTS.c.name == _NAME)
_WRITE = insert(FACTS).values(name=_NAME, value=bindparam("value"))
_WRITE = _WRITE.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": _WRITE.excluded.value})
_REPORT = HISTORY.insert().values(update_id="", trigger=_NAME, state=NO_STATE, attempt=0)


def read_acknowledgement(connection: Connection) -> Acknowledgement | None:
    """The newest; None if nothing was ever done."""
    value = connection.execute(_READ).scalar()
    return Acknowledgement(**json.loads(value)) if value else None


def write_acknowledgement(connection: Connection, acknowledgement: Acknowledgement, now: Moment) -> None:
    """Keep it, and let the twin be told."""
    connection.execute(_WRITE, {"value": json.dumps(asdict(acknowledgement))})
    report = json.dumps(wrapped(acknowledgement.patch()), separators=(",", ":"))
    connection.execute(_REPORT, {"at": iso(now.wall), "boot_id": now.boot_id, "report": report})
