"""The same commits through bare `sqlite3`: the same tables, the same columns, the same values.

Further arguments: the page size in bytes, and after how many pages the log is moved into the database.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from turns import given, take_turns

if TYPE_CHECKING:
    from pathlib import Path


class ByHand:
    """One connection, and statements that are written once."""

    def __init__(self, path: Path, recorded: dict[str, Any], page_bytes: int, checkpoint_pages: int) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        settings = f"page_size={page_bytes}", "journal_mode=WAL", f"wal_autocheckpoint={checkpoint_pages}"
        for setting in (*settings, "synchronous=FULL"):
            self._connection.execute(f"PRAGMA {setting}")
        for statement in recorded["schema"]:
            self._connection.execute(statement)
        first, *others = recorded["commits"]
        self._begin = (_insert("updates", first["row"]), list(first["row"].values()))
        self._changes = [(_update(commit["row"]), list(commit["row"].values())) for commit in others]
        self._note = _insert("history", first["history"])
        self._history = [list(commit["history"].values()) for commit in recorded["commits"]]

    def __call__(self) -> None:
        """Seven commits: a row added, then changed six times, and a row of the history with each."""
        begin, *others = self._history
        number = self._commit(*self._begin, begin)
        for (statement, values), history in zip(self._changes, others, strict=True):
            self._commit(statement, [*values, number], history)

    def _commit(self, statement: str, values: list[Any], history: list[Any]) -> int:
        self._connection.execute("BEGIN IMMEDIATE")
        number = self._connection.execute(statement, values).lastrowid or 0
        self._connection.execute(self._note, history)
        self._connection.execute("COMMIT")
        return number


def _insert(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"


def _update(row: dict[str, Any]) -> str:
    return f"UPDATE updates SET {', '.join(f'{name} = ?' for name in row)} WHERE number = ?"


def main() -> None:
    """Take turns until the input ends."""
    folder, recorded, (page_bytes, checkpoint_pages) = given()
    take_turns(ByHand(folder / "by_hand.db", recorded, int(page_bytes), int(checkpoint_pages)))


if __name__ == "__main__":
    main()
