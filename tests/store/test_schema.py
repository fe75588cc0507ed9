"""Migrations: all or nothing, only when needed, and kind to a program that is older than its database."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store.engine import connect, transaction
from fwsm.store.schema import HEAD, check, migrations_directory, prepare
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

_REVISIONS = sorted(path.name.split("_")[0] for path in (migrations_directory() / "versions").glob("*.py"))

_FAILS_HALF_WAY = '''
"""Adds a column and a table, then fails."""

from alembic import op
from sqlalchemy import Column, Text

revision = "9998"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("updates", Column("colour", Text))
    op.create_table("extras", Column("name", Text))
    op.execute("INSERT INTO extras VALUES ('one')")
    op.execute("INSERT INTO nowhere VALUES ('two')")
'''

_BEFORE_THE_FIRST = '''
"""What came before."""

revision = "0000"
down_revision = None


def upgrade() -> None:
    pass
'''


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database without tables."""
    connection = connect(tmp_path / "fwsm.db")
    yield connection
    connection.close()


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A copy of the migrations in which the real first revision has a predecessor and a successor that fails."""
    copy = tmp_path / "100% copy"
    shutil.copytree(migrations_directory(), copy, ignore=shutil.ignore_patterns("__pycache__"))
    versions = copy / "versions"
    first = versions / "0001_first.py"
    first.write_text(first.read_text().replace("down_revision = None", 'down_revision = "0000"'))
    (versions / "0000_before.py").write_text(_BEFORE_THE_FIRST)
    (versions / "9998_fails.py").write_text(_FAILS_HALF_WAY)
    return copy


def _schema(connection: Connection) -> list[tuple[object, ...]]:
    with transaction(connection, "cannot look"):
        return [tuple(row) for row in connection.exec_driver_sql("SELECT type, name, sql FROM sqlite_master")]


def _run(connection: Connection, *statements: str) -> None:
    with transaction(connection, "cannot write"):
        for statement in statements:
            connection.exec_driver_sql(statement)


def _revision(connection: Connection) -> object:
    with transaction(connection, "cannot look"):
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def _upgrade_to(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    with transaction(connection, "cannot upgrade"):
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_head_is_the_newest_revision_of_the_scripts() -> None:
    """The constant is kept by hand, so it is compared here, and there is one head only."""
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_files_are_named_after_their_revisions() -> None:
    """That is how a known revision is told from an unknown one without Alembic."""
    for path in (migrations_directory() / "versions").glob("*.py"):
        assert f'revision = "{path.name.split("_")[0]}"\n' in path.read_text()


def test_new_database_gets_the_schema(connection: Connection) -> None:
    """From nothing to the newest revision, and a second start changes nothing."""
    prepare(connection)
    assert _revision(connection) == HEAD
    before = _schema(connection)
    prepare(connection)
    assert _schema(connection) == before


def test_migration_that_fails_half_way_leaves_the_old_schema(connection: Connection, migrations: Path) -> None:
    """One that ran well before it in the same start is undone too, and so are rows, tables and columns."""
    _run(
        connection,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
        "INSERT INTO alembic_version VALUES ('0000')",
        "CREATE TABLE older (name TEXT)",
    )
    before = _schema(connection)
    for _ in range(2):
        with pytest.raises(StoreError, match="cannot bring the database schema up to date: no such table: nowhere"):
            prepare(connection, migrations)
        assert _schema(connection) == before
        assert _revision(connection) == "0000"


def test_new_database_stays_empty_when_a_migration_fails(connection: Connection, migrations: Path) -> None:
    """The next start, with a program that is mended, begins from nothing."""
    with pytest.raises(StoreError):
        prepare(connection, migrations)
    assert _schema(connection) == []
    (migrations / "versions" / "9998_fails.py").unlink()
    prepare(connection, migrations)
    assert _revision(connection) == HEAD


def test_database_of_a_newer_program_is_taken(connection: Connection) -> None:
    """Firmware that was rolled back meets it; more tables and columns than it knows do no harm."""
    prepare(connection)
    _run(
        connection,
        "ALTER TABLE updates ADD COLUMN colour TEXT",
        "CREATE TABLE extras (name TEXT)",
        "UPDATE alembic_version SET version_num = '9999'",
    )
    before = _schema(connection)
    prepare(connection)
    check(connection)
    assert (_schema(connection), _revision(connection)) == (before, "9999")


def test_database_that_lacks_a_column_is_refused(connection: Connection) -> None:
    """The message names column, table and both revisions, and nothing is touched."""
    prepare(connection)
    _run(
        connection,
        "ALTER TABLE updates DROP COLUMN target_slot",
        "ALTER TABLE updates DROP COLUMN reason",
        "UPDATE alembic_version SET version_num = '9999'",
    )
    before = _schema(connection)
    with pytest.raises(StoreError) as caught:
        prepare(connection)
    assert str(caught.value) == (
        "the database lacks reason, target_slot in table updates: "
        f"its schema revision is 9999, this program knows {HEAD}. "
        "Install the program that made it, or move the state directory away"
    )
    assert _schema(connection) == before


def test_looking_does_not_migrate(connection: Connection) -> None:
    """A command that only looks says what to do instead."""
    with pytest.raises(StoreError, match="the database lacks the table facts: its schema revision is None") as caught:
        check(connection)
    assert caught.value.fix == "Start the agent once, it brings the database up to date: fwsm device run"
    assert _schema(connection) == []


@pytest.mark.parametrize("filled", [(), ("INSERT INTO alembic_version VALUES ('0001'), ('another')",)])
def test_version_table_without_a_version_counts_as_none(connection: Connection, filled: tuple[str, ...]) -> None:
    """Another program may have emptied it, or filled it; the tables are made all the same."""
    _run(connection, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)", *filled)
    prepare(connection)
    assert _revision(connection) == HEAD


@pytest.mark.parametrize(
    "how",
    [
        "DROP TABLE alembic_version",
        "DELETE FROM alembic_version",
        "INSERT OR IGNORE INTO alembic_version VALUES ('0001'), ('0002')",
        "INSERT INTO alembic_version VALUES ('another')",
    ],
)
@pytest.mark.parametrize("revision", _REVISIONS)
def test_database_that_has_forgotten_its_revision_is_brought_up_to_date(
    connection: Connection, revision: str, how: str
) -> None:
    """Or says several: its columns tell which one it was, and its rows are kept."""
    _upgrade_to(connection, revision)
    _run(connection, "INSERT INTO facts VALUES ('reported', '7')", how)
    prepare(connection)
    check(connection)
    assert _revision(connection) == HEAD
    with transaction(connection, "cannot look"):
        assert connection.exec_driver_sql("SELECT value FROM facts").scalar() == "7"
    before = _schema(connection)
    prepare(connection)
    assert _schema(connection) == before


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("updates (name TEXT)", "the database lacks the table facts: its schema revision is None"),
        ("incidents (name TEXT)", "table incidents already exists"),
    ],
)
def test_tables_of_somebody_else_are_not_taken_for_ours(connection: Connection, table: str, said: str) -> None:
    """Nothing is added to them."""
    _run(connection, f"CREATE TABLE {table}")
    before = _schema(connection)
    with pytest.raises(StoreDamagedError, match=said):
        prepare(connection)
    assert _schema(connection) == before


def test_tables_that_do_not_collide_are_left_alone(connection: Connection) -> None:
    """A database without ours is one without a revision; they are made beside."""
    _run(connection, "CREATE TABLE notes (text TEXT)")
    prepare(connection)
    assert _revision(connection) == HEAD
    assert ("table", "notes", "CREATE TABLE notes (text TEXT)") in _schema(connection)


def test_alembic_is_imported_only_when_there_is_work(tmp_path: Path) -> None:
    """It costs a start 50 ms and 5 MB, so a start with a current schema does without."""
    start = (
        "import sys; from pathlib import Path; from fwsm.store import Store; "
        "Store(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", start, str(tmp_path / "state")],
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        ).stdout
        for _ in range(2)
    ]
    assert told == ["True\n", "False\n"]
