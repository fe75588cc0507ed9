"""What went wrong beside the update in the program's own code: said by any thread, kept on disk by the agent's.

A hook that fails each time would fill the disk, so the same thing is kept once for each update; the log has every one.
"""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

__all__ = ["Mishap", "Mishaps"]

# What fails in each of so many updates may as well be kept again.
_MOST_KNOWN: Final = 1000


@dataclass(frozen=True, slots=True)
class Mishap:
    """Something that went wrong.

    Attributes:
        code: what the incident is called.
        message: for people.
        update_id: the update that it happened to; None if to none.
    """

    code: str
    message: str
    update_id: str | None


class Mishaps:
    """All of one device. They may be added by any thread.

    Attributes:
        on_new: called, in the thread that adds it, when `taken` has something new.
    """

    def __init__(self, on_new: Callable[[], None] = lambda: None) -> None:
        self.on_new = on_new
        self._lock = threading.Lock()
        self._waiting: queue.SimpleQueue[Mishap] = queue.SimpleQueue()
        self._known: set[tuple[Hashable, str | None]] = set()

    def add(self, mishap: Mishap, *, of: Hashable) -> bool:
        """Have it kept, unless it was before.

        Args:
            mishap: what went wrong.
            of: what failed; with the update's id it tells what is the same.

        Returns:
            Whether it is new.
        """
        key = (of, mishap.update_id)
        with self._lock:
            if key in self._known:
                return False
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known.add(key)
        self._waiting.put(mishap)
        self.on_new()
        return True

    def taken(self) -> Iterator[Mishap]:
        """What was added since the last call."""
        while not self._waiting.empty():
            yield self._waiting.get()
