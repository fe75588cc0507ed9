"""The agent's side: each change whole or not at all, and readable again by whoever comes later."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Entry, Lifecycle, Trigger
from fwsm.core.moment import Deadline, Moment
from fwsm.core.update import Artifact, Failure, Progress, Request, State, Update
from fwsm.errors import Kind, StoreError, StoreLockedError
from fwsm.store import HistoryRow, Store
from fwsm.store.history import ACCEPTED
from tests.patience import PATIENCE_S
from tests.store.entries import entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WALL = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = Moment(WALL, 1000.0, "boot-1")
LATER = Moment(WALL + timedelta(minutes=5), 5.0, "boot-2")
UPDATE = Update(id="u1", request=Request("https://images.example/fw"), state=State.WAITING, boot_id="boot-1")
BROKEN = Failure("downloadInterrupted", "the connection broke", Kind.TRANSIENT)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A state directory that does not exist yet."""
    return tmp_path / "var" / "fwsm"


@pytest.fixture
def store(directory: Path) -> Iterator[Store]:
    """A store that has seen nothing."""
    with Store(directory) as store:
        yield store


def _break(store: Store, what: str) -> None:
    """Let the next writes to a table fail, in the database itself."""
    with sqlite3.connect(store.path, isolation_level=None) as second:
        second.execute(f"CREATE TRIGGER broken BEFORE {what} BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END")
    second.close()


def _mend(store: Store) -> None:
    with sqlite3.connect(store.path, isolation_level=None) as second:
        second.execute("DROP TRIGGER broken")
    second.close()


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_device_that_never_had_an_update_has_none(store: Store) -> None:
    """Nothing is made up."""
    assert store.latest() is None
    assert store.history() == []


def test_accepted_update_is_the_latest(directory: Path, store: Store) -> None:
    """Every field comes back, in the next process too."""
    update = replace(
        UPDATE,
        request=Request("https://images.example/fw?sig=x", "ab" * 32, "1.2"),
        failure=BROKEN,
        rolled_back=True,
        reason="retry",
        until=LATER.wall,
        deadline=Deadline.after(NOW, 30.0),
        progress=Progress(5, 10),
        artifact=Artifact("ab" * 32, 10),
        target_slot="b",
        started_waiting_at=WALL,
    )
    store.accept(update, NOW)
    assert store.latest() == update
    store.close()
    with Store(directory) as reopened:
        assert reopened.latest() == update


def test_advance_keeps_the_record_and_its_history(store: Store) -> None:
    """State, counters and the row of the history are there together."""
    store.accept(UPDATE, NOW)
    first = entry_of(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))
    second = entry_of(first.after, Trigger.DOWNLOAD_FAILED, Facts(now=LATER, failure=BROKEN))
    store.advance(first)
    store.advance(second)
    assert store.latest() == second.after
    assert store.history() == [
        HistoryRow(1, "u1", NOW.wall, "boot-1", ACCEPTED, None, State.WAITING, 1, None),
        HistoryRow(2, "u1", NOW.wall, "boot-1", "policy_allowed", State.WAITING, State.DOWNLOADING, 1, None),
        HistoryRow(
            3, "u1", LATER.wall, "boot-2", "download_failed", State.DOWNLOADING, State.DOWNLOADING, 2, BROKEN.code
        ),
    ]


def test_update_supersedes_another_in_one_transaction(store: Store) -> None:
    """The old one has failed and the new one waits, and the hub hears it in this order."""
    store.accept(UPDATE, NOW)
    new = replace(UPDATE, id="u2")
    ended = entry_of(UPDATE, Trigger.SUPERSEDED, Facts(now=LATER))
    store.accept(new, LATER, superseding=ended)
    assert store.latest() == new
    assert [(row.update_id, row.state) for row in store.history()] == [
        ("u1", State.WAITING),
        ("u1", State.DOWNLOAD_FAILED),
        ("u2", State.WAITING),
    ]
    outbox = store.outbox()
    patches = [report.patch["iothubDM"]["firmwareUpdate"] for report in outbox.pending()]
    outbox.close()
    assert patches[1]["error"]["code"] == "superseded"
    assert (patches[2]["updateId"], patches[2]["error"]) == ("u2", None)


