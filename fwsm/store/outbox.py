"""The reporter's side of the database: the history is the outbox.

The hub has been told everything up to a cursor. What lies behind it is sent in order. The cursor moves after the hub
has acknowledged, so a crash in between sends a report twice, which a twin does not notice; it never loses one. It moves
without a sync, so a power cut may set it back by several reports; `earlier` is for what has to be said then.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, bindparam, cast, func, select
from sqlalchemy.dialects.sqlite import insert

from fwsm.core.twin import incident, section, wrapped
from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.desired import read_acknowledgement
from fwsm.store.engine import connect
from fwsm.store.loss import read_incident
from fwsm.store.mapping import understood
from fwsm.store.prepared import Prepared, reading, writing
from fwsm.store.tables import FACTS, HISTORY
from fwsm.store.updates import last_applied_update, latest_update

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.store.reserve import Reserve

__all__ = ["TOLD", "Outbox", "Report"]

_CURSOR = "reported"
# A cursor behind the end of the history comes from damage, and would hold back what is still to come.
_NEWEST: Final = select(func.max(HISTORY.c.number)).scalar_subquery()
TOLD: Final = (
    select(cast(FACTS.c.value, Integer))
    .where(FACTS.c.name == _CURSOR, cast(FACTS.c.value, Integer) <= func.coalesce(_NEWEST, 0))
    .scalar_subquery()
)
_SAID = insert(FACTS).values(name=_CURSOR, value=bindparam("number"))
_MOVE_CURSOR = Prepared(
    _SAID.on_conflict_do_update(index_elements=[FACTS.c.name], set_={"value": _SAID.excluded.value})
)
_REPORTS = select(HISTORY.c.number, HISTORY.c.update_id, HISTORY.c.boot_id, HISTORY.c.report).order_by(HISTORY.c.number)
_PENDING = Prepared(_REPORTS.where(HISTORY.c.number > func.coalesce(TOLD, 0)).limit(bindparam("limit")))
_EARLIER = Prepared(
    _REPORTS.where(HISTORY.c.update_id == bindparam("update_id"), HISTORY.c.number < bindparam("number"))
)


@dataclass(frozen=True, slots=True)
class Report:
    """A patch of the reported properties that the hub has not acknowledged.

    Attributes:
        number: the history row it belongs to.
        update_id: the update it tells of; empty if of none.
        boot_id: the boot it happened in.
        patch: what to merge into the reported properties.
    """

    number: int
    update_id: str
    boot_id: str
    patch: dict[str, Any]


class Outbox:
    """Reports in the order in which they happened. For one thread, beside the agent's.

    Args:
        path: the database. It is opened with the first reading, and again if it has been changed for another one;
            to make one that is missing is the agent's affair.
        reserve: the room that is kept beside it.
    """

    def __init__(self, path: Path, reserve: Reserve) -> None:
        self._path = path
        self._reserve = reserve
        self._connection: Connection | None = None
        self._in_use = threading.Lock()
        self._closed = False
        self._outdated = False
        self._damage: StoreDamagedError | None = None

    @property
    def damage(self) -> StoreDamagedError | None:
        """What was found damaged in reading or writing; None if nothing. May be read by any thread."""
        return self._damage

    def pending(self, limit: int = 64) -> list[Report]:
        """The oldest unacknowledged reports, at most `limit`.

        Raises:
            StoreError: they cannot be read.
        """
        with self._connected() as connection, reading(connection, "cannot read the reports") as driver:
            self._outdated = False
            return _reports(_PENDING.rows(driver, {"limit": limit}))

    def earlier(self, report: Report) -> list[Report]:
        """What was reported of the same update before this report, oldest first, as far as the history goes back.

        Nothing where it tells of no update, as an incident does: such a report is whole by itself.

        Raises:
            StoreError: it cannot be read.
        """
        if not report.update_id:
            return []
        wanted = {"update_id": report.update_id, "number": report.number}
        with self._connected() as connection, reading(connection, "cannot read the reports") as driver:
            return _reports(_EARLIER.rows(driver, wanted))

    def section(self) -> dict[str, Any]:
        """All that the twin shows once nothing is pending; empty on a device that has nothing to say.

        None stands for what is not to be there.
        """
        doing = "cannot read what the twin should show"
        with self._connected() as connection, reading(connection, doing) as driver, understood("the newest update"):
            newest, applied = latest_update(driver), last_applied_update(driver)
            acknowledgement, lost = read_acknowledgement(driver), read_incident(driver)
            shown = section(newest) if newest else {}
            if applied:
                shown["lastFirmwareUpdate"] = section(applied)["lastFirmwareUpdate"]
            shown |= acknowledgement.patch() if acknowledgement else {}
            return shown | (incident(*lost) if lost else {})

    def acknowledge(self, number: int) -> None:
        """Note that the hub has everything up to this report.

        Nothing happens if it came from a database that has been changed for another one since: there the number is
        that of another report.

        Raises:
            StoreError: it could not be stored, so the report is sent again.
        """
        with self._connected() as connection:
            self._reserve.backed(lambda: self._move_cursor(connection, number))

    def _move_cursor(self, connection: Connection, number: int) -> None:
        with writing(connection, "cannot store what was reported") as driver:
            if not self._outdated:
                _MOVE_CURSOR.run(driver, {"number": str(number)})

    @contextmanager
    def released(self) -> Iterator[None]:
        """Keep off the database while the agent changes it for another one; from the agent's thread."""
        with self._in_use:
            self._close()
            self._outdated = True
            yield
            self._damage = None

    def close(self) -> None:
        """Let go of the connection for good; harmless the second time.

        A reporter may be left behind whose link keeps it. The report that it comes back with is acknowledged no more:
        by then the database may be another agent's.
        """
        with self._in_use:
            self._closed = True
            self._close()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> Connection:
        return connect(self._path, synchronous="NORMAL", make=False)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with self._in_use:
            if self._closed:
                raise StoreError("the database is closed")
            try:
                if self._connection is None:
                    self._connection = self._reserve.backed(self._connect)
                yield self._connection
            except StoreDamagedError as error:
                self._damage = error
                raise
            except StoreError:  # a new connection is cheap, and one that was opened while the disk failed may only read
                self._close()
                raise


def _reports(rows: Iterable[Mapping[str, Any]]) -> list[Report]:
    with understood("a report"):
        return [Report(row["number"], row["update_id"], row["boot_id"], _patch(row["report"])) for row in rows]


def _patch(report: str) -> dict[str, Any]:
    """What to merge into the reported properties. The first programs stored it whole, the later ones the section."""
    stored: dict[str, Any] = json.loads(report)
    return wrapped(stored["iothubDM"]["firmwareUpdate"] if "iothubDM" in stored else stored)
