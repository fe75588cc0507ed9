"""The tables as the program sees them. What is on disk is made by the migrations; a test holds both together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, Table, Text

__all__ = ["FACTS", "HISTORY", "INCIDENTS", "METADATA", "UPDATES"]

METADATA: Final = MetaData()

# One row an update; the newest is the one that counts, and the only one that changes. Times are ISO 8601 in UTC. There
# is no index on `id`: it would be one more page to write, and rows are few.
UPDATES: Final = Table(
    "updates",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("sha256", Text),
    Column("version", Text),
    Column("state", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("restarts", Integer, nullable=False),
    Column("resumed", Integer, nullable=False),
    Column("reboots", Integer, nullable=False),
    Column("damages", Integer, nullable=False),
    Column("failure_code", Text),
    Column("failure_message", Text),
    Column("failure_kind", Text),
    Column("rolled_back", Boolean, nullable=False),
    Column("reason", Text),
    Column("until", Text),
    Column("due_boot_id", Text),
    Column("due_boottime_s", Float),
    Column("due_wall_at", Text),
    Column("due_span_s", Float),
    Column("progress_bytes", Integer),
    Column("progress_total_bytes", Integer),
    Column("artifact_sha256", Text),
    Column("artifact_bytes", Integer),
    Column("target_slot", Text),
    Column("started_waiting_at", Text),
    Column("download_complete_at", Text),
    Column("started_applying_at", Text),
    Column("applied_at", Text),
    Column("reached_bytes", Integer, nullable=False, server_default="0"),
)

# One row an entry into a state, for ever in order. `report` is what it changes of the section on the twin: the outbox.
# What the twin is told of the desired property stands in line with it, as a row without a state (an empty text). The
# newest row is never deleted, so no number comes twice; AUTOINCREMENT would write one more page at every commit.
HISTORY: Final = Table(
    "history",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("update_id", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("trigger", Text, nullable=False),
    Column("source", Text),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("failure_code", Text),
    Column("report", Text, nullable=False),
)

# What else the device knows of itself: the outbox's cursor, what was last done about the desired property.
FACTS: Final = Table(
    "facts",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

# What went wrong beside the update: a hook that raised, a database that was lost. For people who look for the reason.
INCIDENTS: Final = Table(
    "incidents",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("at", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("update_id", Text),
    Column("code", Text, nullable=False),
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)