# -- all or nothing ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["INSERT ON updates", "INSERT ON history"])
def test_update_that_cannot_be_stored_is_not_there(store: Store, what: str) -> None:
    """A method that is not answered with 200 has left nothing behind, and the next one works."""
    _break(store, what)
    with pytest.raises(StoreError, match="cannot store the new update: broken on purpose"):
        store.accept(UPDATE, NOW)
    assert (store.latest(), store.history()) == (None, [])
    _mend(store)
    store.accept(UPDATE, NOW)
    assert store.latest() == UPDATE


@pytest.mark.parametrize("what", ["UPDATE ON updates", "INSERT ON history"])
def test_advance_that_fails_leaves_the_state(store: Store, what: str) -> None:
    """Record and history stay together where they were, and the same entry can be stored later."""
    store.accept(UPDATE, NOW)
    entry = entry_of(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))
    _break(store, what)
    with pytest.raises(StoreError, match="cannot store the state 'downloading': broken on purpose"):
        store.advance(entry)
    assert store.latest() == UPDATE
    assert [row.state for row in store.history()] == [State.WAITING]
    _mend(store)
    store.advance(entry)
    assert store.latest() == entry.after


def test_superseding_that_fails_leaves_the_old_update_running(store: Store) -> None:
    """The second half fails after the first half was written."""
    store.accept(UPDATE, NOW)
    ended = entry_of(UPDATE, Trigger.SUPERSEDED, Facts(now=LATER))
    _break(store, "INSERT ON updates")
    with pytest.raises(StoreError, match="cannot store the new update"):
        store.accept(UPDATE, LATER, superseding=ended)
    assert store.latest() == UPDATE
    assert [row.state for row in store.history()] == [State.WAITING]


def test_failed_commit_is_not_a_state_of_the_machine(store: Store) -> None:
    """With the store as the first callback, a database that says no stops the walk."""
    store.accept(UPDATE, NOW)
    told: list[Entry] = []
    lifecycle = Lifecycle([store.advance, told.append])
    _break(store, "INSERT ON history")
    with pytest.raises(StoreError):
        lifecycle.fire(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))
    assert not told
    _mend(store)
    after = lifecycle.fire(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW))
    assert store.latest() == after == told[0].after


_ADVANCES = """
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.store import Store

now = Moment(datetime(2026, 5, 4, tzinfo=UTC), 1000.0, "boot-1")
with Store(Path(sys.argv[1])) as store:
    update = Update(id="u1", request=Request("https://h/fw"), state=State.WAITING, boot_id="boot-1")
    store.accept(update, now)
    lifecycle = Lifecycle([store.advance])
    for _ in range(int(sys.argv[2])):
        update = lifecycle.fire(update, Trigger.RESTARTED, Facts(now=now))
"""


def test_advance_costs_one_fsync(tmp_path: Path, tool: Callable[[str], str]) -> None:
    """Durable, and no more often than that: flash wears out. Twenty advances more are twenty syncs more."""

    def syncs(advances: int) -> int:
        log = tmp_path / f"log{advances}"
        program = [sys.executable, "-c", _ADVANCES, str(tmp_path / f"state{advances}"), str(advances)]
        trace = [tool("strace"), "-f", "-e", "trace=fsync,fdatasync", "-o", str(log)]
        subprocess.run([*trace, *program], check=True, timeout=PATIENCE_S)
        return len(re.findall(r"^\d+ +f(?:data)?sync\(", log.read_text(), re.MULTILINE))

    assert syncs(30) - syncs(10) == 20


# -- the directory -----------------------------------------------------------------------------------------------------


def test_directory_and_files_are_for_their_owner_only(directory: Path) -> None:
    """URIs may carry signatures, so the umask is not trusted."""
    old = os.umask(0)
    try:
        with Store(directory) as store:
            store.accept(UPDATE, NOW)
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    finally:
        os.umask(old)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert modes == dict.fromkeys(["fwsm.db", "fwsm.db-shm", "fwsm.db-wal", "lock", "reserve"], 0o600)


