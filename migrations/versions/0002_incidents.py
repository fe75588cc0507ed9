"""What went wrong beside the update, and how far a download ever got.

Revision ID: 0002
Revises: 0001
"""

from alembic import op
from sqlalchemy import Column, Integer, Text

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a table and a column."""
    op.create_table(
        "incidents",
        Column("number", Integer, primary_key=True),
        Column("at", Text, nullable=False),
        Column("boot_id", Text, nullable=False),
        Column("update_id", Text),
        Column("code", Text, nullable=False),
        Column("message", Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.add_column("updates", Column("reached_bytes", Integer, nullable=False, server_default="0"))
