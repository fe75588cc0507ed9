"""The outbox: what the hub has not been told yet, in order, over restarts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from fwsm.core.desired import Acknowledgement
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.twin import section, wrapped
from fwsm.errors import StoreError
from fwsm.store import Outbox, Store
from fwsm.store.reserve import Reserve
from tests.store.entries import NOW, UPDATE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in which one update has come as far as `downloadComplete`."""
    with Store(tmp_path / "state") as store:
        store.accept(UPDATE, NOW)
        lifecycle, update = Lifecycle([store.advance]), UPDATE
        for trigger in (Trigger.POLICY_ALLOWED, Trigger.DOWNLOAD_VERIFIED):
            update = lifecycle.fire(update, trigger, Facts(now=NOW))
        yield store


@pytest.fixture
def outbox(store: Store) -> Iterator[Outbox]:
    """The reporter's side of it."""
    outbox = store.outbox()
    yield outbox
    outbox.close()


def _statuses(outbox: Outbox) -> list[object]:
    return [report.patch["iothubDM"]["firmwareUpdate"]["status"] for report in outbox.pending()]


def test_reports_come_in_the_order_of_the_history(store: Store, outbox: Outbox) -> None:
    """One for each entry, with the number of its row; the first shows the whole update."""
    reports = outbox.pending()
    assert [report.number for report in reports] == [row.number for row in store.history()]
    assert _statuses(outbox) == ["waiting", "downloading", "downloadComplete"]
    assert reports[0].patch == wrapped(section(UPDATE))


def test_oldest_reports_come_first_when_there_are_too_many(outbox: Outbox) -> None:
    """The limit cuts off the newest."""
    assert [report.number for report in outbox.pending(2)] == [1, 2]


def test_acknowledged_reports_do_not_come_again(outbox: Outbox) -> None:
    """Up to the number and including it; what lies behind it stays."""
    outbox.acknowledge(2)
    assert _statuses(outbox) == ["downloadComplete"]
    outbox.acknowledge(3)
    assert outbox.pending() == []


def test_a_cursor_behind_the_end_of_the_history_holds_nothing_back(store: Store, outbox: Outbox) -> None:
    """It comes from damage. What had been told is told again, which a twin does not notice, and the cursor is right."""
    outbox.acknowledge(1000)
    store.accept(replace(UPDATE, id="u2"), NOW)
    assert [report.number for report in outbox.pending()] == [1, 2, 3, 4]
    outbox.acknowledge(4)
    assert outbox.pending() == []


def test_new_entries_appear_behind_the_cursor(store: Store, outbox: Outbox) -> None:
    """The agent writes on another connection."""
    outbox.acknowledge(3)
    store.accept(replace(UPDATE, id="u2"), NOW)
    assert [report.number for report in outbox.pending()] == [4]


def test_cursor_survives_a_restart(tmp_path: Path, store: Store, outbox: Outbox) -> None:
    """What was acknowledged before the process ended is not sent again by the next one."""
    outbox.acknowledge(2)
    outbox.close()
    store.close()
    with Store(tmp_path / "state") as reopened:
        again = reopened.outbox()
        assert _statuses(again) == ["downloadComplete"]
        again.close()


def test_closing_twice_does_no_harm(outbox: Outbox) -> None:
    """The reporter and whoever stops it may both do so."""
    outbox.close()
    outbox.close()


def test_trouble_with_the_database_is_told_as_such(tmp_path: Path) -> None:
    """Both directions say what could not be done."""
    outbox = Outbox(tmp_path / "empty.db", Reserve(tmp_path / "empty.db"))
    with pytest.raises(StoreError, match="cannot open the database"):
        outbox.pending()
    assert list(tmp_path.iterdir()) == []  # to make one is the agent's affair
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreError, match="cannot read the reports: no such table"):
        outbox.pending()
    with pytest.raises(StoreError, match="cannot store what was reported: no such table"):
        outbox.acknowledge(1)
    outbox.close()


def test_what_tells_of_no_update_needs_nothing_that_was_said_before(store: Store, outbox: Outbox) -> None:
    """It is whole by itself; what another one said may not be so any more."""
    for version in (1, 2):
        store.acknowledge(Acknowledgement(version, None, 200, "done"), NOW)
    *told, acknowledgement = outbox.pending()
    assert outbox.earlier(acknowledgement) == []
    assert outbox.earlier(told[2]) == told[:2]


def test_a_closed_outbox_stays_closed(store: Store, outbox: Outbox) -> None:
    """A reporter that was left behind may come back with an answer; by then another agent may have gone on."""
    outbox.acknowledge(1)
    outbox.close()
    for late in (lambda: outbox.acknowledge(2), outbox.pending):
        with pytest.raises(StoreError, match="the database is closed"):
            late()
    another = store.outbox()
    assert [report.number for report in another.pending()] == [2, 3]
    another.close()


def test_a_write_that_fails_is_made_again_on_a_new_connection(store: Store, outbox: Outbox) -> None:
    """One that was opened while the disk failed may be able to read only, for ever."""
    outbox.pending()
    used = outbox._connection
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("CREATE TRIGGER broken BEFORE INSERT ON facts BEGIN SELECT RAISE(ABORT, 'broken'); END")
        with pytest.raises(StoreError, match="cannot store what was reported: broken"):
            outbox.acknowledge(2)
        other.execute("DROP TRIGGER broken")
    outbox.acknowledge(2)
    assert outbox._connection is not used
    assert _statuses(outbox) == ["downloadComplete"]
