"""The state of a hub in SQLite: one table of JSON records, one transaction a turn.

WAL with `synchronous=FULL`: a commit that returned survives a power cut, and its cost is one fsync for all that a turn
wrote. A record that changed several times in a turn is written once.
"""

from __future__ import annotations

import json
import os
import sqlite3
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fwsm.hub.state import Recordable

__all__ = ["DiskState"]

# Stored in `user_version`; a hub refuses a file that a newer one has written.
_SCHEMA_VERSION = 2

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS record (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID, STRICT
"""


class DiskState:
    """A `State` that survives the hub.

    Args:
        path: the database file, made with mode 0600 if it is missing.

    Raises:
        HubError: the file cannot be opened as a hub's database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed: dict[tuple[str, str], Recordable | None] = {}
        try:
            # SQLite gives its side files the mode of the database.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            # Opened by the thread that starts the hub, used from then on by the hub's thread alone.
            # The lock of the directory keeps other hubs out, so nobody is worth waiting for.
            self._database = sqlite3.connect(path, timeout=0.2, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._database.close()
            raise self._unusable(error) from error
        except HubError:
            self._database.close()
            raise

    def load(self, kind: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return all committed records of a kind, with their keys, in the order of the keys."""
        rows = self._database.execute("SELECT key, body FROM record WHERE kind = ? ORDER BY key", (kind,))
        return [(key, json.loads(body)) for key, body in rows]

    def put(self, kind: str, key: str, value: Recordable | None) -> None:
        """Note that this record is to become `value`; None deletes it."""
        self._changed[kind, key] = value

    def commit(self) -> None:
        """Write all that was noted in one durable transaction.

        Raises:
            HubError: it could not be written; the notes are kept for the next commit.
        """
        if not self._changed:
            return
        kept = [(kind, key, json.dumps(v.record())) for (kind, key), v in self._changed.items() if v is not None]
        gone = [place for place, value in self._changed.items() if value is None]
        try:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._database.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", kept)
                self._database.executemany("DELETE FROM record WHERE kind = ? AND key = ?", gone)
                self._database.execute("COMMIT")
            except sqlite3.Error:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise HubError(
                f"the hub could not write to {self._path}",
                why=str(error),
                fix="Make room on the disk; what was not acknowledged will be sent again.",
            ) from error
        self._changed.clear()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        if version > _SCHEMA_VERSION:
            raise HubError(
                f"the hub cannot use {self._path}",
                why=f"a newer hub has written it (schema {version}, this one knows {_SCHEMA_VERSION})",
                fix="Use the newer hub, or give this one a directory of its own.",
            )
        self._database.execute(_SCHEMA)
        self._database.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    def _unusable(self, error: Exception) -> HubError:
        return HubError(
            f"the hub cannot use {self._path}",
            why=str(error),
            fix="Restore the file from a backup, or delete it to begin with an empty registry.",
        )
