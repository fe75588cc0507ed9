"""The pace of long work."""

from __future__ import annotations

import asyncio
import itertools

from fwsm.hub.pace import Pace


def _rounds_beside(step_s: float, steps: int) -> int:
    """Return how many rounds of the loop go to others beside so many steps that take so long each."""

    async def scene() -> int:
        rounds = 0

        async def others() -> None:
            nonlocal rounds
            while True:
                rounds += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        readings = itertools.count()
        pace = Pace(lambda: next(readings) * step_s)
        for _ in range(steps):
            await pace.keep()
        task.cancel()
        return rounds

    return asyncio.run(scene())


def test_share_that_is_used_up_gives_others_their_turn() -> None:
    """Each time, and then there is a new share; small steps go on together."""
    assert _rounds_beside(step_s=1.0, steps=10) == 10
    assert 0 < _rounds_beside(step_s=0.001, steps=10) < 10
    assert _rounds_beside(step_s=0.0, steps=10) == 0
