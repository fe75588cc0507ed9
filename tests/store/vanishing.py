"""Ways in which the files of a database go under the feet of the agent that has them open."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["VANISHINGS"]


def _removed(path: Path) -> None:
    for part in path.parent.glob("fwsm.db*"):
        part.unlink()


def _log_left(path: Path) -> None:
    path.unlink()


def _log_removed(path: Path) -> None:
    path.with_name("fwsm.db-wal").unlink()


def _replaced(path: Path) -> None:
    """Somebody puts a backup back, as it was, beside the log of today."""
    backup = path.with_name("backup")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    backup.rename(path)


def _emptied(path: Path) -> None:
    """All of the state directory."""
    shutil.rmtree(path.parent)
    path.parent.mkdir()


def _moved_away(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved away"))


def _file_for_directory(path: Path) -> None:
    _moved_away(path)
    path.parent.touch()


VANISHINGS: Final[Mapping[str, Callable[[Path], None]]] = {
    "removed": _removed,
    "log left": _log_left,
    "log removed": _log_removed,
    "replaced": _replaced,
    "emptied": _emptied,
    "moved away": _moved_away,
    "file for directory": _file_for_directory,
}
"""What to do to the files behind a path, by name."""
