"""What a database says of one update, from a file of any name."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.errors import ConfigError, FwsmError, StoreDamagedError, StoreError
from fwsm.store import Store
from fwsm.store.logbook import read_logbook

if TYPE_CHECKING:
    from pathlib import Path

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1.0, "boot-1")


def _update(name: str) -> Update:
    return Update(id=name, request=Request("https://images.example/fw"), state=State.WAITING, boot_id="boot-1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The database of a device with two updates, the first cancelled, the second on its way."""
    with Store(tmp_path / "d") as store, closing(store.outbox()) as outbox:
        store.accept(_update("abc-1"), NOW)
        store.note("hookFailed", "of the first", NOW, "abc-1")
        Lifecycle([store.advance]).fire(_update("abc-1"), Trigger.CANCELLED, Facts(now=NOW))
        outbox.acknowledge(2)
        store.accept(_update("abd-2"), NOW)
        Lifecycle([store.advance]).fire(_update("abd-2"), Trigger.POLICY_ALLOWED, Facts(now=NOW))
    return tmp_path / "d" / "fwsm.db"


def test_the_newest_update_is_read_if_none_is_named(file: Path) -> None:
    """With its entries, and how far the hub has been told."""
    logbook = read_logbook(file)
    assert logbook.update.id == "abd-2"
    assert [(row.trigger, row.state) for row in logbook.rows] == [
        ("accepted", State.WAITING),
        (Trigger.POLICY_ALLOWED, State.DOWNLOADING),
    ]
    assert (logbook.told, logbook.incidents) == (2, ())


@pytest.mark.parametrize("name", ["abc-1", "abc"])
def test_an_update_is_named_by_the_beginning_of_its_id(file: Path, name: str) -> None:
    """As `fwsm device history` shows it."""
    logbook = read_logbook(file, name)
    assert (logbook.update.id, logbook.update.state) == ("abc-1", State.DOWNLOAD_FAILED)
    assert [(each.code, each.message) for each in logbook.incidents] == [("hookFailed", "of the first")]


def test_a_database_is_read_under_any_name(file: Path) -> None:
    """A copy, or one that was set aside."""
    other = file.rename(file.with_name("fwsm.db.damaged-1-20260504T120000Z"))
    assert read_logbook(other).update.id == "abd-2"


def test_nothing_is_changed(file: Path) -> None:
    """Not a byte, beside an agent as well."""
    before = file.read_bytes()
    with Store(file.parent):
        assert read_logbook(file) == read_logbook(file)
    assert file.read_bytes() == before


def test_a_device_that_was_never_told_to_report_has_told_nothing(tmp_path: Path) -> None:
    """The cursor is at the beginning."""
    with Store(tmp_path) as store:
        store.accept(_update("u"), NOW)
    assert read_logbook(tmp_path / "fwsm.db").told == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("xyz", "there is no update 'xyz': the newest are: abd-2, abc-1"),
        ("", "2 updates begin with '': abd-2, abc-1"),
        ("ab", "2 updates begin with 'ab': abd-2, abc-1"),
    ],
)
def test_an_update_that_cannot_be_told_is_refused(file: Path, name: str, message: str) -> None:
    """With those that could be meant."""
    with pytest.raises(ConfigError) as caught:
        read_logbook(file, name)
    assert str(caught.value).startswith(message)


def test_a_device_without_an_update_says_so(tmp_path: Path) -> None:
    """There is nothing to read."""
    Store(tmp_path).close()
    with pytest.raises(ConfigError, match="no update yet"):
        read_logbook(tmp_path / "fwsm.db")


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    """Each with the file to name instead."""
    text, other = tmp_path / "notes.txt", tmp_path / "other.db"
    text.write_text("This is no database, and long enough to be seen to be none. " * 9)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    refused: list[tuple[Path, type[FwsmError], str]] = [
        (tmp_path / "nowhere", StoreError, "there is no database"),
        (tmp_path, StoreError, "is a directory"),
        (text, StoreDamagedError, "is no database that can be read: file is not a database"),
        (other, StoreDamagedError, "the database lacks the table"),
    ]
    for path, kind, message in refused:
        with pytest.raises(kind, match=message) as caught:
            read_logbook(path)
        assert caught.value.fix


def test_a_newer_database_is_read_as_far_as_it_is_understood(file: Path) -> None:
    """More columns and tables are no hindrance, nor is a child of `applying`; another state would be."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("ALTER TABLE history ADD COLUMN mood TEXT")
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("UPDATE history SET state = 'applying.backingUp' WHERE number = 4")
        connection.commit()
        assert read_logbook(file).rows[-1].state == "applying.backingUp"
        connection.execute("UPDATE history SET state = 'dreaming' WHERE number = 4")
        connection.commit()
    with pytest.raises(StoreDamagedError, match="dreaming"):
        read_logbook(file)
