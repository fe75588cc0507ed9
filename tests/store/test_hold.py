"""An agent's hold on its database: what is trouble, and what helps against it."""

from __future__ import annotations

import errno
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.errors import StoreDamagedError, StoreError, StoreFullError, StoreLockedError
from fwsm.store import Store
from fwsm.store.engine import look
from fwsm.store.hold import Hold
from fwsm.store.lock import LOCK
from fwsm.store.loss import Loss
from fwsm.store.reserve import Reserve
from fwsm.store.salvage import Shelf
from tests.patience import PATIENCE_S
from tests.store.damage import DAMAGES
from tests.store.entries import NOW, UPDATE
from tests.store.vanishing import VANISHINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

T = TypeVar("T")

_LOOKS_ON = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], uri=True)
print(connection.execute("SELECT COUNT(*) FROM updates").fetchone()[0], flush=True)
sys.stdin.read()
"""


def test_an_update_of_the_wrong_database_is_damage(path: Path) -> None:
    """Somebody has changed the file under our feet; an older one would be gone on with otherwise."""
    with Store(path.parent) as store:
        with sqlite3.connect(path) as other:
            other.execute("DELETE FROM updates")
        other.close()
        with pytest.raises(StoreDamagedError, match="is not the newest one"):
            Lifecycle([store.advance]).fire(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))
        assert "is not the newest one" in str(store.trouble)
        store.reopen()
        assert (store.trouble, store.loss is None) == (None, False)


def test_what_the_reporter_finds_is_the_stores_trouble(path: Path) -> None:
    """It cannot set the file aside itself."""
    with Store(path.parent) as store:
        outbox = store.outbox()
        with sqlite3.connect(path) as other:
            other.execute("UPDATE history SET report = '['")
        other.close()
        with pytest.raises(StoreDamagedError):
            outbox.pending()
        assert "means nothing" in str(store.trouble)
        store.reopen()
        assert outbox.pending() == []
        assert str(store.trouble) == "None"


def test_somebody_who_holds_the_database_is_waited_for(path: Path) -> None:
    """Some seconds; then the store says so, and is tried again later."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE updates SET resumed = resumed")
    with Store(path.parent) as store:
        assert "locked" in str(store.trouble)
        assert store.glimpse() == UPDATE
        with pytest.raises(StoreError, match="locked"):
            store.accept(UPDATE, NOW)
        other.close()
        store.reopen()
        assert (store.trouble, store.latest()) == (None, UPDATE)
    with pytest.raises(StoreError, match="the database is closed"):  # and nobody holds it any more
        store.latest()


def test_a_connection_that_can_only_read_is_made_anew(path: Path) -> None:
    """SQLite opens such a one without a word when the disk fails in that moment."""
    with Store(path.parent) as store:
        able = store._connection
        store._hold._open = look(path)
        able.close()
        with pytest.raises(StoreError, match="readonly"):
            store.accept(UPDATE, NOW)
        assert "readonly" in str(store.trouble)
        store.reopen()
        assert (store.trouble, store.loss, store.latest()) == (None, None, UPDATE)
        store.accept(replace(UPDATE, id="u2"), NOW)


def test_a_closed_store_says_so(path: Path) -> None:
    """In words."""
    store = Store(path.parent)
    store.close()
    with pytest.raises(StoreError, match="the database is closed"):
        store.latest()


def test_whoever_is_interrupted_while_opening_lets_go(path: Path) -> None:
    """The same process can try again."""

    class Interrupted(Shelf):
        def put(self, at: datetime) -> Path:  # noqa: ARG002
            raise KeyboardInterrupt

    DAMAGES["header"](path)
    with pytest.raises(KeyboardInterrupt):
        Store(path.parent, shelf=Interrupted(path))
    Store(path.parent).close()


# -- files that vanish under the feet of the agent ---------------------------------------------------------------------


@pytest.mark.parametrize("how", VANISHINGS)
def test_what_vanishes_is_noticed_and_replaced(path: Path, how: str) -> None:
    """By a new database, which is told of its loss; only where the log alone was removed is all still there."""
    with Store(path.parent) as store, closing(store.outbox()) as outbox:
        assert len(outbox.pending()) == 1
        VANISHINGS[how](path)
        trouble = store.trouble
        assert isinstance(trouble, StoreDamagedError) == (how != "log removed")
        if how == "file for directory":
            with pytest.raises(StoreError, match="cannot make the state directory"):
                store.reopen()
            assert "cannot make the state directory" in str(store.trouble)
            path.parent.unlink()
        store.reopen()
        assert store.trouble is None
        if how == "log removed":
            assert (store.loss, store.latest()) == (None, UPDATE)
            return
        assert store.latest() is None
        loss = store.loss
        assert loss is not None
        assert (loss.name is None) == (how not in {"log left", "replaced"})
        store.settle_loss(NOW, UPDATE, str(loss))
        assert (store.loss, store.latest()) == (None, UPDATE)
        assert len(outbox.pending()) == 1
    with Store(path.parent) as again:
        assert (again.loss, again.latest()) == (None, UPDATE)


