"""An agent's hold on its database: the lock, the connection, and the way to one that can be used.

Whatever has become of the file, the agent comes up: `trouble` tells why it cannot be used at present, `loss` that it
was damaged and a new one has its place.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.engine import trouble
from fwsm.store.lock import LOCK, Lock
from fwsm.store.opening import looked_at, make_directory, may_pass, opened, unsettled

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.store.loss import Loss
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
        loss: a database that was set aside, and of which the new one does not know yet; None if there is none.
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
        self._refused: StoreError | None = None

    @property
    def trouble(self) -> StoreError | None:
        """Why the database cannot be used now; None if it can. `reopen` may help."""
        if self._open is None:
            return self._refused
        return trouble(self._open) or next((box.damage for box in self.outboxes if box.damage), None)

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
        trouble = self.trouble
        with ExitStack() as released:
            for outbox in self.outboxes:
                released.enter_context(outbox.released())
            self._let_go()
            try:
                make_directory(self._path.parent)
                self._lock = self._lock or Lock(self._path.with_name(LOCK))
                known = trouble if isinstance(trouble, StoreDamagedError) else None
                self._open = opened(self._path, self._shelf, self._reserve, lambda: datetime.now(UTC), known)
                self.loss = unsettled(self._open, self._shelf)
                self._reserve.refill()
            except StoreError as error:
                self._let_go()
                if not may_pass(error):
                    self.close()
                    raise
                self._refused = error
            except BaseException:
                self.close()
                raise

    def close(self) -> None:
        """Let go of the database and the lock; harmless the second time."""
        self._let_go()
        if self._lock is not None:
            self._lock.release()

    def _let_go(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None
