"""An event loop in a thread of its own, for callers that are not asynchronous.

The SDK's calls have no timeout and some never return. Its asyncio client is the one whose calls can be given up: a
cancelled call lets go of everything that waits. The loop is here for that reason alone.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

__all__ = ["LoopThread"]

_T = TypeVar("_T")
_log = logging.getLogger(__name__)

# The SDK's calls enter its pipeline on a worker of the loop, and wait there while another call holds the pipeline.
_WORKERS = 4
_CANCEL_WITHIN_S = 1.0


class LoopThread:
    """Runs coroutines for other threads.

    Args:
        name: of the threads.
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.new_event_loop()
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix=f"{name}-worker")
        self.loop.set_default_executor(self._workers)
        self.loop.set_exception_handler(_note)
        # A daemon, so that a program that forgets to stop its link can still end.
        self._thread = threading.Thread(target=self._run, name=f"{name}-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, _T]) -> Future[_T]:
        """Start `work` in the loop; cancelling the future cancels it.

        Raises:
            RuntimeError: the loop has been stopped; `work` will not run.
        """
        try:
            return asyncio.run_coroutine_threadsafe(work, self.loop)
        except RuntimeError:
            work.close()
            raise

    def stop(self, within_s: float) -> None:
        """Cancel what still runs and end the threads.

        A worker that the SDK holds fast, as it may while a peer is silent in the TLS handshake, ends when it is let go.
        """
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(within_s)
        self._workers.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
            self.loop.run_until_complete(_cancel_others())
        finally:
            self.loop.close()


async def _cancel_others() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_CANCEL_WITHIN_S)


def _note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # Nobody waits for it: mostly an answer of the SDK to a call that was given up.
    _log.debug("%s: %r", context.get("message"), context.get("exception"))
