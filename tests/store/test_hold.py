"""An agent's hold on its database: what is trouble, and what helps against it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store import Store
from fwsm.store.engine import look
from fwsm.store.salvage import Shelf
from tests.store.damage import DAMAGES, left_behind

if TYPE_CHECKING:
    from pathlib import Path

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")
UPDATE = Update(id="u1", request=Request("https://images.example/fw"), state=State.WAITING, boot_id="boot-1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """What a killed agent leaves behind."""
    with Store(tmp_path / "state") as store:
        store.accept(UPDATE, NOW)
        return left_behind(tmp_path / "state", tmp_path / "left")


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


def test_a_connection_that_can_only_read_is_made_anew(path: Path) -> None:
    """SQLite opens such a one without a word when the disk fails in that moment."""
    with Store(path.parent) as store:
        store._connection.close()
        store._hold._open = look(path)
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
