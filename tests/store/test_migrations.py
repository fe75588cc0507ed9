"""Migrations only add, so that an older program works on with what a newer one has made; and they are all or nothing.

Whatever ends a migration, a kill, a full disk or a broken one, the next start finds the old schema with its rows, or
the new one.
"""

from __future__ import annotations

import ast
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from fwsm.errors import Kind, StoreError, StoreFullError
from fwsm.store import Store
from fwsm.store.schema import HEAD, migrations_directory
from tests.device.life import OTHER, URI, Life
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = Path(__file__).parent / "databases" / "0001" / "confirming.db"
VERSIONS = sorted((migrations_directory() / "versions").glob("*.py"))

# -- what a migration may do -------------------------------------------------------------------------------------------


def _objections(source: str) -> list[str]:
    """What in a migration could hurt a program that is older than it."""
    found: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            if node.name != "upgrade":
                found.append(f"function {node.name}")
            found.extend(problem for step in node.body[1:] for problem in _of_step(step))
    return found


def _of_step(step: ast.stmt) -> list[str]:
    match step:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("op"), "create_table"))):
            return []
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("op"), "create_index")) as call):
            return ["unique index"] if _given(call, "unique") else []
        case ast.Expr(ast.Call(ast.Attribute(ast.Name("op"), "add_column"), [_, ast.Call() as column])):
            kept_out = _given(column, "nullable") == "False" and _given(column, "server_default") is None
            return ["NOT NULL without a server default"] if kept_out else []
        case _:
            return [ast.unparse(step)]


def _given(call: ast.Call, name: str) -> str | None:
    return next((ast.unparse(keyword.value) for keyword in call.keywords if keyword.arg == name), None)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_only_adds(path: Path) -> None:
    """Tables, columns and indexes; a column that must have a value brings one for rows that do not name it."""
    assert _objections(path.read_text()) == []


@pytest.mark.parametrize(
    ("step", "objection"),
    [
        ('op.drop_column("updates", "reason")', "op.drop_column('updates', 'reason')"),
        ('op.rename_table("updates", "jobs")', "op.rename_table('updates', 'jobs')"),
        ('op.execute("DELETE FROM history")', "op.execute('DELETE FROM history')"),
        ('op.create_index("i", "updates", ["id"], unique=True)', "unique index"),
        ('op.add_column("updates", Column("a", Text, nullable=False))', "NOT NULL without a server default"),
    ],
)
def test_a_migration_that_takes_away_is_seen(step: str, objection: str) -> None:
    """The check itself is checked."""
    assert _objections(f'def upgrade():\n    """Change."""\n    {step}\n') == [objection]


# -- a database that a newer program has made --------------------------------------------------------------------------

_NEWER = """
ALTER TABLE updates ADD COLUMN colour TEXT;
ALTER TABLE updates ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;
ALTER TABLE history ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;
CREATE TABLE extras (name TEXT NOT NULL);
CREATE INDEX by_update ON history (update_id);
INSERT INTO extras VALUES ('kept');
UPDATE alembic_version SET version_num = '9999';
"""


def test_an_older_program_carries_out_a_whole_update_on_a_newer_database(tmp_path: Path) -> None:
    """After firmware was rolled back; and the newer one then finds its own values and all that happened meanwhile."""
    life = Life(tmp_path / "state")
    life.start()
    _update(life, URI)
    life.end()
    with closing(sqlite3.connect(tmp_path / "state" / "fwsm.db")) as newer:
        newer.executescript(_NEWER)
        newer.execute("UPDATE updates SET colour = 'red', weight = 8")
        newer.commit()
    life.start()  # the older program: this one
    assert life.store is not None
    assert life.store.trouble is None
    _update(life, OTHER)
    life.end()
    with closing(sqlite3.connect(tmp_path / "state" / "fwsm.db")) as newer:
        found = newer.execute("SELECT id, state, colour, weight FROM updates ORDER BY number").fetchall()
        entries = newer.execute("SELECT update_id, weight FROM history WHERE state = 'applyComplete'").fetchall()
        rest = newer.execute("SELECT (SELECT version_num FROM alembic_version), (SELECT name FROM extras)").fetchone()
    assert found == [("u1", "applyComplete", "red", 8), ("u2", "applyComplete", None, 7)]
    assert entries == [("u1", 7), ("u2", 7)]
    assert rest == ("9999", "kept")


def _update(life: Life, uri: str) -> None:
    life.call(payload={"fwPackageUri": uri})
    life.step_until(State.REBOOTING)
    life.agent.step(life.clock.now())
    life.reboot()
    life.step_until(State.APPLY_COMPLETE)
    life.report()
    assert life.outbox.pending() == []


@pytest.mark.parametrize(("runs", "end"), [(True, State.APPLY_COMPLETE), (False, State.APPLY_FAILED)])
def test_a_step_of_a_newer_program_ends_by_what_runs(tmp_path: Path, runs: bool, end: State) -> None:
    """A child of `applying` that this program does not have: it cannot do it, so it looks which image runs."""
    life = Life(tmp_path / "state")
    life.start()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.agent.step(life.clock.now())
    life.end()
    _overwrite(life, "state", "applying.migratingData")
    life.board.accepts = runs
    life.reboot()
    assert life.step_until(end).rolled_back is not runs
    life.report()
    assert life.link.section["status"] == end


