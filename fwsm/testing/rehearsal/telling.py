"""What a run says: moments while it goes on, and at the end what held."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Check", "Moment", "Teller"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened.

    Attributes:
        at_s: seconds since the beginning.
        who: "hub", "server", "device", "operator" or "demo".
        text: what happened.
        device: which device it is about; None for something that is about no single one.
        section: the reported section, when the device's twin has changed.
    """

    at_s: float
    who: str
    text: str
    device: str | None = None
    section: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold.

    Attributes:
        what: the claim.
        held: whether it did.
        detail: the figures behind it.
    """

    what: str
    held: bool
    detail: str


class Teller:
    """Passes moments on, from any thread, one at a time.

    Args:
        tell: called with each.
    """

    def __init__(self, tell: Callable[[Moment], None]) -> None:
        self._tell = tell
        self._begin = time.monotonic()
        self._lock = threading.Lock()

    def say(self, who: str, text: str, device: str | None = None, section: dict[str, Any] | None = None) -> None:
        """Tell what happens now."""
        with self._lock:
            self._tell(Moment(time.monotonic() - self._begin, who, text, device, section))
