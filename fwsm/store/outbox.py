"""The reporter's side of the database: the history is the outbox.

The hub has been told everything up to a cursor. What lies behind it is sent in order. The cursor moves after the hub
has acknowledged, so a crash in between sends a report twice, which a twin does not notice; it never loses one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, cast, func, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.core.twin import section, wrapped
from fwsm.store.desired import read_acknowledgement
from fwsm.store.engine import connect, translated
from fwsm.store.mapping import understood, update_of
from fwsm.store.prepared import Prepared, driver_of, writing
from fwsm.store.tables import FACTS, HISTORY, UPDATES

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Outbox", "Report"]

_CURSOR = "reported"
_TOLD = select(cast(FACTS.c.value, Integer)).where(FACTS.c.name == _CURSOR).scalar_subquery()
_SAID = insert(FACTS).values(name=_CURSOR, value=bindparam("number"))
_MOVE_CURSOR = Prepared(
    _SAID.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": _SAID.excluded.value})
)
_PENDING = Prepared(
    select(HISTORY.c.number, HISTORY.c.update_id, HISTORY.c.report)
    .where(HISTORY.c.number > func.coalesce(_TOLD, 0))
    .order_by(HISTORY.c.number)
    .limit(bindparam("limit"))
)
_NEWEST = Prepared(select(UPDATES).order_by(UPDATES.c.number.desc()).limit(1))
_LAST_APPLIED = Prepared(
    select(UPDATES).where(UPDATES.c.applied_at.is_not(None)).order_by(UPDATES.c.number.desc()).limit(1)
)


@dataclass(frozen=True, slots=True)
class Report:
    """A patch of the reported properties that the hub has not acknowledged.

    Attributes:
        number: the history row it belongs to.
        update_id: the update it tells of; empty if of none.
        patch: what to merge into the reported properties.
    """

    number: int
    update_id: str
    patch: dict[str, Any]


class Outbox:
    """Reports in the order in which they happened. For one thread, beside the agent's."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, synchronous="NORMAL")

    def pending(self, limit: int = 64) -> list[Report]:
        """The oldest unacknowledged reports, at most `limit`."""
        with translated("cannot read the reports"):
            rows = _PENDING.rows(driver_of(self._connection), {"limit": limit})
        return [Report(row["number"], row["update_id"], wrapped(json.loads(row["report"]))) for row in rows]

    def section(self) -> dict[str, Any] | None:
        """All that the twin shows once nothing is pending; None on a device that has nothing to say.

        None stands for what is not to be there.
        """
        with translated("cannot read what the twin should show"):
            driver = driver_of(self._connection)
            newest, applied = _NEWEST.rows(driver), _LAST_APPLIED.rows(driver)
            acknowledgement = read_acknowledgement(driver)
        if not newest:
            return None
        with understood("the newest update"):
            shown = section(update_of(newest[0]))
            if applied:
                shown["lastFirmwareUpdate"] = section(update_of(applied[0]))["lastFirmwareUpdate"]
        return shown | (acknowledgement.patch() if acknowledgement else {})

    def acknowledge(self, number: int) -> None:
        """Note that the hub has everything up to this report."""
        with writing(self._connection, "cannot store what was reported") as driver:
            _MOVE_CURSOR.run(driver, {"number": str(number)})

    def close(self) -> None:
        """Let go of the connection; harmless the second time."""
        self._connection.close()