def test_a_kind_of_failure_of_a_newer_program_is_for_a_person(tmp_path: Path) -> None:
    """The code and the message are shown as they are, and a retry works."""
    life = Life(tmp_path / "state")
    life.start()
    life.call(payload={"fwPackageUri": URI})
    life.call("firmwareUpdateCancel")
    life.end()
    _overwrite(life, "failure_kind", "needsMoon")
    life.start()
    assert life.store is not None
    assert life.store.trouble is None
    assert life.agent.update is not None
    assert life.agent.update.failure is not None
    assert (life.agent.update.failure.code, life.agent.update.failure.kind) == ("cancelled", Kind.NEEDS_OPERATOR)
    assert life.call("firmwareUpdateRetry")[0] == 200
    life.step_until(State.REBOOTING)
    life.end()


def _overwrite(life: Life, column: str, value: str) -> None:
    with closing(sqlite3.connect(life.directory / "fwsm.db")) as connection:
        connection.execute(f"UPDATE updates SET {column} = ?", (value,))
        connection.commit()


# -- a migration that does not come to its end -------------------------------------------------------------------------

_DIES_IN_THE_MIDDLE = '''
"""Adds a column and a table, and the power goes."""

import os
import signal

from alembic import op
from sqlalchemy import Column, Text

revision = "9998"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("updates", Column("colour", Text))
    op.create_table("extras", Column("name", Text))
    os.kill(os.getpid(), signal.SIGKILL)
'''
_MIGRATE = """
import sys
from pathlib import Path
from fwsm.store.engine import connect
from fwsm.store.schema import prepare
prepare(connect(Path(sys.argv[1])), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A state directory with a database of the first revision, in the middle of an update."""
    state_dir = tmp_path / "state"
    state_dir.mkdir()
    shutil.copyfile(OLD, state_dir / "fwsm.db")
    return state_dir


def _require_old_or_new(state_dir: Path) -> str:
    """The revision, once all rows and columns are those of it; then the present program takes it up."""
    with closing(sqlite3.connect(state_dir / "fwsm.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        (revision,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        columns = {row[1] for row in connection.execute("PRAGMA table_info(updates)")}
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        states = [row[0] for row in connection.execute("SELECT state FROM history ORDER BY number")]
    assert len(states) == 6
    assert ("reached_bytes" in columns, "incidents" in tables) == (revision == HEAD,) * 2
    assert not {"colour", "extras"} & (columns | tables)
    with Store(state_dir) as store:
        assert (store.trouble, store.loss) == (None, None)
        update = store.latest()
        assert update is not None
        assert update.state is State.CONFIRMING
        assert [row.state for row in store.history()] == states
    return str(revision)


def test_a_kill_in_the_middle_of_a_migration_leaves_the_old_schema(old: Path, tmp_path: Path) -> None:
    """Two revisions behind: the one that was done before the kill is gone as well."""
    copy = tmp_path / "migrations"
    shutil.copytree(migrations_directory(), copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "versions" / "9998_dies.py").write_text(_DIES_IN_THE_MIDDLE)
    died = subprocess.run(
        [sys.executable, "-c", _MIGRATE, str(old / "fwsm.db"), str(copy)], check=False, timeout=PATIENCE_S
    )
    assert died.returncode == -signal.SIGKILL
    assert _require_old_or_new(old) == "0001"


@pytest.mark.parametrize("when", [1, 2, 7, 13])
def test_a_kill_at_any_write_of_the_migration_is_survived(
    old: Path, tmp_path: Path, when: int, tool: Callable[[str], str]
) -> None:
    """Strace kills at the so manieth write to the log: at its head, between its pages, before the last."""
    wal = old / "fwsm.db-wal"
    trace = [tool("strace"), "-f", "-P", str(wal), "-o", str(tmp_path / "trace")]
    inject = ["-e", "trace=pwrite64", "-e", f"inject=pwrite64:signal=SIGKILL:when={when}"]
    died = subprocess.run(
        [*trace, *inject, sys.executable, "-c", _MIGRATE, str(old / "fwsm.db")], check=False, timeout=PATIENCE_S
    )
    assert died.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}
    assert (tmp_path / "trace").read_text().count("pwrite64(") == when
    assert _require_old_or_new(old) == "0001"


@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_disk_that_fails_during_the_migration_leaves_the_old_schema(
    old: Path, tmp_path: Path, call: str, error: str, tool: Callable[[str], str]
) -> None:
    """The start says so, and the next one migrates."""
    trace = [tool("strace"), "-f", "-P", str(old / "fwsm.db-wal"), "-o", str(tmp_path / "trace")]
    inject = ["-e", f"trace={call}", "-e", f"inject={call}:error={error}:when=1+"]
    failed = subprocess.run(
        [*trace, *inject, sys.executable, "-c", _MIGRATE, str(old / "fwsm.db")],
        check=False,
        timeout=PATIENCE_S,
        capture_output=True,
        text=True,
    )
    kind = StoreFullError if (call, error) == ("pwrite64", "ENOSPC") else StoreError
    assert f"{kind.__name__}: cannot bring the database schema up to date: " in failed.stderr
    assert "INJECTED" in (tmp_path / "trace").read_text()
    assert _require_old_or_new(old) == "0001"
