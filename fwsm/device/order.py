"""A command of the program that embeds the agent, on its way into the agent's thread and back."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fwsm.errors import FwsmError

if TYPE_CHECKING:
    from fwsm.core.update import Update
    from fwsm.device.commands import Commands

__all__ = ["Order"]


@dataclass(frozen=True, slots=True)
class Order:
    """A built-in method, called by this program.

    Attributes:
        name: one of `fwsm.device.commands.BUILT_IN`.
        payload: as a hub would send it.
        done: the update as it stands then, or what `Commands.carry_out` raises; cancelled if it was never carried out.
    """

    name: str
    payload: Any
    done: Future[Update | None] = field(default_factory=Future)

    def carry_out(self, commands: Commands) -> None:
        """Do it, unless nobody waits for it any more, and tell whoever does; in the agent's thread."""
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            self.done.set_result(commands.carry_out(self.name, self.payload))
        except FwsmError as error:
            self.done.set_exception(error)
