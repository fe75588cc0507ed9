"""Forgets what is old: by count and by age, whichever comes first.

Never forgotten is what the hub has not been told yet, anything of an update that is not settled, and the newest row of
a table, because its number would come again. It is done in the transaction that takes a new update, so it costs no
sync of its own, and the pages that it frees take up the rows of that update: the file stays as large as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, or_, select

from fwsm.errors import ConfigError
from fwsm.store.mapping import iso, parse_iso, understood
from fwsm.store.outbox import TOLD
from fwsm.store.prepared import Prepared
from fwsm.store.tables import HISTORY, UPDATES

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime

__all__ = ["Retention", "prune"]

# So many rows are looked at at once, and as many again while all of them were old. An update has some ten, hardly ever
# a hundred; so what one adds is forgotten with the next, whoever sets a limit after years has no commit that takes
# long, and where nothing is old hardly anything is read.
_AT_ONCE: Final = 32
_TIMES: Final = 8


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of the history is kept.

    Attributes:
        entries: so many of the newest entries; an update has some ten, of about 300 bytes each. 0 for no limit.
        days: none that is older. 0 for no limit.

    Raises:
        ConfigError: a number is negative.
    """

    entries: int = 2000
    days: float = 730.0

    def __post_init__(self) -> None:
        for name in ("entries", "days"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ConfigError(
                    f"the history cannot be kept for {value!r} {name}",
                    why="it must be a number from 0 on",
                    fix="Give 0 for no limit",
                )


_NEWEST_ENTRY: Final = Prepared(select(HISTORY.c.number, HISTORY.c.at).order_by(HISTORY.c.number.desc()).limit(1))
_newest_first: Final = UPDATES.c.number.desc()
_NEWEST_UPDATE: Final = select(UPDATES.c.id).order_by(_newest_first).limit(1).scalar_subquery()
_LAST_APPLIED: Final = (
    select(UPDATES.c.number).where(UPDATES.c.applied_at.is_not(None)).order_by(_newest_first).limit(1).scalar_subquery()
)
_OLDEST: Final = (
    select(HISTORY.c.number, HISTORY.c.update_id, HISTORY.c.at).order_by(HISTORY.c.number).limit(_AT_ONCE).subquery()
)
_OLD: Final = select(_OLDEST.c.number).where(
    _OLDEST.c.number < bindparam("newest"),
    _OLDEST.c.number <= func.coalesce(TOLD, 0),
    _OLDEST.c.update_id != func.coalesce(_NEWEST_UPDATE, ""),
    or_(_OLDEST.c.number <= bindparam("counted_out"), _OLDEST.c.at < bindparam("before")),
)
_ANY_OLD: Final = Prepared(_OLD.limit(1))  # mostly none is, and to delete nothing takes three times as long
_FORGET_ENTRIES: Final = Prepared(HISTORY.delete().where(HISTORY.c.number.in_(_OLD)))
# The update of the oldest entry that is left, and all that are older but the last one that was applied: the twin shows
# when that was.
_OLDEST_LEFT: Final = (
    select(UPDATES.c.number)
    .where(
        UPDATES.c.id
        == select(HISTORY.c.update_id)
        .where(HISTORY.c.update_id != "")
        .order_by(HISTORY.c.number)
        .limit(1)
        .scalar_subquery()
    )
    .order_by(UPDATES.c.number)
    .limit(1)
    .scalar_subquery()
)
_FORGET_UPDATES: Final = Prepared(
    UPDATES.delete().where(UPDATES.c.number < _OLDEST_LEFT, UPDATES.c.number != func.coalesce(_LAST_APPLIED, 0))
)


def prune(driver: sqlite3.Connection, retention: Retention, now: datetime) -> None:
    """Forget what is old, in the transaction that takes a new update, before that is there.

    Args:
        driver: in a transaction.
        retention: how much is kept.
        now: UTC wall time. A clock that is wrong for once forgets nothing: the newest entry must be as late.

    Raises:
        StoreDamagedError: the time of the newest entry is none.
    """
    newest = _NEWEST_ENTRY.run(driver).fetchone()
    if newest is None:
        return
    number, text = newest
    with understood("the history"):
        at = parse_iso(text)
    values = {
        "newest": number,
        "counted_out": number - retention.entries if retention.entries else 0,
        "before": _before(retention, min(now, at or now)),
    }
    if not _ANY_OLD.rows(driver, values):
        return
    for _ in range(_TIMES):
        if _FORGET_ENTRIES.run(driver, values).rowcount < _AT_ONCE:
            break
    _FORGET_UPDATES.run(driver)


def _before(retention: Retention, now: datetime) -> str | None:
    """The text of the time before which nothing is kept; it sorts before all others if there is no such time."""
    try:
        return iso(now - timedelta(days=retention.days)) if retention.days else ""
    except OverflowError:  # a clock that is before all history
        return ""
