"""What happened, row by row, and what the twin is told of it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

from fwsm.core.desired import Acknowledgement
from fwsm.store.history import ACCEPTED, RESTORED
from tests.store.entries import NOW, UPDATE, allowed

if TYPE_CHECKING:
    from fwsm.store import Store


def test_a_row_that_is_no_entry_is_not_shown(store: Store) -> None:
    """What the twin is told of the desired property stands in line with the reports, and moves no update."""
    store.acknowledge(Acknowledgement(version=1, digest="d", code=200, text="done"), NOW)
    store.accept(UPDATE, NOW)
    assert [(row.number, row.trigger, row.source) for row in store.history()] == [(2, ACCEPTED, None)]
    assert [report.number for report in store.outbox().pending()] == [1, 2]


def test_an_update_that_was_known_elsewhere_is_no_new_one(store: Store) -> None:
    """Its first row says so, and the twin is told all of it, with what made it necessary."""
    store.restore(UPDATE, NOW, code="storeLost", message="it was gone")
    assert [row.trigger for row in store.history()] == [RESTORED]
    (report,) = store.outbox().pending()
    shown = report.patch["iothubDM"]["firmwareUpdate"]
    assert (shown["updateId"], shown["incident"]["code"]) == ("u1", "storeLost")


def test_history_shows_the_newest_oldest_first(store: Store) -> None:
    """Of one update or of all; the limit cuts off the oldest."""
    for name in ("a", "b", "a2"):
        store.accept(replace(UPDATE, id=name), NOW)
    store.advance(allowed(replace(UPDATE, id="a2"), NOW))
    assert [row.number for row in store.history()] == [1, 2, 3, 4]
    assert [row.number for row in store.history(limit=2)] == [3, 4]
    assert [row.number for row in store.history("a2")] == [3, 4]
    assert [row.number for row in store.history("a2", limit=1)] == [4]
    assert store.history("unknown") == []


def test_report_is_json_without_a_blank(store: Store) -> None:
    """It is the largest part of what is written."""
    store.accept(UPDATE, NOW)
    with closing(sqlite3.connect(store.path)) as second:
        (report,) = second.execute("SELECT report FROM history").fetchone()
    assert report == json.dumps(json.loads(report), separators=(",", ":"))
