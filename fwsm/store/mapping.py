"""Row <-> record. The form on disk is its own: renaming a field of `Update` must not change a column."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.moment import Deadline
from fwsm.core.update import Artifact, Failure, Progress, Request, State, Update
from fwsm.errors import Kind, StoreDamagedError
from fwsm.store.tables import UPDATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["changed_columns", "columns", "iso", "parse_iso", "understood", "update_of"]


# The fields of the record that lie in columns of other names or of another form: which part of the value is in which.
# Every other field lies in the column of its name, as it is.
_PARTS: Final = {
    "request": {"uri": "uri", "sha256": "sha256", "version": "version"},
    "state": {"state": "value"},
    "failure": {"failure_code": "code", "failure_message": "message", "failure_kind": "kind.value"},
    "deadline": {
        "due_boot_id": "boot_id",
        "due_boottime_s": "boottime_s",
        "due_wall_at": "wall_at",
        "due_span_s": "span_s",
    },
    "progress": {"progress_bytes": "bytes", "progress_total_bytes": "total_bytes"},
    "artifact": {"artifact_sha256": "sha256", "artifact_bytes": "bytes"},
}
_IN_PARTS: Final = {name: (tuple(parts), attrgetter(*parts.values())) for name, parts in _PARTS.items()}
_FIELDS: Final = tuple(field.name for field in fields(Update))
_values: Final = attrgetter(*_FIELDS)


def columns(update: Update) -> dict[str, Any]:
    """The record as column values of the table `updates`."""
    row: dict[str, Any] = {}
    for name, value in zip(_FIELDS, _values(update), strict=True):
        _put(row, name, value)
    return row


def changed_columns(before: Update, after: Update) -> dict[str, Any]:
    """The column values of the fields in which a record differs from the one before it: at each entry a few of many."""
    row: dict[str, Any] = {}
    for name, old, new in zip(_FIELDS, _values(before), _values(after), strict=True):
        if new is not old and new != old:
            _put(row, name, new)
    return row


def _put(row: dict[str, Any], field: str, value: Any) -> None:
    """Set the columns that a field lies in."""
    if field not in _IN_PARTS:
        row[field] = iso(value) if isinstance(value, datetime) else value
        return
    names, parts = _IN_PARTS[field]
    if value is None:
        row.update(dict.fromkeys(names))
        return
    found = parts(value) if len(names) > 1 else (parts(value),)
    for name, part in zip(names, found, strict=True):
        row[name] = iso(part) if isinstance(part, datetime) else part


def update_of(row: Mapping[str, Any]) -> Update:
    """The record that a row of `updates` stands for.

    Raises:
        ValueError: a value is of another type than its column, or means nothing.
    """
    _require_types(row)
    return Update(
        id=row["id"],
        request=Request(uri=row["uri"], sha256=row["sha256"], version=row["version"]),
        state=State.named(row["state"]),
        boot_id=row["boot_id"],
        attempt=row["attempt"],
        restarts=row["restarts"],
        resumed=row["resumed"],
        reboots=row["reboots"],
        damages=row["damages"],
        failure=_failure(row),
        rolled_back=bool(row["rolled_back"]),
        reason=row["reason"],
        until=parse_iso(row["until"]),
        deadline=_deadline(row),
        progress=_progress(row),
        artifact=_artifact(row),
        target_slot=row["target_slot"],
        started_waiting_at=parse_iso(row["started_waiting_at"]),
        download_complete_at=parse_iso(row["download_complete_at"]),
        started_applying_at=parse_iso(row["started_applying_at"]),
        applied_at=parse_iso(row["applied_at"]),
        reached_bytes=row["reached_bytes"],
    )


@contextmanager
def understood(what: str) -> Iterator[None]:
    """Turn a value that this program does not know, such as a newer one's state, into StoreDamagedError."""
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamagedError(
            f"{what} in the database means nothing to this program",
            why=str(error),
            fix="The agent sets the file aside; the program that wrote it can read it",
        ) from error


@lru_cache(maxsize=32)  # the times of a record are written again with each state that follows
def iso(at: datetime | None) -> str | None:
    """UTC as text that sorts like time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def parse_iso(text: str | None) -> datetime | None:
    """What `iso` wrote.

    Raises:
        ValueError: it did not write this. A time without its zone is none: it cannot be compared with the clock.
    """
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} is a time without its zone")
    return at


def _require_types(row: Mapping[str, Any]) -> None:
    """SQLite keeps any value in any column, so a damaged page need not look damaged."""
    for column in UPDATES.columns:
        value, kind = row[column.name], column.type.python_type
        fits = isinstance(value, (int, kind)) if kind in {float, bool} else type(value) is kind
        if not fits and not (value is None and column.nullable):
            raise ValueError(f"{column.name} is of type {type(value).__name__}")


def _failure(row: Mapping[str, Any]) -> Failure | None:
    if row["failure_code"] is None:
        return None
    return Failure(row["failure_code"], row["failure_message"] or "", _kind(row["failure_kind"]))


def _kind(text: str) -> Kind:
    """A kind that only a newer program knows is for a person to look at; nothing is repeated because of it."""
    return Kind(text) if text in set(Kind) else Kind.NEEDS_OPERATOR


def _deadline(row: Mapping[str, Any]) -> Deadline | None:
    if not _is_whole(row, "deadline"):
        return None
    wall_at = parse_iso(row["due_wall_at"])
    assert wall_at is not None  # noqa: S101  # it is part of the whole
    return Deadline(row["due_boot_id"], row["due_boottime_s"], wall_at, row["due_span_s"])


def _progress(row: Mapping[str, Any]) -> Progress | None:
    if row["progress_bytes"] is None:
        return None
    return Progress(row["progress_bytes"], row["progress_total_bytes"])


def _artifact(row: Mapping[str, Any]) -> Artifact | None:
    if not _is_whole(row, "artifact"):
        return None
    return Artifact(row["artifact_sha256"], row["artifact_bytes"])


def _is_whole(row: Mapping[str, Any], field: str) -> bool:
    """Whether a value that lies in several columns is there; a part of it is damage."""
    there = {name: row[name] is not None for name in _PARTS[field]}
    if len(set(there.values())) > 1:
        missing = ", ".join(name for name, is_there in there.items() if not is_there)
        raise ValueError(f"{missing} is missing from the {field}")
    return all(there.values())
