"""How long a test waits for what ought to happen at once."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PATIENCE_S", "eventually"]

# It bounds a hang and proves nothing, so it is far longer than a slow machine needs, and shorter than a test may take.
PATIENCE_S = 60.0
_LOOK_AGAIN_S = 0.01


def eventually(holds: Callable[[], object]) -> bool:
    """Whether something becomes true that nothing tells of: it is looked at again and again."""
    end_s, pause = time.monotonic() + PATIENCE_S, threading.Event()
    while not holds():
        if time.monotonic() > end_s:
            return False
        pause.wait(_LOOK_AGAIN_S)
    return True
