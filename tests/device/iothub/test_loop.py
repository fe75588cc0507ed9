from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest

from fwsm.device.iothub.loop import LoopThread
from tests.patience import PATIENCE_S


async def _hang(begun: threading.Event, ended: threading.Event) -> None:
    try:
        begun.set()
        await asyncio.Event().wait()
    finally:
        ended.set()


async def _answer() -> int:
    return await asyncio.get_running_loop().run_in_executor(None, lambda: 42)


def _threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def test_work_runs_in_the_loop() -> None:
    """A coroutine runs for another thread, the loop's workers included."""
    loop = LoopThread("test-run")
    assert loop.submit(_answer()).result(PATIENCE_S) == 42
    loop.stop(PATIENCE_S)


def test_a_cancelled_future_cancels_its_work() -> None:
    """Work that hangs is let go of when its future is cancelled."""
    loop, begun, ended = LoopThread("test-cancel"), threading.Event(), threading.Event()
    future = loop.submit(_hang(begun, ended))
    assert begun.wait(PATIENCE_S)
    assert future.cancel()
    assert ended.wait(PATIENCE_S)
    loop.stop(PATIENCE_S)


def test_stop_cancels_and_leaves_no_thread() -> None:
    """Stopping ends what hangs, the loop's thread and its workers."""
    loop, begun, ended = LoopThread("test-stop"), threading.Event(), threading.Event()
    loop.submit(_answer()).result(PATIENCE_S)
    future = loop.submit(_hang(begun, ended))
    assert begun.wait(PATIENCE_S)
    loop.stop(PATIENCE_S)
    assert ended.is_set()
    with pytest.raises(CancelledError):
        future.result(0)
    for thread in _threads("test-stop"):
        thread.join(PATIENCE_S)
    assert _threads("test-stop") == []


def test_a_stopped_loop_takes_no_work() -> None:
    """Work for a stopped loop is refused, and is not left behind unawaited."""
    loop = LoopThread("test-late")
    loop.stop(PATIENCE_S)
    with pytest.raises(RuntimeError):
        loop.submit(_answer())
