"""Row <-> record. The form on disk is its own: renaming a field of `Update` must not change a column."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fwsm.core.moment import Deadline
from fwsm.core.update import Artifact, Failure, Progress, Request, State, Update
from fwsm.errors import Kind, StoreDamagedError
from fwsm.store.tables import UPDATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["changed_columns", "columns", "iso", "parse_iso", "understood", "update_of"]


def columns(update: Update) -> dict[str, Any]:
    """The record as column values of the table `updates`."""
    failure, due, progress, artifact = update.failure, update.deadline, update.progress, update.artifact
    return {
        "id": update.id,
        "uri": update.request.uri,
        "sha256": update.request.sha256,
        "version": update.request.version,
        "state": update.state.value,
        "boot_id": update.boot_id,
        "attempt": update.attempt,
        "restarts": update.restarts,
        "resumed": update.resumed,
        "reboots": update.reboots,
        "damages": update.damages,
        "failure_code": failure.code if failure else None,
        "failure_message": failure.message if failure else None,
        "failure_kind": failure.kind.value if failure else None,
        "rolled_back": update.rolled_back,
        "reason": update.reason,
        "until": iso(update.until),
        "due_boot_id": due.boot_id if due else None,
        "due_boottime_s": due.boottime_s if due else None,
        "due_wall_at": iso(due.wall_at) if due else None,
        "due_span_s": due.span_s if due else None,
        "progress_bytes": progress.bytes if progress else None,
        "progress_total_bytes": progress.total_bytes if progress else None,
        "artifact_sha256": artifact.sha256 if artifact else None,
        "artifact_bytes": artifact.bytes if artifact else None,
        "target_slot": update.target_slot,
        "started_waiting_at": iso(update.started_waiting_at),
        "download_complete_at": iso(update.download_complete_at),
        "started_applying_at": iso(update.started_applying_at),
        "applied_at": iso(update.applied_at),
        "reached_bytes": update.reached_bytes,
    }


def changed_columns(before: Update, after: Update) -> dict[str, Any]:
    """The column values in which a record differs from the one before it."""
    old = columns(before)
    return {name: value for name, value in columns(after).items() if value != old[name]}


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
    """What `iso` wrote."""
    return datetime.fromisoformat(text) if text else None


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
    wall_at = parse_iso(row["due_wall_at"])
    if wall_at is None:
        return None
    return Deadline(row["due_boot_id"], row["due_boottime_s"], wall_at, row["due_span_s"])


def _progress(row: Mapping[str, Any]) -> Progress | None:
    if row["progress_bytes"] is None:
        return None
    return Progress(row["progress_bytes"], row["progress_total_bytes"])


def _artifact(row: Mapping[str, Any]) -> Artifact | None:
    return Artifact(row["artifact_sha256"], row["artifact_bytes"]) if row["artifact_sha256"] is not None else None
