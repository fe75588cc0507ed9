"""The reporter's side of the database: the history is the outbox.

The hub has been told everything up to a cursor. What lies behind it is sent in order. The cursor moves after the hub
has acknowledged, so a crash in between sends a report twice, which a twin does not notice; it never loses one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.store.engine import connect, transaction
from fwsm.store.tables import FACTS, HISTORY

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Outbox", "Report"]

_CURSOR = "reported"
_READ_CURSOR = select(FACTS.c.value).where(FACTS.c.name == _CURSOR)
_WRITE_CURSOR = insert(FACTS).values(name=_CURSOR, value=bindparam("number"))
_WRITE_CURSOR = _WRITE_CURSOR.on_conflict_do_update(
    index_elements=[FACTS.c.name], set_={"value": _WRITE_CURSOR.excluded.value}
)
_PENDING = (
    select(HISTORY.c.number, HISTORY.c.report)
    .where(HISTORY.c.number > bindparam("cursor"))
    .order_by(HISTORY.c.number)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Report:
    """A patch of the reported properties that the hub has not acknowledged.

    Attributes:
        number: the history row it belongs to.
        patch: what to merge into the reported properties.
    """

    number: int
    patch: dict[str, Any]


class Outbox:
    """Reports in the order in which they happened. For one thread, beside the agent's."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path, synchronous="NORMAL")

    def pending(self, limit: int = 64) -> list[Report]:
        """The oldest unacknowledged reports, at most `limit`."""
        with transaction(self._connection, "cannot read the reports"):
            cursor = int(self._connection.execute(_READ_CURSOR).scalar() or 0)
            rows = self._connection.execute(_PENDING, {"cursor": cursor, "limit": limit}).all()
        return [Report(number=row.number, patch=json.loads(row.report)) for row in rows]

    def acknowledge(self, number: int) -> None:
        """Note that the hub has everything up to this report."""
        with transaction(self._connection, "cannot store what was reported"):
            self._connection.execute(_WRITE_CURSOR, {"number": str(number)})

    def close(self) -> None:
        """Let go of the connection; harmless the second time."""
        self._connection.close()
