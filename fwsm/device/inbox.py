"""What is asked of the agent, in the order in which it came. Filled by any thread, emptied by the agent's."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

from fwsm.device.order import Order

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.device.ports import Message

__all__ = ["Inbox"]


class Inbox:
    """Messages of the hub and orders of the program.

    Args:
        ring: called when something has come.
    """

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._waiting: queue.SimpleQueue[Message | Order] = queue.SimpleQueue()
        self._closed = threading.Event()

    def put(self, message: Message | Order) -> None:
        """Add it; an order that nobody will carry out any more is cancelled."""
        self._waiting.put(message)
        self._ring()
        if self._closed.is_set():  # `close` may have looked before
            self._cancel_orders()

    def empty(self) -> bool:
        """Whether nothing waits."""
        return self._waiting.empty()

    def get(self) -> Message | Order:
        """Take the oldest out."""
        return self._waiting.get()

    def close(self) -> None:
        """Nobody takes anything out any more. Methods go unanswered; their callers have timeouts."""
        self._closed.set()
        self._cancel_orders()

    def _cancel_orders(self) -> None:
        try:
            while True:
                message = self._waiting.get_nowait()
                if isinstance(message, Order):
                    message.done.cancel()
        except queue.Empty:
            return
