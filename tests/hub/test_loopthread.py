"""The event loop in its thread."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fwsm.hub.loopthread import LoopThread


def test_work_runs_in_the_named_thread_and_comes_back() -> None:
    """Results and errors reach the caller."""
    thread = LoopThread("the-loop")

    async def name() -> str:
        return threading.current_thread().name

    async def fail() -> None:
        raise LookupError("lost")

    assert thread.run(name()) == "the-loop"
    with pytest.raises(LookupError, match="lost"):
        thread.run(fail())
    thread.stop()


def test_stop_leaves_no_thread_and_no_task() -> None:
    """What still runs is cancelled and awaited."""
    thread = LoopThread("the-loop")
    ended = threading.Event()

    async def forever() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            ended.set()

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(forever())

    task = thread.run(begin())
    thread.stop()
    assert ended.is_set()
    assert task.cancelled()
    assert thread.loop.is_closed()
    assert "the-loop" not in {running.name for running in threading.enumerate()}
