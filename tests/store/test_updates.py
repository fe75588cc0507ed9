"""The records: the newest counts, and no other one moves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from fwsm.errors import StoreError
from fwsm.store.prepared import reading, writing
from fwsm.store.updates import change_update, last_applied_update, latest_update
from tests.store.entries import NOW, UPDATE, allowed

if TYPE_CHECKING:
    from fwsm.store import Store


def test_advance_changes_its_own_update_only(store: Store) -> None:
    """Older updates stay as they ended."""
    older = replace(UPDATE, id="u0", state=State.APPLY_COMPLETE)
    store.accept(older, NOW)
    store.accept(UPDATE, NOW)
    store.advance(allowed(UPDATE, NOW))
    with closing(sqlite3.connect(store.path)) as second:
        found = second.execute("SELECT id, state FROM updates ORDER BY number").fetchall()
    assert found == [("u0", "applyComplete"), ("u1", "downloading")]


def test_only_the_newest_update_moves(store: Store) -> None:
    """Whoever holds on to an older one is told, and nothing is written."""
    store.accept(UPDATE, NOW)
    store.accept(replace(UPDATE, id="u2"), NOW)
    with pytest.raises(StoreError, match="update u1 is not the newest one"):
        store.advance(allowed(UPDATE, NOW))
    assert len(store.history()) == 2


def test_newest_update_is_the_latest(store: Store) -> None:
    """By order of arrival; ids and times say nothing."""
    for name in ("b", "c", "a"):
        store.accept(replace(UPDATE, id=name), NOW)
    assert store.latest() == replace(UPDATE, id="a")


def test_the_last_update_that_was_applied_is_found_behind_newer_ones(store: Store) -> None:
    """The twin shows when that was."""
    applied = replace(UPDATE, id="u0", state=State.APPLY_COMPLETE, applied_at=NOW.wall)
    with reading(store._connection, "cannot read") as driver:
        assert last_applied_update(driver) is None
        store.accept(applied, NOW)
        store.accept(UPDATE, NOW)
        assert (last_applied_update(driver), latest_update(driver)) == (applied, UPDATE)


def test_an_entry_that_changes_nothing_writes_no_record(store: Store) -> None:
    """Only its row of the history."""
    store.accept(UPDATE, NOW)
    with writing(store._connection, "cannot write") as driver:
        before = driver.total_changes
        change_update(driver, UPDATE, UPDATE)
        assert driver.total_changes == before
