"""python-statemachine with a persisted model, in the pattern of its documentation: setting `state` stores it.

Further argument: what stores it. `sqlite3` is the fastest there is; `orm` is SQLAlchemy's, as frameworks do it. Either
writes the state and the report in one durable commit (WAL, synchronous=FULL).
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from statemachine import State, StateMachine
from turns import given, take_turns

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS = ("journal_mode=WAL", "synchronous=FULL")


class Lifecycle(StateMachine):
    """The same seven states and six transitions."""

    waiting = State(initial=True)
    downloading = State()
    download_complete = State()
    installing = State()
    rebooting = State()
    confirming = State()
    apply_complete = State(final=True)

    policy_allowed = waiting.to(downloading) | download_complete.to(installing)
    download_verified = downloading.to(download_complete)
    installed = installing.to(rebooting)
    restarted = rebooting.to(confirming)
    health_confirmed = confirming.to(apply_complete)


class Model:
    """A model that is stored whenever the machine sets its state."""

    def __init__(self, store: Callable[[str, str], object], reports: list[str]) -> None:
        self._store = store
        self._reports = iter(reports)
        self._state: str | None = None

    @property
    def state(self) -> str | None:
        """Where the update stands."""
        return self._state

    @state.setter
    def state(self, value: str) -> None:
        self._state = value
        self._store(value, next(self._reports))


class Bare:
    """Rows through bare `sqlite3`."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)
        for setting in SETTINGS:
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.execute("CREATE TABLE updates (number INTEGER PRIMARY KEY, state TEXT)")
        self._connection.execute("CREATE TABLE history (number INTEGER PRIMARY KEY, state TEXT, report TEXT)")

    def begin(self) -> Callable[[str, str], object]:
        """What stores the states of one more update."""
        number: int | None = None

        def store(state: str, report: str) -> None:
            nonlocal number
            self._connection.execute("BEGIN IMMEDIATE")
            if number is None:
                number = self._connection.execute("INSERT INTO updates (state) VALUES (?)", (state,)).lastrowid
            else:
                self._connection.execute("UPDATE updates SET state = ? WHERE number = ?", (state, number))
            self._connection.execute("INSERT INTO history (state, report) VALUES (?, ?)", (state, report))
            self._connection.execute("COMMIT")

        return store


class Base(DeclarativeBase):
    """The tables of the ORM."""


class UpdateRow(Base):
    """One update."""

    __tablename__ = "updates"
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]


class HistoryRow(Base):
    """One entry into a state."""

    __tablename__ = "history"
    number: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    report: Mapped[str]


class Orm:
    """Rows through a session that is held."""

    def __init__(self, path: Path) -> None:
        engine = create_engine(f"sqlite:///{path}")

        @event.listens_for(engine, "connect")
        def configure(connection: sqlite3.Connection, _record: object) -> None:
            for setting in SETTINGS:
                connection.execute(f"PRAGMA {setting}")

        Base.metadata.create_all(engine)
        self._session = Session(engine)

    def begin(self) -> Callable[[str, str], object]:
        """What stores the states of one more update."""
        update = UpdateRow()

        def store(state: str, report: str) -> None:
            update.state = state
            self._session.add_all([update, HistoryRow(state=state, report=report)])
            self._session.commit()

        return store


def main() -> None:
    """Take turns until the input ends."""
    folder, recorded, (kind,) = given()
    database: Any = {"sqlite3": Bare, "orm": Orm}[kind](folder / "model.db")
    reports = [commit["history"]["report"] for commit in recorded["commits"]]

    def update() -> None:
        machine = Lifecycle(Model(database.begin(), reports))
        for event_name in ("policy_allowed", "download_verified", "policy_allowed", "installed", "restarted"):
            machine.send(event_name)
        machine.send("health_confirmed")

    take_turns(update)


if __name__ == "__main__":
    main()
