"""An agent's hold on its database: the lock, the connection, and the way to one that can be used.

Whatever has become of the file, the agent comes up: `trouble` tells why it cannot be used at present, `loss` that it
was damaged, or gone, and a new one has its place.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.engine import trouble
from fwsm.store.lock import LOCK, Lock
from fwsm.store.loss import Loss
from fwsm.store.opening import looked_at, make_directory, may_pass, opened, set_aside, unsettled
from fwsm.store.place import Place
from fwsm.store.prepared import driver_of

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.store.outbox import Outbox
    from fwsm.store.reserve import Reserve
    from fwsm.store.salvage import Shelf

__all__ = ["Hold"]


class Hold:
    """Nothing is held before `look` or `reopen`.

    Args:
        path: the database.
        shelf: where databases go that cannot be used.
        reserve: what is given up if there is no room even to open it.

    Attributes:
        loss: a database that was lost, and of which the new one does not know yet; None if there is none.
        outboxes: what keeps off the database while it is changed for another one.
    """

    def __init__(self, path: Path, shelf: Shelf, reserve: Reserve) -> None:
        self.loss: Loss | None = None
        self.outboxes: list[Outbox] = []
        self._path = path
        self._shelf = shelf
        self._reserve = reserve
        self._lock: Lock | None = None
        self._open: Connection | None = None
        self._place: Place | None = None
        self._refused: StoreError | None = None
        self._damage: StoreDamagedError | None = None  # of what is still to be set aside

    @property
    def trouble(self) -> StoreError | None:
        """Why the database cannot be used now; None if it can. `reopen` may help."""
        if self._open is None:
            return self._refused
        moved = self._place.trouble() if self._place else None
        found = moved or trouble(self._open) or next((box.damage for box in self.outboxes if box.damage), None)
        return found or (self._lock.trouble() if self._lock else None)

    @property
    def connection(self) -> Connection:
        """To the database.

        Raises:
            StoreError: there is none now.
        """
        if self._open is None:
            error = self._refused or StoreError("the database is closed")
            raise type(error)(error.what, why=error.why, fix=error.fix) from error
        return self._open

    def look(self) -> None:
        """Read only, without the lock.

        Raises:
            StoreError: there is no database, or it cannot be used.
        """
        self._open = looked_at(self._path)

    def reopen(self) -> None:
        """Try again to come to a database that can be used; `trouble` tells whether that worked.

        Raises:
            StoreLockedError: another agent works on this directory.
            StoreError: there can be no database in this directory.
        """
        found = self.trouble
        if isinstance(found, StoreDamagedError):
            self._damage = found
        with ExitStack() as released:
            for outbox in self.outboxes:
                released.enter_context(outbox.released())
            if found is not None and self._damage is None:
                self._empty_log()
            self._let_go()
            try:
                make_directory(self._path.parent)
                self._take_lock()
                self._make_way()
                self._open = opened(self._path, self._shelf, self._reserve)
                self._place = Place(self._path)
                self.loss = unsettled(self._open, self._shelf) or self.loss
                self._reserve.refill()
                self._refused = None
            except StoreError as error:
                self._let_go()
                self._refused = error
                if not may_pass(error):
                    self.close()
                    raise
            except BaseException:
                self.close()
                raise

    def _empty_log(self) -> None:
        """Move what the log holds into the database: its file may be gone, and with the connection all that is in it.

        SQLite does so by itself when a connection is closed, but only if no other process has one.
        """
        if self._open is not None:
            with suppress(sqlite3.Error):
                driver_of(self._open).execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def settle_loss(self) -> None:
        """The new database knows of it now."""
        self._shelf.settle()
        self.loss = None

    def _take_lock(self) -> None:
        if self._lock is not None and self._lock.trouble() is not None:
            self._release()
        self._lock = self._lock or Lock(self._path.with_name(LOCK))

    def _make_way(self) -> None:
        """Set aside what is known to be of no use, once: what is behind it may fail, and comes again."""
        if self._damage is not None:
            set_aside(self._shelf, self._damage)
            self._damage, self.loss = None, Loss(None, None)

    def close(self) -> None:
        """Let go of the database and the lock; harmless the second time."""
        self._let_go()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
