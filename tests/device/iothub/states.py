"""What a link tells about itself, so that a test can wait for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.errors import FwsmError

__all__ = ["States"]


class States:
    """What the link has told about itself, so that a test can wait for it."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, FwsmError | None]] = []
        self._changed = threading.Condition()

    def __call__(self, connected: bool, error: FwsmError | None) -> None:
        """Take one change."""
        with self._changed:
            self.told.append((connected, error))
            self._changed.notify_all()

    def connections(self) -> int:
        """How often the link has become connected."""
        return sum(connected for connected, _ in self.told)

    def wait(self, fact: Callable[[], bool]) -> None:
        """Wait until `fact` holds after one of the changes."""
        with self._changed:
            assert self._changed.wait_for(fact, PATIENCE_S), self.told

    def wait_error(self) -> FwsmError:
        """Wait for the first failure and return it."""
        self.wait(lambda: any(error for _, error in self.told))
        return next(error for _, error in self.told if error is not None)
