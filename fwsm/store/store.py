"""The agent's side of the database.

Each change is one transaction that holds the record, its counters, and a history row with what the twin is to be told.
When a method here returns, that is on disk; when it raises, nothing of it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from fwsm.store.desired import read_acknowledgement, write_acknowledgement
from fwsm.store.history import ACCEPTED, history_row, read_history, write_entry
from fwsm.store.hold import Hold
from fwsm.store.incidents import KEPT, incident_of, read_incidents, write_incident
from fwsm.store.loss import read_loss, write_loss, write_restored
from fwsm.store.mapping import understood
from fwsm.store.outbox import Outbox
from fwsm.store.prepared import reading, writing
from fwsm.store.pruning import Retention, prune
from fwsm.store.reserve import Reserve
from fwsm.store.salvage import Shelf, salvage
from fwsm.store.updates import change_update, insert_update, latest_update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.lifecycle import Entry
    from fwsm.core.moment import Moment
    from fwsm.core.update import Update
    from fwsm.errors import StoreError
    from fwsm.store.history import HistoryRow
    from fwsm.store.incidents import Incident
    from fwsm.store.loss import Loss

__all__ = ["Store"]


class Store:
    """The database of one device, held open.

    An agent's store comes up whatever has become of the file: `trouble` tells why it cannot be used at present, `loss`
    that it was damaged, or gone, and a new one has its place.

    Args:
        directory: the state directory; made with mode 0700 if it is missing.
        read_only: look without taking the lock, as `fwsm device status` does beside a running agent.
        shelf: where databases go that cannot be used; None for beside this one.
        retention: how much of the history is kept.

    Attributes:
        path: the database.

    Raises:
        StoreLockedError: another agent works on this directory.
        StoreError: there can be no database in this directory; or, to look, it cannot be used.
    """

    def __init__(
        self,
        directory: Path,
        *,
        read_only: bool = False,
        shelf: Shelf | None = None,
        retention: Retention = Retention(),  # noqa: B008  # a value that never changes
    ) -> None:
        self.path = directory / "fwsm.db"
        self._reserve = Reserve(self.path)
        self._retention = retention
        self._hold = Hold(self.path, shelf or Shelf(self.path), self._reserve)
        if read_only:
            self._hold.look()
        else:
            self._hold.reopen()

    @property
    def trouble(self) -> StoreError | None:
        """Why the database cannot be used now; None if it can. `reopen` may help."""
        return self._hold.trouble

    @property
    def loss(self) -> Loss | None:
        """A database that was lost, and that `settle_loss` is still to be called for; None if there is none."""
        return self._hold.loss

    def reopen(self) -> None:
        """Try again to come to a database that can be used; `trouble` tells whether that worked.

        Raises:
            StoreLockedError: another agent works on this directory.
            StoreError: there can be no database in this directory.
        """
        self._hold.reopen()

    @property
    def _connection(self) -> Connection:
        return self._hold.connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database and the lock; harmless the second time."""
        self._hold.close()

    def outbox(self) -> Outbox:
        """The reporter's side, on a connection of its own."""
        outbox = self._new_outbox()
        self._hold.outboxes.append(outbox)
        return outbox

    def _new_outbox(self) -> Outbox:
        return Outbox(self.path, self._reserve)

    def accept(
        self,
        update: Update,
        now: Moment,
        *,
        superseding: Entry | None = None,
        acknowledging: Acknowledgement | None = None,
    ) -> None:
        """Take a new update, and end the one it supersedes, in one transaction; forget what is old in it as well.

        Args:
            update: the new one.
            now: the moment.
            superseding: the end of the one before it.
            acknowledging: what is said of the desired property with it.

        Raises:
            StoreFullError: there is not so much room on the disk that it could surely be brought to its end.
            StoreError: nothing has changed.
        """

        def work(driver: sqlite3.Connection) -> None:
            if superseding is not None:
                _advance(driver, superseding)
            prune(driver, self._retention, now.wall)
            insert_update(driver, update)
            write_entry(driver, None, update, ACCEPTED, now.wall)
            if acknowledging is not None:
                write_acknowledgement(driver, acknowledging, now)

        self._commit("cannot store the new update", work, begins=True)

    def advance(self, entry: Entry, *, acknowledging: Acknowledgement | None = None) -> None:
        """Keep an entry into a state, and what is said of the desired property with it, in one transaction."""

        def work(driver: sqlite3.Connection) -> None:
            _advance(driver, entry)
            if acknowledging is not None:
                write_acknowledgement(driver, acknowledging, entry.facts.now)

        self._commit(f"cannot store the state '{entry.after.state}'", work)

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep what was done about the desired property where that changed no update; the twin is told."""
        doing = "cannot store the acknowledgement of the desired property"
        self._commit(doing, lambda driver: write_acknowledgement(driver, acknowledgement, now))

    def acknowledged(self) -> Acknowledgement | None:
        """What was last done about the desired property; None if nothing ever was."""
        what = "what was done about the desired property"
        with reading(self._connection, f"cannot read {what}") as driver, understood(what):
            return read_acknowledgement(driver)

    def restore(self, update: Update, now: Moment, *, code: str, message: str) -> None:
        """Keep an update that this database does not know of; the twin is told all of it.

        Args:
            update: as it stands.
            now: the moment.
            code: of the incident that made it necessary.
            message: what happened, for people.
        """
        self._commit("cannot store the update again", lambda driver: write_restored(driver, update, now, code, message))

    def settle_loss(self, now: Moment, update: Update | None, message: str) -> None:
        """Write into the new database that the last one was lost, with what is known of its newest update.

        Args:
            now: the moment.
            update: the newest update; None if nothing is known of it.
            message: what happened, for people.
        """
        loss = self.loss
        assert loss is not None  # noqa: S101  # the caller looked

        self._commit("cannot store what was lost", lambda driver: write_loss(driver, loss, update, now, message))
        self._hold.settle_loss()

    def _commit(self, doing: str, work: Callable[[sqlite3.Connection], None], *, begins: bool = False) -> None:
        """Do it in one transaction; on a full disk at the cost of the reserve, unless an update begins with it."""
        connection = self._connection
        if begins:
            self._reserve.keep()

        def attempt() -> None:
            with writing(connection, doing) as driver:
                work(driver)

        self._reserve.backed(attempt)
        self._reserve.refill()

    def recovering(self) -> bool:
        """Whether this database came in the place of a lost one and knows of no update yet."""
        with reading(self._connection, "cannot read what was lost") as driver, understood("the newest update"):
            return read_loss(driver) is not None and latest_update(driver) is None

    def glimpse(self) -> Update | None:
        """The newest update as far as it can be read of a database that cannot be used; None if it cannot."""
        return salvage(self.path)

    def latest(self) -> Update | None:
        """The newest update, settled or not; None on a device that never had one."""
        with reading(self._connection, "cannot read the update") as driver, understood("the newest update"):
            return latest_update(driver)

    def history(self, update_id: str | None = None, *, limit: int = 1000) -> list[HistoryRow]:
        """The newest `limit` entries, of one update or of all, oldest first."""
        with reading(self._connection, "cannot read the history") as driver, understood("the history"):
            return [history_row(row) for row in read_history(driver, update_id, limit)]

    def note(self, code: str, message: str, now: Moment, update_id: str | None = None) -> None:
        """Keep that something went wrong beside the update; the oldest of many are forgotten.

        Args:
            code: short and stable, for programs.
            message: for people; cut off if it is very long.
            now: the moment.
            update_id: the update that it happened to, if to one.
        """
        with writing(self._connection, "cannot store what went wrong") as driver:
            write_incident(driver, code, message, now, update_id)

    def incidents(self, *, limit: int = KEPT) -> list[Incident]:
        """The newest `limit` things that went wrong beside updates, oldest first."""
        with reading(self._connection, "cannot read what went wrong") as driver, understood("what went wrong"):
            return [incident_of(row) for row in read_incidents(driver, limit)]


def _advance(driver: sqlite3.Connection, entry: Entry) -> None:
    change_update(driver, entry.before, entry.after)
    write_entry(driver, entry.before, entry.after, entry.row.trigger.value, entry.facts.now.wall)
