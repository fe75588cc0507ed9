"""What a hub does by itself, when nobody asks: it carries out jobs and configurations.

It looks around once a second, and at once when there is word of work. Whether something is due is asked of the hub's
clock each time, so a clock that is set, or a test that passes its own, needs no timer to be told.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from fwsm.errors import HubError
from fwsm.hub.configurations import Deployer
from fwsm.hub.events import WorkWaiting
from fwsm.hub.jobs import JobRunner

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.turn import Turn

__all__ = ["Backstage"]

_LOOK_EVERY_S = 1.0

_log = logging.getLogger(__name__)


class Backstage:
    """Looks after one hub until its event loop ends.

    Args:
        engine: the hub.
        turn: says when what was decided is durable.
    """

    def __init__(self, engine: Engine, turn: Turn) -> None:
        self._turn = turn
        self._jobs = JobRunner(engine, turn)
        self._deployer = Deployer(engine)
        self._word = asyncio.Event()
        engine.events.subscribe(self._on_word, WorkWaiting)

    async def start(self) -> None:
        """Begin; returns at once."""
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            self._word.clear()
            for tick in (self._jobs.tick, self._deployer.tick):
                try:
                    tick()
                except Exception:  # noqa: BLE001 - whatever it is: other work must not stand still for it
                    _log.exception("a part of the hub's own work has failed")
            try:
                await self._turn.committed()
            except HubError as error:
                _log.warning("%s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._word.wait()

    def _on_word(self, _: WorkWaiting) -> None:
        self._word.set()
