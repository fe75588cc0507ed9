"""What is old is forgotten; what is not told yet, or not settled, never is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.desired import Acknowledgement
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.errors import ConfigError, StoreDamagedError
from fwsm.store import Retention, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WALL = datetime(2026, 5, 4, 12, tzinfo=UTC)
ENTRIES = 2  # of an update that is cancelled at once


class Years:
    """A device that has an update a day, each cancelled at once, for as long as the test wants."""

    def __init__(self, directory: Path, retention: Retention) -> None:
        self.store = Store(directory, retention=retention)
        self.outbox = self.store.outbox()
        self.day = 0

    def close(self) -> None:
        """Let go of the database."""
        self.outbox.close()
        self.store.close()

    @property
    def now(self) -> Moment:
        """Noon of the day."""
        return Moment(WALL + timedelta(days=self.day), 1000.0, "boot-1")

    def take(self) -> Update:
        """Take the update of this day."""
        request = Request("https://images.example/fw")
        update = Update(id=f"u{self.day}", request=request, state=State.WAITING, boot_id="boot-1")
        self.store.accept(update, self.now)
        return update

    def pass_day(self, *, told: bool = True, **known: Any) -> None:
        """Take an update, end it, tell it, and let a day go by."""
        Lifecycle([self.store.advance]).fire(self.take(), Trigger.CANCELLED, Facts(now=self.now, **known))
        if told:
            self.tell()
        self.day += 1

    def tell(self) -> None:
        """Let the hub have all that waits."""
        if pending := self.outbox.pending(1000):
            self.outbox.acknowledge(pending[-1].number)

    def remember(self, days: int) -> None:
        """Let so many days have passed like the last one, without living through them."""
        with closing(sqlite3.connect(self.store.path)) as other:
            for table in ("updates", "history"):
                rows = [list(row) for row in other.execute(f"SELECT * FROM {table} ORDER BY number")]
                for day in range(self.day, self.day + days):
                    for number, row in enumerate(rows, start=1):
                        row[:2] = [day * len(rows) + number, f"u{day}"]
                        other.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)
            other.commit()
        self.day += days
        self.tell()

    @property
    def remembered(self) -> list[str]:
        """Whose entries there are, each named once, oldest first."""
        return list(dict.fromkeys(row.update_id for row in self.store.history()))

    def updates(self) -> list[str]:
        """Whose records there are."""
        with closing(sqlite3.connect(self.store.path)) as other:
            return [row[0] for row in other.execute("SELECT id FROM updates ORDER BY number")]


@pytest.fixture
def years(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Years]:
    """A device with the retention that the test names."""
    years = Years(tmp_path / "state", request.param)
    yield years
    years.close()


def keeping(retention: Retention) -> pytest.MarkDecorator:
    """The retention of the test's device."""
    return pytest.mark.parametrize("years", [retention], indirect=True, ids=[""])


@keeping(Retention(entries=4 * ENTRIES, days=0))
def test_the_newest_entries_are_kept(years: Years) -> None:
    """When an update is taken, there is so much before it; the records of updates go with their entries."""
    for _ in range(10):
        years.pass_day()
    assert years.remembered == ["u5", "u6", "u7", "u8", "u9"]
    assert years.updates() == years.remembered


@keeping(Retention(entries=0, days=3))
def test_entries_of_some_days_are_kept(years: Years) -> None:
    """However many there are; measured when an update is taken, from the entry before it."""
    for _ in range(10):
        years.pass_day()
    assert years.remembered == ["u5", "u6", "u7", "u8", "u9"]


@keeping(Retention(entries=0, days=0))
def test_without_a_limit_nothing_is_forgotten(years: Years) -> None:
    """Zero stands for none."""
    for _ in range(10):
        years.pass_day()
    assert len(years.remembered) == 10


@keeping(Retention(entries=1, days=0.001))
def test_what_is_not_told_is_never_forgotten(years: Years) -> None:
    """Days offline: all of it waits, in order, and nothing but what was told before goes."""
    for day in range(8):
        years.pass_day(told=day < 3)
    assert years.remembered == ["u3", "u4", "u5", "u6", "u7"]
    assert [report.update_id for report in years.outbox.pending()][::ENTRIES] == ["u3", "u4", "u5", "u6", "u7"]
    years.tell()
    years.pass_day()
    assert years.remembered == ["u7", "u8"]


