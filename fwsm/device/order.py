"""A command of the program that embeds the agent, on its way into the agent's thread and back."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fwsm.core.text import said_by
from fwsm.errors import FwsmError, RefusedError

if TYPE_CHECKING:
    from fwsm.core.update import Request, Update
    from fwsm.device.commands import Commands

__all__ = ["Order", "came_of"]

# How long a command may wait for the agent, which may be waiting for the disk.
_ORDER_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Order:
    """A built-in method, called by this program.

    Attributes:
        name: one of `fwsm.device.commands.BUILT_IN`.
        request: what is asked for, as `Commands.asked` returns it.
        done: the update as it stands then, or what `Commands.carry_out` raises; cancelled if it was never carried out.
    """

    name: str
    request: Request | None
    done: Future[Update | None] = field(default_factory=Future)

    def carry_out(self, commands: Commands) -> None:
        """Do it, unless nobody waits for it any more, and tell whoever does; in the agent's thread.

        Raises:
            BaseException: a bug, or a hook that ends the program. It ends the agent, and whoever waits hears of it.
        """
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            self.done.set_result(commands.carry_out(self.name, self.request))
        except FwsmError as error:
            self.done.set_exception(error)
        except BaseException as error:
            ended = RefusedError(
                f"it is not known what came of {self.name}",
                why=f"the agent ended over it: {type(error).__name__}: {said_by(error)}",
                fix="Look at what `join` or `run` raises, and at `update` of a new Device",
            )
            ended.__cause__ = error
            self.done.set_exception(ended)
            raise


def came_of(name: str, done: Future[Update | None], within_s: float = _ORDER_S) -> Update:
    """Wait for what comes of a command; the update as it stands then.

    Args:
        name: the command, for the error message.
        done: what `Order.done` is.
        within_s: how long to wait.

    Raises:
        RefusedError: the agent has not carried it out, and will not; or it is still at it.
        FwsmError: what `Commands.carry_out` raises.
    """
    fix = "Look at `update` for where it stands, and ask again"
    try:
        update = done.result(within_s)
    except CancelledError as error:
        raise RefusedError(f"{name} was not carried out", why="the device was stopped", fix=fix) from error
    except TimeoutError as error:
        # What is taken back here is not carried out behind the caller's back.
        what = f"{name} was not carried out" if done.cancel() else f"it is not known yet what came of {name}"
        raise RefusedError(what, why=f"the agent was busy for {within_s:g} s", fix=fix) from error
    assert update is not None  # noqa: S101  # a command is about an update
    return update
