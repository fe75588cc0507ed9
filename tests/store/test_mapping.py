"""Records go to rows and come back the same, through SQLite itself."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, delete, insert, select

from fwsm.core.moment import Deadline
from fwsm.core.update import Artifact, Failure, Progress, Request, State, Update
from fwsm.errors import Kind
from fwsm.store.mapping import changed_columns, columns, iso, parse_iso, update_of
from fwsm.store.tables import METADATA, UPDATES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

_counts = st.integers(0, 2**63 - 1)
_walls = st.datetimes(timezones=st.just(UTC))
_seconds = st.floats(0, allow_infinity=True, allow_nan=False)
_strategies: dict[str, st.SearchStrategy[object]] = {
    "id": st.text(),
    "request": st.builds(Request, st.text(), st.none() | st.text(), st.none() | st.text()),
    "state": st.sampled_from(State),
    "boot_id": st.text(),
    "attempt": _counts,
    "restarts": _counts,
    "resumed": _counts,
    "reboots": _counts,
    "damages": _counts,
    "failure": st.none() | st.builds(Failure, st.text(), st.text(), st.sampled_from(Kind)),
    "rolled_back": st.booleans(),
    "reason": st.none() | st.text(),
    "until": st.none() | _walls,
    "deadline": st.none() | st.builds(Deadline, st.text(), _seconds, _walls, _seconds),
    "progress": st.none() | st.builds(Progress, _counts, st.none() | _counts),
    "artifact": st.none() | st.builds(Artifact, st.text(), _counts),
    "target_slot": st.none() | st.text(),
    "started_waiting_at": st.none() | _walls,
    "download_complete_at": st.none() | _walls,
    "started_applying_at": st.none() | _walls,
    "applied_at": st.none() | _walls,
    "reached_bytes": st.integers(0, 2**62),
}


@pytest.fixture(scope="module")
def memory() -> Iterator[Connection]:
    """A database in memory with the tables of the store."""
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        METADATA.create_all(connection)
        yield connection
    engine.dispose()


@given(values=st.fixed_dictionaries(_strategies))
def test_any_record_comes_back_as_it_was(memory: Connection, values: dict[str, object]) -> None:
    """Written, read and put together again, every field is equal, absent ones included."""
    update = Update(**values)  # type: ignore[arg-type]
    memory.execute(delete(UPDATES))
    memory.execute(insert(UPDATES), columns(update))
    row = memory.execute(select(UPDATES)).mappings().one()
    assert update_of(dict(row)) == update


@given(before=st.fixed_dictionaries(_strategies), after=st.fixed_dictionaries(_strategies), data=st.data())
def test_what_changed_makes_one_record_of_the_other(
    before: dict[str, object], after: dict[str, object], data: st.DataObject
) -> None:
    """Nothing is written that stays, and whatever differs is."""
    names = data.draw(st.sets(st.sampled_from(sorted(_strategies))))
    old = Update(**before)  # type: ignore[arg-type]
    new = Update(**before | {name: after[name] for name in names})  # type: ignore[arg-type]
    changed = changed_columns(old, new)
    assert {**columns(old), **changed} == columns(new)
    assert (old == new) == (not changed)
    assert changed.keys() <= columns(Update(**after)).keys()  # type: ignore[arg-type]


def test_every_field_is_tried() -> None:
    """A new field of the record has to be stored, and to be named above."""
    assert set(_strategies) == {field.name for field in fields(Update)}


def test_columns_are_those_of_the_table() -> None:
    """All but the number, which the database gives."""
    update = Update(id="u1", request=Request("https://h/i"), state=State.WAITING, boot_id="boot-1")
    assert {*columns(update), "number"} == {column.name for column in UPDATES.columns}


def test_time_on_disk_is_utc_and_sorts_like_time() -> None:
    """Whatever zone it came in."""
    noon = datetime(2026, 5, 4, 12, 0, 0, 5, tzinfo=UTC)
    in_zurich = noon.astimezone(timezone(timedelta(hours=2)))
    assert iso(in_zurich) == "2026-05-04T12:00:00.000005+00:00"
    assert parse_iso(iso(in_zurich)) == noon
    assert iso(None) is None
    assert parse_iso(None) is None


@pytest.mark.parametrize("text", ["", "2026-05-04T12:00:00", "noon"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    """One without a zone could be read, and then not be compared with the clock."""
    with pytest.raises(ValueError, match=r"isoformat string|without its zone"):
        parse_iso(text)


@pytest.mark.parametrize(
    "column", ["due_boot_id", "due_boottime_s", "due_wall_at", "due_span_s", "artifact_sha256", "artifact_bytes"]
)
def test_a_value_of_which_a_part_is_missing_is_damage(column: str) -> None:
    """Else it were found by whatever looks at the missing part, and that is no time to end the program."""
    update = Update(
        id="u1",
        request=Request("https://h/i"),
        state=State.DOWNLOADING,
        boot_id="boot-1",
        deadline=Deadline("boot-1", 60.0, datetime(2026, 5, 4, tzinfo=UTC), 60.0),
        artifact=Artifact("0" * 64, 5),
    )
    row = {"number": 1, **columns(update)}
    assert update_of(row) == update
    with pytest.raises(ValueError, match=f"^{column} is missing from the "):
        update_of({**row, column: None})


@given(first=_walls, second=_walls)
def test_times_sort_as_texts(first: datetime, second: datetime) -> None:
    """The database can order them."""
    assert (first < second) == (str(iso(first)) < str(iso(second)))
