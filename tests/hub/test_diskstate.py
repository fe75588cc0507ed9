"""The state on disk: what is committed stays, and what cannot be used is said to be so."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import HubError
from fwsm.hub.diskstate import DiskState

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Note:
    """A record that can change, and counts how often it is written."""

    text: str
    written: list[str] = field(default_factory=list)

    def record(self) -> dict[str, Any]:
        """Return its contents."""
        self.written.append(self.text)
        return {"text": self.text}


def _loaded(path: Path) -> list[tuple[str, dict[str, Any]]]:
    state = DiskState(path)
    records = list(state.load("note"))
    state.close()
    return records


def test_committed_records_survive(tmp_path: Path) -> None:
    """Records come back by kind, in the order of their keys; other kinds are apart; deleted ones are gone."""
    path = tmp_path / "hub.db"
    state = DiskState(path)
    for key in ("b", "a", "c"):
        state.put("note", key, Note(key.upper()))
    state.put("other", "a", Note("x"))
    state.commit()
    state.put("note", "c", None)
    state.commit()
    state.close()
    assert _loaded(path) == [("a", {"text": "A"}), ("b", {"text": "B"})]


def test_uncommitted_records_do_not_survive(tmp_path: Path) -> None:
    """A note is not a promise."""
    state = DiskState(tmp_path / "hub.db")
    state.put("note", "a", Note("A"))
    state.close()
    assert _loaded(tmp_path / "hub.db") == []


def test_record_is_written_once_a_commit_and_as_it_is_then(tmp_path: Path) -> None:
    """Many changes between two commits cost one write, of the last of them."""
    state = DiskState(tmp_path / "hub.db")
    note = Note("first")
    state.put("note", "a", note)
    note.text = "second"
    state.put("note", "a", note)
    state.commit()
    state.commit()
    state.close()
    assert note.written == ["second"]
    assert _loaded(tmp_path / "hub.db") == [("a", {"text": "second"})]


def test_failed_commit_keeps_its_notes(tmp_path: Path) -> None:
    """When the disk is full nothing is written, and the next commit writes all of it."""
    path = tmp_path / "hub.db"
    state = DiskState(path)
    (pages,) = state._database.execute("PRAGMA page_count").fetchone()
    state._database.execute(f"PRAGMA max_page_count = {pages}")
    state.put("note", "big", Note("x" * 100_000))
    state.put("note", "small", Note("y"))
    with pytest.raises(HubError, match=r"could not write.*full.*Make room"):
        state.commit()
    state._database.execute("PRAGMA max_page_count = 1000000")
    state.commit()
    state.close()
    assert [key for key, _ in _loaded(path)] == ["big", "small"]


def test_commit_that_breaks_off_leaves_nothing_half_written(tmp_path: Path) -> None:
    """One record that cannot be written holds back the others of its turn."""
    path = tmp_path / "hub.db"
    state = DiskState(path)
    state._database.execute(
        "CREATE TRIGGER no BEFORE INSERT ON record WHEN NEW.key = 'bad' BEGIN SELECT RAISE(ABORT, 'not this one'); END"
    )
    state.put("note", "good", Note("A"))
    state.put("note", "bad", Note("B"))
    with pytest.raises(HubError, match="not this one"):
        state.commit()
    assert list(state.load("note")) == []
    state._database.execute("DROP TRIGGER no")
    state.commit()
    state.close()
    assert [key for key, _ in _loaded(path)] == ["bad", "good"]


def test_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """The database and its side files hold keys."""
    state = DiskState(tmp_path / "hub.db")
    state.put("note", "a", Note("A"))
    state.commit()
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    state.close()
    assert modes == {"hub.db": 0o600, "hub.db-wal": 0o600, "hub.db-shm": 0o600}


def test_commits_are_durable(tmp_path: Path) -> None:
    """The settings are those under which an acknowledged commit survives a power cut."""
    state = DiskState(tmp_path / "hub.db")
    assert state._database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert state._database.execute("PRAGMA synchronous").fetchone() == (2,)
    state.close()


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A damaged file is named, and left as it is."""
    path = tmp_path / "hub.db"
    path.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(HubError, match=r"cannot use .*hub\.db: file is not a database"):
        DiskState(path)
    assert path.read_bytes().startswith(b"not a database")


def test_file_of_a_newer_hub_is_refused(tmp_path: Path) -> None:
    """A hub does not touch what it does not understand."""
    path = tmp_path / "hub.db"
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(HubError, match="schema 99"):
        DiskState(path)


def test_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A file that cannot be made is an error with its path."""
    with pytest.raises(HubError, match=r"missing/hub\.db: .*No such file"):
        DiskState(tmp_path / "missing" / "hub.db")
