"""A DBOS workflow on SQLite: begun with the first report, then a step for each further state that returns its report.

DBOS keeps the input of a workflow and what each step returns, so all seven reports are in its database. `synchronous`
is FULL, which is SQLite's default and not changed by DBOS. Further argument: the journal mode. DBOS leaves it as it is
(`delete`: a rollback journal, as durable); with `wal`, the database is in that mode before DBOS opens it.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from dbos import DBOS
from turns import given, take_turns

folder, recorded, (journal,) = given()
first, *others = [commit["history"]["report"] for commit in recorded["commits"]]


@DBOS.step()  # type: ignore[misc]
def enter(report: str) -> str:
    """Enter a state; what is returned is durable before the next step begins."""
    return report


@DBOS.workflow()  # type: ignore[misc]
def update(_report: str) -> None:
    """One update."""
    for report in others:
        enter(report)


def main() -> None:
    """Take turns until the input ends."""
    path = folder / "dbos.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
    DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{path}", "log_level": "ERROR"})
    DBOS.launch()
    take_turns(lambda: update(first))
    DBOS.destroy()


if __name__ == "__main__":
    main()
