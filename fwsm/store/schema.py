"""Brings the schema up to date at every start, in one transaction.

Migrations only add. Firmware that is rolled back brings an older program to a newer database, and it must work there;
so a revision that this program does not know is fine as long as every column it needs is there.

A database that does not say its revision any more, or says several, but holds the tables, is as good as it was: which
revision it has is seen from its columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.errors import StoreDamagedError
from fwsm.store.engine import transaction
from fwsm.store.prepared import reading
from fwsm.store.tables import METADATA

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import Connection

__all__ = ["HEAD", "check", "migrations_directory", "prepare"]

# The newest revision in migrations/. Compared here by hand, so that Alembic is imported only when there is work for it.
HEAD: Final = "0002"
# The revision of a database that holds the tables of this program, but not every column.
_FIRST: Final = "0001"


def prepare(connection: Connection, migrations: Path | None = None) -> None:
    """Make the schema fit this program.

    Args:
        connection: to the database.
        migrations: Alembic's directory; None for the one that came with this program.

    Raises:
        StoreError: a migration failed, and the old schema is still there; or the database lacks what is needed.
    """
    with reading(connection, "cannot read the schema") as driver:
        revision = _revision(driver)
        forgotten = _forgotten(driver) if revision is None else None
    if revision == HEAD:
        return
    migrations = migrations or migrations_directory()
    known = {path.name.split("_")[0] for path in (migrations / "versions").glob("*.py")}
    fix = "Install the program that made it, or move the state directory away"
    if revision is None or revision in known:
        with transaction(connection, "cannot bring the database schema up to date"):
            _upgrade(connection, migrations, forgotten)
            _require(connection, revision, fix)
    else:
        _require(connection, revision, fix)


def check(connection: Connection) -> None:
    """Look whether the schema fits this program, without changing it.

    Raises:
        StoreError: the database lacks what is needed.
    """
    with reading(connection, "cannot read the schema") as driver:
        revision = _revision(driver)
    _require(connection, revision, "Start the agent once, it brings the database up to date: fwsm device run")


def migrations_directory() -> Path:
    """Where the migrations are: beside this module in an installed package, at the top of a checkout."""
    inside = Path(__file__).parent / "migrations"
    return inside if inside.is_dir() else Path(__file__).parents[2] / "migrations"


def _revision(driver: sqlite3.Connection) -> str | None:
    tables = driver.execute("SELECT 1 FROM sqlite_master WHERE type='table' AND name='alembic_version'")
    if tables.fetchone() is None:
        return None
    rows = driver.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(rows[0][0]) if len(rows) == 1 else None


def _forgotten(driver: sqlite3.Connection) -> str:
    """The revision of a database that does not say it; the one before the first if it has none of the tables."""
    if not _columns_there(driver, "updates"):
        return "base"
    return _FIRST if _missing(driver) else HEAD


def _upgrade(connection: Connection, migrations: Path, forgotten: str | None) -> None:
    """Run the migrations from the revision that the database says, or has forgotten, to the newest."""
    from alembic import command  # noqa: PLC0415  # 50 ms and 5 MB that a normal start does without
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.attributes["connection"] = connection
    if forgotten is not None:
        command.stamp(config, forgotten, purge=True)
    command.upgrade(config, "head")


def _require(connection: Connection, revision: str | None, fix: str) -> None:
    """Raise unless every column that this program needs is there."""
    with reading(connection, "cannot read the schema") as driver:
        missing = _missing(driver)
    if missing is not None:
        raise StoreDamagedError(
            f"the database lacks {missing}",
            why=f"its schema revision is {revision}, this program knows {HEAD}",
            fix=fix,
        )


def _missing(driver: sqlite3.Connection) -> str | None:
    """What of the first table that is not whole is missing, in words; None if all of them are."""
    for table in METADATA.sorted_tables:
        there = _columns_there(driver, table.name)
        missing = {column.name for column in table.columns} - there
        if missing:
            return f"{', '.join(sorted(missing))} in table {table.name}" if there else f"the table {table.name}"
    return None


def _columns_there(driver: sqlite3.Connection, table: str) -> set[str]:
    return {row[1] for row in driver.execute(f"PRAGMA table_info({table})")}
