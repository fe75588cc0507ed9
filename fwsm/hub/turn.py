"""Commit, then speak: nothing is acknowledged that could still be lost.

Everything that the hub decides in one round of its event loop is one turn. Answers wait until the turn ends: then
there is one commit for all of them, and only then are they sent. So the price of a durable write is shared by all
devices that wrote in the same round, and no door has to think about disks.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeAlias

from fwsm.errors import HubError

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from fwsm.hub.state import State

__all__ = ["Speak", "Turn"]

Speak: TypeAlias = "Callable[[HubError | None], None]"

_log = logging.getLogger(__name__)


class Turn:
    """The current round of decisions.

    Args:
        state: what is committed at its end.
        loop: whose rounds they are.
    """

    def __init__(self, state: State, loop: asyncio.AbstractEventLoop) -> None:
        self._state = state
        self.loop = loop
        self._begun = False
        self._waiting: list[Speak] = []
        self._witnesses: list[Callable[[], None]] = []

    def begin(self) -> None:
        """Let a turn end in the next round of the loop, whether anyone waits for it or not."""
        if not self._begun:
            self._begun = True
            self.loop.call_soon(self._end)

    def then(self, speak: Speak) -> None:
        """Call `speak` once all that was decided so far is durable; with the error if it could not be made so."""
        self.begin()
        self._waiting.append(speak)

    def witness(self, witness: Callable[[], None]) -> None:
        """Call `witness` at each commit from now on, before anyone speaks: what was decided until then is durable."""
        self._witnesses.append(witness)

    async def committed(self) -> None:
        """Return once all that was decided so far is durable.

        Raises:
            HubError: it could not be made so.
        """
        done: asyncio.Future[None] = self.loop.create_future()

        def speak(error: HubError | None) -> None:
            if done.cancelled():
                return
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        self.then(speak)
        await done

    def _end(self) -> None:
        self._begun = False
        waiting, self._waiting = self._waiting, []
        error = None
        try:
            self._state.commit()
        except HubError as failure:
            error = failure
        except Exception as failure:  # noqa: BLE001 - a fault of the hub; whoever waits is told all the same
            _log.exception("a turn could not be committed")
            error = HubError("the hub could not keep what it has decided", why=f"{failure!r}")
        else:
            for witness in self._witnesses:
                witness()
        for speak in waiting:
            try:
                speak(error)
            except Exception:  # noqa: BLE001 - of one answer; the others are given
                _log.exception("an answer could not be given")
