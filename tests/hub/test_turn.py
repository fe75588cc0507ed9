"""Commit, then speak."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import HubError
from fwsm.hub.state import EphemeralState
from fwsm.hub.turn import Turn
from tests.logs import records_of

if TYPE_CHECKING:
    from collections.abc import Callable


class LoggedState(EphemeralState):
    """A state that writes its commits into a log, or fails."""

    def __init__(self, log: list[str], *, fails: bool = False) -> None:
        self.log = log
        self.fails = fails

    def commit(self) -> None:
        """Log a commit."""
        if self.fails:
            raise HubError("the disk is full")
        self.log.append("commit")


def _speaker(log: list[str], word: str) -> Callable[[HubError | None], None]:
    return lambda error: log.append(word if error is None else f"{word}: {error}")


def test_all_answers_of_a_round_share_one_commit() -> None:
    """Nothing is said before the commit; the next round has a commit of its own."""
    log: list[str] = []

    async def scene() -> None:
        turn = Turn(LoggedState(log), asyncio.get_running_loop())
        turn.then(_speaker(log, "a"))
        turn.then(_speaker(log, "b"))
        assert log == []
        await turn.committed()
        turn.then(_speaker(log, "c"))
        await turn.committed()

    asyncio.run(scene())
    assert log == ["commit", "a", "b", "commit", "c"]


def test_witness_sees_each_commit_before_anyone_speaks() -> None:
    """Also when nobody waits; a commit that fails is none."""
    log: list[str] = []
    state = LoggedState(log)

    async def scene() -> None:
        turn = Turn(state, asyncio.get_running_loop())
        turn.witness(lambda: log.append("witness"))
        turn.then(_speaker(log, "a"))
        await turn.committed()
        turn.begin()
        turn.begin()
        await asyncio.sleep(0)
        state.fails = True
        turn.then(_speaker(log, "b"))
        with pytest.raises(HubError, match="full"):
            await turn.committed()

    asyncio.run(scene())
    assert log == ["commit", "witness", "a", "commit", "witness", "b: the disk is full"]


def test_answer_given_while_others_are_given_waits_for_the_next_commit() -> None:
    """What is decided while speaking is not yet durable."""
    log: list[str] = []

    async def scene() -> None:
        turn = Turn(LoggedState(log), asyncio.get_running_loop())
        turn.then(lambda _: turn.then(_speaker(log, "late")))
        await turn.committed()
        await turn.committed()

    asyncio.run(scene())
    assert log[:3] == ["commit", "commit", "late"]


def test_failed_commit_is_told_to_everyone_who_waits() -> None:
    """What could not be kept is not acknowledged."""
    log: list[str] = []

    async def scene() -> None:
        turn = Turn(LoggedState(log, fails=True), asyncio.get_running_loop())
        turn.then(_speaker(log, "a"))
        with pytest.raises(HubError, match="full"):
            await turn.committed()

    asyncio.run(scene())
    assert log == ["a: the disk is full"]


class FaultyState(EphemeralState):
    """A state with a fault that nobody foresaw."""

    def commit(self) -> None:
        """Fail."""
        raise KeyError("d1")


def test_fault_of_the_state_is_told_to_everyone_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for ever; what it was stands in the log."""

    async def scene() -> None:
        turn = Turn(FaultyState(), asyncio.get_running_loop())
        with pytest.raises(HubError, match=r"could not keep.*KeyError"):
            await turn.committed()

    asyncio.run(scene())
    assert [record.message for record in records_of(caplog, "fwsm.hub.turn")] == ["a turn could not be committed"]


def test_answer_that_fails_does_not_silence_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """They belong to others."""
    log: list[str] = []

    def stumble(_: HubError | None) -> None:
        raise ValueError

    async def scene() -> None:
        turn = Turn(LoggedState(log), asyncio.get_running_loop())
        turn.then(stumble)
        turn.then(_speaker(log, "b"))
        await turn.committed()

    asyncio.run(scene())
    assert log == ["commit", "b"]
    assert [record.message for record in records_of(caplog, "fwsm.hub.turn")] == ["an answer could not be given"]


def test_waiter_that_was_cancelled_does_not_disturb_the_others() -> None:
    """A request that ends early leaves the turn to the rest."""
    log: list[str] = []

    async def scene() -> None:
        turn = Turn(LoggedState(log), asyncio.get_running_loop())
        waiter = asyncio.create_task(turn.committed())
        await asyncio.sleep(0)
        waiter.cancel()
        turn.then(_speaker(log, "b"))
        await turn.committed()

    asyncio.run(scene())
    assert log == ["commit", "b"]
