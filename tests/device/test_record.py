"""The record, and what may still be said of an older one."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, NoReturn, cast

import pytest

from fwsm.core.lifecycle import Extension, Row, Trigger
from fwsm.core.update import State
from fwsm.device.ports import Trouble
from fwsm.errors import FwsmError, LinkDeafError, LinkTakenError
from fwsm.store import Store
from fwsm.testing.fakes import MemoryDownload
from tests.device.life import OTHER, URI, LateRunner, Life

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from fwsm.core.entry import Facts
    from fwsm.core.update import Limits, Update
    from fwsm.device.hooks import Entered
    from fwsm.errors import LinkError


def test_a_late_progress_does_not_follow_what_came_after_it(life: Life) -> None:
    """A job that was told to end may still note progress; it is not shown as that of the next update."""
    runner = LateRunner()
    life.options = {"runner": runner}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.agent.step(life.clock.now())
    life.call(payload={"fwPackageUri": OTHER})
    late = MemoryDownload(life.download.served)
    life.download.fetch = late.fetch  # type: ignore[method-assign]
    runner.jobs[0].stop.clear()
    runner.jobs[0].run()
    assert late.fetches == [URI]
    life.report()
    assert life.link.section["updateId"] == "u2"
    assert "progress" not in life.link.section


def test_hooks_hear_of_what_is_on_disk(life: Life) -> None:
    """On every entry, that of the request included, a second connection finds the state that the hook is told."""
    told: list[tuple[State, State | None]] = []

    def look(entered: Entered) -> None:
        with Store(life.directory, read_only=True) as beside:
            latest = beside.latest()
        told.append((entered.update.state, latest.state if latest else None))

    life.hooks.on_enter(look)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    assert [heard for heard, _ in told][-3:] == [State.DOWNLOAD_COMPLETE, State.INSTALLING, State.REBOOTING]
    assert [(heard, kept) for heard, kept in told if heard is not kept] == []


def test_a_hook_reads_the_record_that_it_is_told_of(life: Life) -> None:
    """What may be read by any thread is as new as the database, also of an update that supersedes another one."""
    seen: list[tuple[str, State, bool]] = []

    def look(_entered: Entered) -> None:
        update = life.agent.update
        with Store(life.directory, read_only=True) as beside:
            latest = beside.latest()
        assert update is not None
        assert latest is not None
        seen.append((update.id, update.state, (latest.id, latest.state) == (update.id, update.state)))
        assert {row.source for row in life.agent.may_happen()} == {update.state}

    life.hooks.on_enter(look)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.call(payload={"fwPackageUri": OTHER})
    assert seen == [
        ("u1", State.WAITING, True),
        ("u1", State.DOWNLOADING, True),
        ("u2", State.WAITING, True),
        ("u2", State.WAITING, True),
    ]
    assert list(life.hooks.mishaps.taken()) == []


class SpeechlessError(Exception):
    """Its text cannot be made."""

    def __str__(self) -> NoReturn:
        """Fail."""
        raise LookupError


def raises(_update: Update, _facts: Facts, _limits: Limits) -> bool:
    """A guard that cannot tell."""
    raise SpeechlessError


async def later(*_: object) -> bool:
    """Not before somebody awaits it."""
    return True


def promises(update: Update, facts: Facts, limits: Limits) -> Coroutine[None, None, bool]:
    """A guard that never says anything."""
    return later(update, facts, limits)


def incidents(life: Life) -> list[tuple[str, str, str]]:
    """What is kept of what failed."""
    with closing(sqlite3.connect(life.directory / "fwsm.db")) as database:
        return database.execute("SELECT code, message, update_id FROM incidents ORDER BY number").fetchall()


@pytest.mark.parametrize(
    ("guard", "said"),
    [
        (raises, "raises raised SpeechlessError: (its text cannot be made: LookupError)"),
        (
            promises,
            "promises raised TypeError: it returned a coroutine, and no event loop runs in the device's threads",
        ),
    ],
)
def test_a_guard_that_fails_does_not_hold(life: Life, guard: Any, said: str) -> None:
    """The built-in rows behind it are tried, and what was wrong is kept once."""
    row = Row(Trigger.POLICY_ALLOWED, State.WAITING, State.DOWNLOAD_FAILED, (guard,))
    life.options = {"extension": Extension(rows=(row,))}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    assert incidents(life) == [("guardFailed", f"{__name__}.{said}", "u1")]
    assert life.agent.may_happen() != ()


def test_a_guard_that_works_still_decides(life: Life) -> None:
    """By what it returns."""

    def holds(_update: Update, _facts: Facts, _limits: Limits) -> bool:
        return True

    row = Row(Trigger.POLICY_ALLOWED, State.WAITING, State.DOWNLOAD_FAILED, (holds,))
    life.options = {"extension": Extension(rows=(row,))}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    assert "holds" in {getattr(guard, "__name__", "") for row in life.agent.may_happen() for guard in row.guards}
    life.step_until(State.DOWNLOAD_FAILED)
    assert incidents(life) == []


def test_a_hook_that_cannot_say_what_failed_is_kept_all_the_same(life: Life) -> None:
    """It does not end the agent that writes it down."""

    def hook(_entered: Entered) -> None:
        raise SpeechlessError

    life.hooks.on_enter(hook, State.WAITING)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    ((code, message, update_id),) = incidents(life)
    assert (code, update_id) == ("hookFailed", "u1")
    assert message.endswith("raised SpeechlessError: (its text cannot be made: LookupError)")


class OwnError(FwsmError):
    """Of a program that does not call what makes an error, and whose code is none."""

    code = "\ud800"

    def __init__(self) -> None:
        """Nothing."""


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (OwnError(), ("internal", "something went wrong")),
        (FwsmError(cast("str", 5)), ("error", "(its text cannot be made: TypeError)")),
        (FwsmError("a\ud800b"), ("error", "a?b")),
        (FwsmError("x" * 5000), ("error", f"{'x' * 3999}…")),
        (FwsmError(""), ("error", "")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_trouble_of_a_programs_own_does_not_end_the_agent(
    life: Life, error: FwsmError, kept: tuple[str, str]
) -> None:
    """Whatever its error is like, it is kept, and once."""
    for _ in range(3):
        life.agent.deliver(Trouble(error))
        life.agent.step(life.clock.now())
    assert life.store is not None
    assert [(each.code, each.message) for each in life.store.incidents()] == [kept]


def test_a_trouble_that_lasts_is_kept_once_a_day(life: Life) -> None:
    """It tells of itself every minute, and is to push nothing else out; another one is another incident."""

    def keep(*errors: LinkError) -> None:
        for error in errors:
            life.agent.deliver(Trouble(error))
            life.agent.step(life.clock.now())

    def kept() -> list[tuple[str, str]]:
        assert life.store is not None
        return [(each.code, each.message) for each in life.store.incidents()]

    taken = LinkTakenError("another program is d1", why="3 times in a row", fix="Look for it")
    again = LinkTakenError("another program is d1", why="4 times in a row", fix="Look for it")
    deaf = LinkDeafError("no methods arrive")
    once = [("linkTaken", "another program is d1: 3 times in a row. Look for it"), ("linkDeaf", "no methods arrive")]
    keep(taken, again, deaf, deaf)
    assert kept() == once
    life.restart()
    life.clock.advance(23 * 3600.0)
    keep(again)
    assert kept() == once
    life.clock.advance(3601.0)
    keep(again)
    assert kept() == [*once, ("linkTaken", str(again))]
