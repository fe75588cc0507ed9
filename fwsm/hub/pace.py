"""The pace of long work in the hub's event loop: a share of the time, and then it is the others' turn.

A question about thousands of twins takes seconds. Whoever answers it does so in pieces, so that devices and other
operators wait for a piece and not for the answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pace"]

# A request that meets long work waits for some of them, one in each round of the loop that it takes.
_SHARE_S = 0.002


class Pace:
    """The share of one piece of work, from now on.

    Args:
        clock: one that never jumps, in seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()

    @property
    def spent(self) -> bool:
        """Whether the share is used up."""
        return self._clock() - self._since >= _SHARE_S

    async def keep(self) -> None:
        """Let the others have their turn if the share is used up; then there is another one."""
        if self.spent:
            await asyncio.sleep(0)
            self._since = self._clock()