def test_second_agent_is_refused(directory: Path, store: Store) -> None:
    """The first one goes on working, and its place is free once it has closed."""
    store.accept(UPDATE, NOW)
    with pytest.raises(StoreLockedError, match=f"process {os.getpid()} holds its lock. End that one first"):
        Store(directory)
    store.advance(entry_of(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW)))
    store.close()
    store.close()
    with Store(directory) as second:
        assert second.latest() is not None


def test_looking_works_beside_a_running_agent(directory: Path, store: Store) -> None:
    """It sees each commit, and does not take the lock when the agent ends either."""
    store.accept(UPDATE, NOW)
    with Store(directory, read_only=True) as looking:
        assert looking.latest() == UPDATE
        store.advance(entry_of(UPDATE, Trigger.POLICY_ALLOWED, Facts(now=NOW)))
        assert [row.state for row in looking.history()] == [State.WAITING, State.DOWNLOADING]
        store.close()
        with Store(directory) as restarted:
            assert restarted.latest() == looking.latest()


def test_looking_where_nobody_can_look_says_why(tmp_path: Path) -> None:
    """As if the user may not; here the name is one that no file can have."""
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / ("x" * 300), read_only=True)
    assert caught.value.what.startswith("cannot look for a database in ")
    assert caught.value.why == "File name too long"


@pytest.mark.parametrize("exists", [True, False])
def test_looking_where_nothing_is_says_so_and_makes_nothing(directory: Path, exists: bool) -> None:
    """A mistyped directory is not filled with an empty database."""
    if exists:
        directory.mkdir(parents=True)
    with pytest.raises(StoreError) as caught:
        Store(directory, read_only=True)
    assert str(caught.value) == (
        f"there is no database in {directory}. Check the state directory, or start the agent once: fwsm device run"
    )
    assert directory.exists() == exists
    assert not exists or not list(directory.iterdir())


def test_looking_at_a_database_without_tables_says_what_to_do(directory: Path) -> None:
    """The agent was killed before its first commit."""
    directory.mkdir(parents=True)
    (directory / "fwsm.db").touch()
    with pytest.raises(StoreError, match=r"the database lacks the table .*\. Start the agent once"):
        Store(directory, read_only=True)
    with Store(directory) as store:
        assert store.latest() is None


@pytest.mark.parametrize(
    ("place", "what"),
    [
        (Path("/proc/self"), "cannot open the lock /proc/self/lock"),
        (Path("/proc/fwsm/state"), "cannot make the state directory /proc/fwsm/state"),
        (Path("/dev/null"), "cannot make the state directory /dev/null"),
    ],
)
def test_directory_that_cannot_be_written_is_named(place: Path, what: str) -> None:
    """Even root cannot write there."""
    with pytest.raises(StoreError) as caught:
        Store(place)
    assert caught.value.what == what
    assert caught.value.why
    assert caught.value.fix


def test_a_look_from_another_process_leaves_the_log_in_place(directory: Path) -> None:
    """While an agent and its reporter hold the database, somebody else looks and goes: later commits are still seen."""
    look = f"""
from pathlib import Path
from fwsm.store import Store
with Store(Path({str(directory)!r}), read_only=True) as store:
    print(len(store.history()))
"""
    counts = []
    with Store(directory) as store, closing(store.outbox()):
        for number in range(3):
            store.accept(replace(UPDATE, id=f"update-{number}"), NOW)
            shown = subprocess.run([sys.executable, "-c", look], check=True, capture_output=True, text=True)
            counts.append(int(shown.stdout))
    assert counts == [1, 2, 3]


def test_state_of_a_newer_program_is_an_error_in_words(store: Store) -> None:
    """Firmware that was rolled back may find a state that it does not know; it says which and what to do."""
    store.accept(UPDATE, NOW)
    with sqlite3.connect(store.path) as second:
        second.execute("UPDATE updates SET state = 'levitating'")
        second.execute("UPDATE history SET state = 'levitating'")
    for read, what in ((store.latest, "the newest update"), (store.history, "the history")):
        with pytest.raises(
            StoreError, match=f"{what} in the database means nothing.*levitating.*The agent sets the file aside"
        ):
            read()
