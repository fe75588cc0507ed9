"""Databases of older programs, taken up by this one and worked on to the end; see databases/README.md."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from fwsm.errors import HealthError
from fwsm.store.schema import HEAD, migrations_directory
from tests.device.life import IMAGE, STEPS, URI, Life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.core.update import Update

DATABASES = Path(__file__).parent / "databases"
OLD = sorted(path for path in DATABASES.iterdir() if path.is_dir())


@pytest.fixture(params=OLD, ids=lambda path: path.name)
def revive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Life]]:
    """Return a function that starts the present program on a database of an older one, with a board to match."""
    lives: list[Life] = []

    def start(name: str) -> Life:
        state_dir = tmp_path / "state"
        state_dir.mkdir()
        shutil.copyfile(request.param / f"{name}.db", state_dir / "fwsm.db")
        life = Life(state_dir)
        lives.append(life)
        _equip(life, name)
        life.start()
        return life

    yield start
    for life in lives:
        life.end()


def _equip(life: Life, name: str) -> None:
    """What the device's disk and board hold when the database is in this state."""
    if name in {"waiting", "fresh", "downloadFailed"}:
        return
    life.download.kept["u1"] = IMAGE[: len(IMAGE) // 2] if name == "downloading" else IMAGE
    if name in {"downloading", "downloadComplete", "installing"}:
        return
    life.board.content["b"] = "u1"
    if name == "rebooting":
        life.board.trial = "b"
        return
    life.board.booted, life.board.boots = "b", 2
    life.clock.boot_id = "boot-2"
    if name == "rollingBack":
        life.board.booted = "a"


def _settle(life: Life) -> Update:
    """Work and report until nothing more happens by itself; reboot when that was ordered."""
    for _ in range(STEPS):
        orders = life.installer.reboots
        wait_s = life.agent.step(life.clock.now())
        life.report()
        if life.installer.reboots > orders:
            life.reboot()
        elif wait_s is not None:
            life.clock.advance(wait_s)
        elif life.agent.update is not None and life.agent.update.state.settled:
            return life.agent.update
    raise AssertionError(f"does not settle: {life.agent.update}")


def _revision(path: Path, *, how: str = "mode=ro") -> Any:
    with closing(sqlite3.connect(f"{path.as_uri()}?{how}", uri=True)) as connection:
        return connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]


ENDS = {
    "waiting": (State.WAITING, State.APPLY_COMPLETE),
    "downloading": (State.DOWNLOADING, State.APPLY_COMPLETE),
    "downloadComplete": (State.DOWNLOAD_COMPLETE, State.APPLY_COMPLETE),
    "installing": (State.INSTALLING, State.APPLY_COMPLETE),
    "rebooting": (State.REBOOTING, State.APPLY_COMPLETE),
    "confirming": (State.CONFIRMING, State.APPLY_COMPLETE),
    "rollingBack": (State.ROLLING_BACK, State.APPLY_FAILED),
    "applyComplete": (State.APPLY_COMPLETE, State.APPLY_COMPLETE),
    "applyFailed": (State.APPLY_FAILED, State.APPLY_FAILED),
    "downloadFailed": (State.DOWNLOAD_FAILED, State.DOWNLOAD_FAILED),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_update_goes_on_where_the_older_program_left_it(name: str, revive: Callable[[str], Life]) -> None:
    """It is read as it was, goes on to its end, and the twin hears all that it had not heard."""
    begin, end = ENDS[name]
    life = revive(name)
    update = life.agent.update
    assert update is not None
    assert (update.id, update.request.uri, update.request.version, update.state) == ("u1", URI, "2", begin)
    assert life.store is not None
    assert _revision(life.store.path) == HEAD
    before = life.store.history()
    assert _settle(life).state is end
    assert life.outbox.pending() == []
    assert life.store.history()[: len(before)] == before
    assert life.link.section["status"] == end.status
    assert life.link.statuses[-1] == end.status
    if end is State.APPLY_COMPLETE:
        assert (life.board.booted, life.board.content["b"]) == ("b", "u1")


def test_reports_that_the_older_program_owed_are_sent_first(revive: Callable[[str], Life]) -> None:
    """The two that were not acknowledged, in order."""
    life = revive("applyFailed")
    assert [report.number for report in life.outbox.pending()] == [7, 8]
    life.report()
    sections = [patch["iothubDM"]["firmwareUpdate"] for patch in life.link.patches]
    assert [section["substatus"] for section in sections] == ["rollingBack", "rolledBack"]
    assert sections[-1]["status"] == "applyFailed"


def test_a_half_loaded_image_is_not_loaded_again_from_the_start(revive: Callable[[str], Life]) -> None:
    """What was known of the failure and the progress is known still."""
    life = revive("downloading")
    update = life.agent.update
    assert update is not None
    assert life.store is not None
    assert update.failure is not None
    assert update.failure.code == "downloadInterrupted"
    assert update.progress is not None
    assert update.progress.percent == 50
    _settle(life)
    entered = [(row.trigger, row.state) for row in life.store.history()][2:5]
    assert entered == [
        ("download_failed", State.DOWNLOADING),
        ("restarted", State.DOWNLOADING),
        ("download_verified", State.DOWNLOAD_COMPLETE),
    ]


def test_a_fresh_database_takes_an_update(revive: Callable[[str], Life]) -> None:
    """A device that was never updated before its program was."""
    life = revive("fresh")
    assert life.agent.update is None
    assert life.call(payload={"fwPackageUri": URI})[0] == 200
    assert _settle(life).state is State.APPLY_COMPLETE


def test_rolling_back_under_the_new_image_ends_with_the_old_one(revive: Callable[[str], Life]) -> None:
    """The reboot that was still to come is ordered by the program that comes back."""
    life = revive("rollingBack")
    life.board.booted = "b"

    def sick() -> None:
        raise HealthError("the new firmware does not answer")

    life.options["checks"] = [sick]
    life.restart()
    update = _settle(life)
    assert (update.state, update.rolled_back, life.board.booted) == (State.APPLY_FAILED, True, "a")
    assert update.failure is not None
    assert update.failure.code == "health"


def test_each_older_revision_has_its_databases() -> None:
    """A new migration brings a folder for the revision before it."""
    revisions = sorted(path.name.split("_")[0] for path in (migrations_directory() / "versions").glob("*.py"))
    assert [path.name for path in OLD] == revisions[:-1]
    for folder in OLD:
        assert sorted(path.stem for path in folder.glob("*.db")) == sorted([*ENDS, "fresh"])
        assert {_revision(path, how="immutable=1") for path in folder.glob("*.db")} == {folder.name}