@keeping(Retention(entries=1, days=0.001))
def test_an_update_that_is_not_settled_is_never_forgotten(years: Years) -> None:
    """Not even entries of it that were told long ago; what ends it forgets what was before it."""
    years.pass_day()
    update = years.take()
    years.tell()
    years.day += 1000
    lifecycle = Lifecycle([lambda entry: years.store.accept(replace(update, id="next"), years.now, superseding=entry)])
    lifecycle.fire(update, Trigger.SUPERSEDED, Facts(now=years.now))
    assert years.remembered == ["u1", "next"]
    assert [row.state for row in years.store.history("u1")] == [State.WAITING, State.DOWNLOAD_FAILED]


@keeping(Retention(entries=1, days=0))
def test_a_number_never_comes_twice(years: Years) -> None:
    """The hub would be told too little: the cursor is a number."""
    seen: list[int] = []
    for day in range(6):
        years.pass_day()
        years.store.acknowledge(Acknowledgement(version=day, digest="d", code=200, text="done"), years.now)
        seen += [report.number for report in years.outbox.pending()]
        years.tell()
    assert seen == sorted(set(seen))


@keeping(Retention(entries=0, days=30))
def test_a_clock_that_is_wrong_for_once_forgets_nothing(years: Years) -> None:
    """A device without a battery may come up in any year."""
    for _ in range(3):
        years.pass_day()
    right, years.day = years.day, 36500
    years.take()
    years.day = right
    assert years.remembered == ["u0", "u1", "u2", "u36500"]


@keeping(Retention(entries=0, days=10_000_000))
def test_a_limit_before_all_time_is_none(years: Years) -> None:
    """No calendar reaches so far back."""
    years.pass_day()
    years.pass_day()
    assert years.remembered == ["u0", "u1"]


@keeping(Retention(entries=ENTRIES, days=0))
def test_when_firmware_was_last_applied_is_never_forgotten(years: Years) -> None:
    """The twin shows it, whatever has failed since."""
    applied = replace(years.take(), state=State.APPLY_COMPLETE, applied_at=WALL)
    with closing(sqlite3.connect(years.store.path)) as other:
        other.execute("UPDATE updates SET state = 'applyComplete', applied_at = ?", (WALL.isoformat(),))
        other.commit()
    years.tell()
    for _ in range(8):
        years.day += 1
        years.pass_day()
    assert applied.id in years.updates()
    assert applied.id not in years.remembered
    section = years.outbox.section()
    assert section is not None
    assert section["lastFirmwareUpdate"] is not None


@keeping(Retention(entries=50, days=0))
def test_much_is_forgotten_bit_by_bit_and_the_file_stays_as_it_is(years: Years) -> None:
    """Whoever sets a limit after years has no commit that takes long; then one update takes the room of another."""
    years.pass_day()
    years.remember(299)
    lengths = []
    for _ in range(4):
        years.pass_day()
        lengths.append(len(years.store.history()))
    assert lengths == [346, 92, 52, 52]
    assert len(years.updates()) == 26


@keeping(Retention(days=1))
@pytest.mark.parametrize("text", ["noon", "2026-05-04T12:00:00"])
def test_a_time_that_is_none_is_damage(years: Years, text: str) -> None:
    """Then the database is set aside, as with all that is damaged; it is no end of the program."""
    years.pass_day()
    with closing(sqlite3.connect(years.store.path)) as other, other:
        other.execute("UPDATE history SET at = ?", (text,))
    with pytest.raises(StoreDamagedError, match="the history in the database means nothing"):
        years.take()
    assert isinstance(years.store.trouble, StoreDamagedError)


@pytest.mark.parametrize(("entries", "days"), [(-1, 1), (1, -1), (1, float("nan")), (1, float("inf"))])
def test_a_limit_that_is_none_is_refused(entries: int, days: float) -> None:
    """In words."""
    with pytest.raises(ConfigError, match=r"the history cannot be kept for .*Give 0 for no limit"):
        Retention(entries=entries, days=days)