@pytest.mark.kill
@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_a_log_that_vanishes_beside_somebody_who_looks_costs_nothing(path: Path, mode: str) -> None:
    """A forgotten shell, for one: SQLite moves the log into the database by itself only for the last of all."""
    with Store(path.parent) as store:
        program = [sys.executable, "-c", _LOOKS_ON, f"{path.as_uri()}?mode={mode}"]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as looker:
            assert looker.stdout is not None
            assert looker.stdout.readline() == "1\n"
            VANISHINGS["log removed"](path)
            store.accept(replace(UPDATE, id="u2"), NOW)
            store.reopen()
            assert (store.trouble, store.loss) == (None, None)
            store.accept(replace(UPDATE, id="u3"), NOW)
            looker.communicate(timeout=PATIENCE_S)
    with Store(path.parent) as again:
        assert [row.update_id for row in again.history()] == ["u1", "u2", "u3"]


def test_what_was_put_in_its_place_is_kept_and_not_used(path: Path) -> None:
    """The log that lies beside belongs to another database; and what the agent knows is newer."""
    with Store(path.parent) as store:
        VANISHINGS["replaced"](path)
        store.accept(replace(UPDATE, id="u2"), NOW)
        store.reopen()
        assert store.loss is not None
        assert store.loss.name is not None
        with Store(path.parent, read_only=True) as looking:
            assert looking.latest() is None
        with closing(sqlite3.connect(path.with_name(store.loss.name))) as put:
            assert ("u1",) in put.execute("SELECT id FROM updates").fetchall()


def test_what_cannot_be_set_aside_yet_is_not_used_meanwhile(path: Path) -> None:
    """It is tried again."""

    class Stuck(Shelf):
        stuck = True

        def rename(self, source: Path, target: Path) -> None:
            if self.stuck:
                raise OSError(errno.EROFS, "Read-only file system")
            super().rename(source, target)

    shelf = Stuck(path)
    with Store(path.parent, shelf=shelf) as store:
        VANISHINGS["replaced"](path)
        for _ in range(2):
            store.reopen()
            assert "cannot set the database" in str(store.trouble)
        shelf.stuck = False
        store.reopen()
        assert (store.trouble, store.loss is None, store.latest()) == (None, False, None)


def test_a_loss_is_remembered_until_a_new_database_can_be_made(path: Path) -> None:
    """And nothing is set aside more than once for it, which would push out what is worth more."""

    class Full(Reserve):
        full = False

        def backed(self, work: Callable[[], T]) -> T:
            if self.full:
                path.touch()
                raise StoreFullError("cannot open the database", why="the disk is full")
            return super().backed(work)

    reserve = Full(path)
    hold = Hold(path, Shelf(path), reserve)
    hold.reopen()
    VANISHINGS["removed"](path)
    reserve.full = True
    for _ in range(3):
        hold.reopen()
        assert isinstance(hold.trouble, StoreFullError)
    reserve.full = False
    hold.reopen()
    assert (hold.trouble, hold.loss) == (None, Loss(None, None))
    assert Shelf(path).unsettled() is None
    hold.close()


# -- a lock that vanishes ----------------------------------------------------------------------------------------------


def test_a_lock_that_was_removed_is_taken_again(path: Path) -> None:
    """Nothing else has happened to the store."""
    with Store(path.parent) as store:
        path.with_name(LOCK).unlink()
        assert "the lock" in str(store.trouble)
        store.reopen()
        assert (store.trouble, store.loss, store.latest()) == (None, None, UPDATE)
        with pytest.raises(StoreLockedError):
            Store(path.parent)


def test_whoever_finds_his_lock_with_another_agent_keeps_off(path: Path) -> None:
    """Nothing of the other one's is set aside, or even opened; and it is tried again in vain."""
    with Store(path.parent) as first:
        VANISHINGS["emptied"](path)
        with Store(path.parent) as second:
            second.accept(replace(UPDATE, id="u2"), NOW)
            for _ in range(2):
                with pytest.raises(StoreLockedError):
                    first.reopen()
                assert isinstance(first.trouble, StoreLockedError)
            with pytest.raises(StoreLockedError):
                first.latest()
            assert Shelf(path).unsettled() is None
            assert second.trouble is None
        first.reopen()
        assert first.trouble is None
