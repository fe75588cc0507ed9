"""Updates, history and facts.

Revision ID: 0001
Revises:
"""

from alembic import op
from sqlalchemy import Boolean, Column, Float, Integer, Text

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the first three tables."""
    op.create_table(
        "updates",
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
    )
    op.create_table(
        "history",
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
    op.create_table(
        "facts",
        Column("name", Text, primary_key=True),
        Column("value", Text, nullable=False),
    )
