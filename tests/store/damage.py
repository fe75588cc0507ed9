"""Ways in which a database on flash goes bad, for the tests of whatever must come up all the same.

Each is played on the files that a killed process leaves behind: the database, its write-ahead log and shared memory.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["DAMAGES", "left_behind"]

_PAGE_BYTES: Final = 512


def left_behind(directory: Path, target: Path) -> Path:
    """What a kill at this moment leaves of a state directory, as a copy."""
    target.mkdir()
    for path in directory.glob("fwsm.db*"):
        shutil.copyfile(path, target / path.name)
    return target / "fwsm.db"


def _fold(path: Path) -> None:
    """Move the log into the database, as a clean end does."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def _overwrite(path: Path, at_bytes: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(at_bytes)
        file.write(random.Random(5).randbytes(count))


def _header(path: Path) -> None:
    _fold(path)
    _overwrite(path, 0, 100)


def _pages(path: Path) -> None:
    _fold(path)
    _overwrite(path, _PAGE_BYTES, path.stat().st_size - _PAGE_BYTES)


def _one_page(path: Path) -> None:
    """The page in which the table of updates begins."""
    _fold(path)
    connection = sqlite3.connect(path)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'updates'").fetchone()
    connection.close()
    _overwrite(path, (page - 1) * _PAGE_BYTES, _PAGE_BYTES)


def _log(path: Path) -> None:
    _overwrite(path.with_name("fwsm.db-wal"), 32, 4096)


def _shared_memory(path: Path) -> None:
    path.with_name("fwsm.db-shm").write_bytes(random.Random(6).randbytes(32768))


def _half(path: Path) -> None:
    _fold(path)
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _gone(path: Path) -> None:
    path.unlink()


def _log_gone(path: Path) -> None:
    path.with_name("fwsm.db-wal").unlink()


def _all_gone(path: Path) -> None:
    for part in path.parent.glob("fwsm.db*"):
        part.unlink()


def _text(path: Path) -> None:
    path.write_text("this is no database\n" * 200)


def _directory(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def _column(path: Path) -> None:
    _sql(path, "ALTER TABLE updates DROP COLUMN attempt")


def _tables(path: Path) -> None:
    _sql(path, "DROP TABLE alembic_version")


def _state(path: Path) -> None:
    _sql(path, "UPDATE updates SET state = 'levitating'")


def _type(path: Path) -> None:
    _sql(path, "UPDATE updates SET resumed = 'many'")


def _no_text(path: Path) -> None:
    _sql(path, "UPDATE updates SET uri = CAST(x'ff80' AS TEXT)")


def _sql(path: Path, statement: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    connection.close()


DAMAGES: Final[Mapping[str, Callable[[Path], None]]] = {
    "header": _header,
    "all pages": _pages,
    "one page": _one_page,
    "log": _log,
    "shared memory": _shared_memory,
    "half": _half,
    "empty": _empty,
    "gone": _gone,
    "log gone": _log_gone,
    "all gone": _all_gone,
    "text": _text,
    "directory": _directory,
    "link": _link,
    "column": _column,
    "tables": _tables,
    "state": _state,
    "type": _type,
    "no text": _no_text,
}
"""What to do to the files behind a path, by name."""
