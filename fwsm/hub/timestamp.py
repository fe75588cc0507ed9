"""Time as IoT Hub writes it: ISO 8601 in UTC with seven digits of a second."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["NEVER", "moment", "timestamp"]

# What the hub shows for a time that has not come yet.
NEVER = "0001-01-01T00:00:00Z"


def timestamp(at: float) -> str:
    """Return `at`, in epoch seconds, as `2026-11-23T10:00:00.1234560Z`."""
    return f"{datetime.fromtimestamp(at, UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}0Z"


def moment(text: str) -> float:
    """Return the epoch seconds of an ISO 8601 time; without a zone it is UTC. Raises ValueError for anything else."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
