"""Opens the database of an agent, so that the device comes up whatever has become of it.

What is damaged is set aside, and a new database takes its place. What cannot be used just now, because the disk is full
or read-only or somebody else holds a lock, is told and tried again later. Only another agent, and a state directory
that is none, are reasons to give up.

Nothing is checked that costs: a start reads the newest update, and SQLite notices damage where it reads. A check of
every page would wear on every start for something that hardly ever happens.
"""

from __future__ import annotations

import errno
import logging
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fwsm.errors import StoreDamagedError, StoreError, StoreLockedError
from fwsm.store.engine import connect, look
from fwsm.store.loss import Loss, read_loss
from fwsm.store.mapping import understood
from fwsm.store.prepared import reading
from fwsm.store.salvage import require_files, salvage
from fwsm.store.schema import check, prepare
from fwsm.store.updates import latest_update

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from fwsm.store.reserve import Reserve
    from fwsm.store.salvage import Shelf

__all__ = ["looked_at", "make_directory", "may_pass", "opened", "set_aside", "unsettled"]

_log = logging.getLogger(__name__)

# What may be otherwise one day, without anybody changing the configuration.
_PASSING: Final = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EIO}


def make_directory(directory: Path) -> None:
    """Make the state directory, with mode 0700 if it is missing.

    Raises:
        StoreError: it cannot be made, and the cause is an OSError; or it is read-only.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        fix = "Name another directory with --state-dir, or make it and give it to the user that this program runs as"
        raise StoreError(f"cannot make the state directory {directory}", why=str(error), fix=fix) from error
    if os.statvfs(directory).f_flag & os.ST_RDONLY:  # SQLite and the lock would say it less well
        raise StoreError(
            f"the state directory {directory} cannot be written",
            why="its file system is mounted read-only",
            fix="Mount it for writing, and look why it was not",
        )


def may_pass(error: StoreError) -> bool:
    """Whether the device comes up all the same: not if another agent or the configuration is the cause."""
    cause = error.__cause__
    nonsense = isinstance(cause, OSError) and cause.errno not in _PASSING
    return not isinstance(error, StoreLockedError) and not nonsense


def opened(path: Path, shelf: Shelf, reserve: Reserve) -> Connection:
    """A connection to the database, or to a new one in its place.

    Args:
        path: the database.
        shelf: where to set it aside.
        reserve: what is given up if there is no room even to open it.

    Raises:
        StoreError: it cannot be used just now.
    """
    try:
        return reserve.backed(lambda: _ready(path))
    except StoreDamagedError as error:
        set_aside(shelf, error)
    return reserve.backed(lambda: _ready(path))


def set_aside(shelf: Shelf, damage: StoreDamagedError) -> None:
    """Make room for a new database.

    Args:
        shelf: where what stands there goes; nothing if nothing does.
        damage: why it cannot be used.

    Raises:
        StoreError: it cannot be set aside just now.
    """
    _log.error("%s", damage)
    aside = shelf.put(datetime.now(UTC))
    if aside is not None:
        _log.warning("the database was set aside as %s", aside)


def looked_at(path: Path) -> Connection:
    """A connection that only reads, for whoever looks beside a running agent.

    Raises:
        StoreError: there is no database, or it cannot be used.
    """
    try:
        there = path.is_file()
    except OSError as error:
        raise StoreError(
            f"cannot look for a database in {path.parent}",
            why=error.strerror or str(error),
            fix="Check the state directory, and look as a user who may read it",
        ) from error
    if not there:
        raise StoreError(
            f"there is no database in {path.parent}",
            fix="Check the state directory, or start the agent once: fwsm device run",
        )
    connection = look(path)
    try:
        check(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def unsettled(connection: Connection, shelf: Shelf) -> Loss | None:
    """The loss that is still to be written into the database; None if there is none."""
    newest = shelf.unsettled()
    if newest is None:
        return None
    with reading(connection, "cannot read what was lost") as driver, understood("the newest update"):
        known = read_loss(driver) == newest.name or latest_update(driver) is not None
    if known:
        shelf.settle()
        return None
    return Loss(newest.name, salvage(newest))


def _ready(path: Path) -> Connection:
    """A connection to a database in which at least the schema and the newest update are in order."""
    require_files(path)
    connection = connect(path)
    try:
        prepare(connection)
        with reading(connection, "cannot read the update") as driver, understood("the newest update"):
            latest_update(driver)
    except BaseException:
        connection.close()
        raise
    return connection
