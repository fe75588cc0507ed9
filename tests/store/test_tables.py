"""The tables as the program sees them are the tables that the migrations make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.store.engine import connect, transaction
from fwsm.store.schema import prepare
from fwsm.store.tables import METADATA

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection


def _shape(connection: Connection, table: str) -> dict[str, Any]:
    """Name, type, NOT NULL, default and place in the primary key of each column; unique columns; AUTOINCREMENT."""
    query = connection.exec_driver_sql
    indexes = [row[1] for row in query(f"PRAGMA index_list({table})") if row[2]]
    made_by = str(query(f"SELECT sql FROM sqlite_master WHERE name = '{table}'").scalar())
    return {
        "columns": {row[1]: tuple(row)[2:] for row in query(f"PRAGMA table_info({table})")},
        "unique": sorted(tuple(row[2] for row in query(f"PRAGMA index_info({index})")) for index in indexes),
        "autoincrement": "AUTOINCREMENT" in made_by,
    }


def test_migrations_make_the_tables_that_the_program_knows(tmp_path: Path) -> None:
    """Column by column; what differs is shown."""
    migrated, declared = connect(tmp_path / "migrated.db"), connect(tmp_path / "declared.db")
    prepare(migrated)
    with transaction(declared, "cannot make the tables"):
        METADATA.create_all(declared)
    with transaction(migrated, "cannot look"), transaction(declared, "cannot look"):
        for table in METADATA.tables:
            shape = _shape(migrated, table)
            assert shape["columns"]
            assert shape == _shape(declared, table)
    migrated.close()
    declared.close()
