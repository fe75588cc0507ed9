"""Whoever looks keeps nobody waiting, waits for nobody, and changes nothing; also on a disk that is read-only."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.errors import Kind, StoreDamagedError, StoreError
from fwsm.store import Store
from tests.patience import PATIENCE_S
from tests.store.entries import NOW, UPDATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.store.conftest import Mounted

READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'

_HOLDS_THE_WRITE_LOCK = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE updates SET reason = 'half done'")
print("held", flush=True)
sys.stdin.read()
"""
_IS_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.store.test_looking import NOW, UPDATE, advanced
from fwsm.store import Store
store = Store(Path(sys.argv[1]))
store.accept(UPDATE, NOW)
advanced(store)
os.kill(os.getpid(), signal.SIGKILL)
"""


def advanced(store: Store) -> None:
    """Let the update go on to `downloading`."""
    Lifecycle([store.advance]).fire(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))


@contextmanager
def _holder(store: Store) -> Iterator[None]:
    """A process that holds the write lock in the middle of a transaction."""
    program = [sys.executable, "-c", _HOLDS_THE_WRITE_LOCK, str(store.path)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.communicate(timeout=PATIENCE_S)


def _dont_wait(store: Store) -> None:
    """What would be a wait is an error at once."""
    store._connection.exec_driver_sql("PRAGMA busy_timeout=0")
    store._connection.rollback()


def test_reading_does_not_wait_for_whoever_writes(tmp_path: Path) -> None:
    """The agent, the reporter and somebody else see the last commit while a process is in the middle of the next."""
    with Store(tmp_path) as store, closing(store.outbox()) as outbox:
        store.accept(UPDATE, NOW)
        _dont_wait(store)
        with _holder(store), Store(tmp_path, read_only=True) as looking:
            _dont_wait(looking)
            assert looking.latest() == store.latest() == UPDATE
            assert looking.history() == store.history()
            assert looking.incidents() == store.incidents() == []
            assert store.acknowledged() is None
            assert len(outbox.pending()) == 1


def test_writing_waits_so_long_and_no_longer(tmp_path: Path) -> None:
    """Then it says why, and works again once the other process has ended."""
    with Store(tmp_path) as store:
        store.accept(UPDATE, NOW)
        store._connection.exec_driver_sql("PRAGMA busy_timeout=50")
        store._connection.rollback()
        with _holder(store), pytest.raises(StoreError) as caught:
            advanced(store)
        assert str(caught.value) == (
            "cannot store the state 'downloading': database is locked. "
            "Another process holds the database for long; end it"
        )
        assert caught.value.kind is Kind.TRANSIENT
        assert store.latest() == UPDATE
        advanced(store)


def test_a_running_agent_is_not_disturbed_by_a_look_that_lasts(tmp_path: Path) -> None:
    """Somebody reads row by row while the agent commits, and sees one moment; the next look sees the next."""
    with Store(tmp_path) as store:
        store.accept(UPDATE, NOW)
        with closing(sqlite3.connect(f"{store.path.as_uri()}?mode=ro", uri=True)) as other:
            rows = other.execute("SELECT a.state FROM history AS a, history AS b ORDER BY a.number")
            advanced(store)
            assert rows.fetchall() == [("waiting",)]
            assert len(other.execute("SELECT 1 FROM history").fetchall()) == 2


def test_looking_writes_nothing(tmp_path: Path) -> None:
    """Not even what the last program left in the log is moved, and what is looked at cannot be changed."""
    _kill(tmp_path)
    files = {path.name: path.read_bytes() for path in tmp_path.glob("fwsm.db*") if not path.name.endswith("-shm")}
    assert files["fwsm.db-wal"]
    with Store(tmp_path, read_only=True) as looking:
        assert [row.state for row in looking.history()] == [State.WAITING, State.DOWNLOADING]
        with pytest.raises(StoreError, match="attempt to write a readonly database"):
            looking.accept(UPDATE, NOW)
    assert {name: (tmp_path / name).read_bytes() for name in files} == files


def _kill(state_dir: Path) -> None:
    program = [sys.executable, "-c", _IS_KILLED, str(state_dir)]
    died = subprocess.run(program, check=False, timeout=PATIENCE_S, cwd=Path(__file__).parents[2])
    assert died.returncode == -signal.SIGKILL


def _status(under: list[str], state_dir: Path) -> tuple[int, dict[str, Any]]:
    program = [*under, sys.executable, "-m", "fwsm", "device", "status", "--json", "--state-dir", str(state_dir)]
    ran = subprocess.run(program, check=False, timeout=PATIENCE_S, capture_output=True, text=True)
    return ran.returncode, json.loads(ran.stdout or ran.stderr)


@pytest.mark.parametrize("killed", [False, True])
def test_status_works_on_a_read_only_disk(tmp_path: Path, mounted: Mounted, killed: bool) -> None:
    """After an orderly end there is no log, and after a kill there is one with the newest commits."""
    if killed:
        _kill(tmp_path)
    else:
        with Store(tmp_path) as store:
            store.accept(UPDATE, NOW)
            advanced(store)
        assert not (tmp_path / "fwsm.db-wal").exists()
    before = sorted(path.name for path in tmp_path.iterdir())
    code, said = _status(mounted(tmp_path, READ_ONLY), tmp_path)
    assert (code, said["update"]["status"]) == (0, "downloading")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_status_works_on_a_read_only_view_of_a_running_agents_disk(tmp_path: Path, mounted: Mounted) -> None:
    """A container that was given the directory for reading sees each commit."""
    with Store(tmp_path) as store:
        store.accept(UPDATE, NOW)
        assert _status(mounted(tmp_path, READ_ONLY), tmp_path)[1]["update"]["status"] == "waiting"
        advanced(store)
        assert _status(mounted(tmp_path, READ_ONLY), tmp_path)[1]["update"]["status"] == "downloading"


def test_a_log_that_cannot_be_read_is_not_passed_over(tmp_path: Path, mounted: Mounted) -> None:
    """The index of the log is gone and cannot be made: an error in words, and no state of long ago."""
    _kill(tmp_path)
    (tmp_path / "fwsm.db-shm").unlink()
    code, said = _status(mounted(tmp_path, READ_ONLY), tmp_path)
    assert (code, said["error"]["what"]) == (20, f"cannot open the database {tmp_path / 'fwsm.db'}")
    assert _status([], tmp_path)[1]["update"]["status"] == "downloading"


@pytest.mark.parametrize("damage", ["UPDATE {} SET {} = 'levitating'", "UPDATE {} SET {} = CAST(x'ff80' AS TEXT)"])
@pytest.mark.parametrize(
    ("table", "column", "read"),
    [
        ("updates", "state", "latest"),
        ("history", "state", "history"),
        ("history", "at", "history"),
        ("incidents", "at", "incidents"),
    ],
)
def test_whoever_finds_damage_in_looking_is_told_the_truth(
    tmp_path: Path, table: str, column: str, read: str, damage: str
) -> None:
    """What it is, and what can be done; nobody sets anything aside because of it."""
    with Store(tmp_path) as store:
        store.accept(UPDATE, NOW)
        store.note("hookFailed", "no", NOW)
        with closing(sqlite3.connect(store.path)) as other, other:
            other.execute(damage.format(table, column))
    with Store(tmp_path, read_only=True) as looking, pytest.raises(StoreDamagedError) as caught:
        getattr(looking, read)()
    assert caught.value.why
    assert caught.value.fix.startswith("Nothing was changed. If a newer program has written the file")
    assert "agent" not in str(caught.value)


def test_a_file_that_is_no_database_is_looked_at_in_vain(tmp_path: Path) -> None:
    """The same words."""
    (tmp_path / "fwsm.db").write_text("no database\n" * 100)
    with pytest.raises(StoreDamagedError, match="file is not a database") as caught:
        Store(tmp_path, read_only=True)
    assert caught.value.fix.startswith("Nothing was changed.")
