"""What was done about the desired property, on disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.desired import Acknowledgement
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Trigger
from fwsm.core.update import Request, State, Update
from fwsm.errors import StoreError
from fwsm.store import Store
from fwsm.testing.clock import FakeClock
from tests.store.entries import entry_of

if TYPE_CHECKING:
    from pathlib import Path

NOW = FakeClock().now()
UPDATE = Update(id="u1", request=Request("https://images.example/fw"), state=State.WAITING, boot_id="boot-1")


def _reports(store: Store) -> list[dict[str, Any]]:
    with closing(store.outbox()) as outbox:
        return [report.patch["iothubDM"]["firmwareUpdate"] for report in outbox.pending()]


def _statement(store: Store, text: str) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as second:
        second.execute(text)


def test_it_is_kept_and_told(tmp_path: Path, store: Store) -> None:
    """The newest counts; each is a report in line with the others, and none is an entry into a state."""
    assert store.acknowledged() is None
    first, second = Acknowledgement(3, "d1", 400, "no", again=False), Acknowledgement(4, None, 200, "", again=True)
    store.acknowledge(first, NOW)
    assert store.acknowledged() == first
    store.acknowledge(second, NOW)
    assert store.history() == []
    assert _reports(store) == [first.patch(), second.patch()]
    store.close()
    with Store(tmp_path) as reopened:
        assert reopened.acknowledged() == second


def test_what_it_caused_is_kept_with_it(store: Store) -> None:
    """A new update, and the end of one: both or nothing."""
    told = Acknowledgement(3, "d1", 200, "update u1 was started")
    refused = "BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
    _statement(store, f"CREATE TRIGGER broken BEFORE INSERT ON facts {refused}")
    with pytest.raises(StoreError, match="broken on purpose"):
        store.accept(UPDATE, NOW, acknowledging=told)
    assert store.latest() is None
    _statement(store, "DROP TRIGGER broken")
    store.accept(UPDATE, NOW, acknowledging=told)
    assert store.acknowledged() == told
    assert _reports(store)[1] == told.patch()
    gone = Acknowledgement(4, None, 200, "cancelled")
    cancelled = entry_of(UPDATE, Trigger.CANCELLED, Facts(now=NOW))
    _statement(store, f"CREATE TRIGGER broken BEFORE UPDATE ON facts {refused}")
    with pytest.raises(StoreError, match="broken on purpose"):
        store.advance(cancelled, acknowledging=gone)
    with pytest.raises(StoreError, match="broken on purpose"):
        store.acknowledge(gone, NOW)
    assert (store.latest(), store.acknowledged()) == (UPDATE, told)
    _statement(store, "DROP TRIGGER broken")
    store.advance(cancelled, acknowledging=gone)
    assert store.acknowledged() == gone
    assert _reports(store)[-1] == gone.patch()
