"""What each command comes to in each state: THE table, as data.

A command is what a person or a back end wants of the device, by a direct method or by the desired property. Nothing
else decides what is answered: the device looks into this table and carries out what it says. The rows of the lifecycle
that a command takes (`cancelled`, `superseded`, `retry_requested`) must agree with it; a test compares both.

The rows are the seven statuses of the wire, and "no update". All children of `applying` are one row: the point of no
return lies before it, and from there on nothing is interrupted.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.lifecycle import Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.core.update import Request, Update

__all__ = ["NO_UPDATE", "TABLE", "Answer", "Command", "Outcome", "asked_for", "decide"]

NO_UPDATE: Final = "no update"


class Command(enum.StrEnum):
    """What can be wanted. A request for an update is one of the first three; `asked_for` says which."""

    NEW_UPDATE = "new update"  # the first that this device is asked for
    SAME_UPDATE = "same update"  # the request is that of the newest update
    OTHER_UPDATE = "other update"
    CANCEL = "cancel"
    RETRY = "retry"
    STATUS = "status"
    DESIRED_REMOVED = "desired property removed"

    @property
    def said(self) -> str:
        """As it is called in a sentence."""
        return "another update" if self is Command.OTHER_UPDATE else f"a {self.value}"


class Outcome(enum.StrEnum):
    """What happens."""

    ACCEPTED = "started"  # a new update, with an id of its own
    SUPERSEDED = "takes its place"  # a new update; the one that was under way ends in downloadFailed
    SAME = "same updateId again"  # it is told which update that is; nothing is done
    CANCELLED = "cancelled"
    WAITING_AGAIN = "waiting again"  # the same update starts afresh
    SHOWN = "shown"
    REFUSED = "refused"
    NOTHING = "nothing"  # there is nothing to do, and nobody waits for an answer
    IMPOSSIBLE = "-"  # this command cannot be told from another one here

    @property
    def trigger(self) -> Trigger | None:
        """The fact by which it moves the newest update; None if it leaves that alone."""
        return _TRIGGERS.get(self)


_TRIGGERS: Final = {
    Outcome.SUPERSEDED: Trigger.SUPERSEDED,
    Outcome.CANCELLED: Trigger.CANCELLED,
    Outcome.WAITING_AGAIN: Trigger.RETRY_REQUESTED,
}

_OK: Final = 200
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell of the table.

    Attributes:
        outcome: what happens.
        why, fix: why it is refused, and what to do instead; empty if it is not.
    """

    outcome: Outcome
    why: str = ""
    fix: str = ""

    @property
    def status(self) -> int:
        """The status that a method is answered with."""
        return _CONFLICT if self.outcome is Outcome.REFUSED else _OK


def _refused(why: str, fix: str) -> Answer:
    return Answer(Outcome.REFUSED, why, fix)


def _table() -> dict[tuple[str, Command], Answer]:
    started, same, place = Answer(Outcome.ACCEPTED), Answer(Outcome.SAME), Answer(Outcome.SUPERSEDED)
    cancelled, waiting, shown = Answer(Outcome.CANCELLED), Answer(Outcome.WAITING_AGAIN), Answer(Outcome.SHOWN)
    nothing, never = Answer(Outcome.NOTHING), Answer(Outcome.IMPOSSIBLE)
    no_update = _refused("there is no update", "Send firmwareUpdate first")
    no_return = "from 'applying' on an update is not interrupted"
    too_late = _refused(no_return, "Wait until it has settled, then send the request again")
    no_way_back = _refused(no_return, "Wait until it has settled, then update to what should run instead")
    is_over = _refused("it is over", "There is nothing to stop; firmwareUpdateStatus tells how it ended")
    going_on = _refused("it is under way and tries again by itself", "Wait for it; or cancel it first, then retry")
    applying = _refused("it is being applied", "Wait until it has settled; if it failed, retry then")
    done = _refused(
        "it is installed and runs", "To install it once more, send firmwareUpdate with another fwVersion or digest"
    )
    columns = tuple(Command)
    # fmt: off
    rows = {
        #                   new      same     other    cancel     retry      status removed
        NO_UPDATE:          (started, never,   never,   no_update, no_update, shown, nothing),
        "waiting":          (never,   same,    place,   cancelled, going_on,  shown, cancelled),
        "downloading":      (never,   same,    place,   cancelled, going_on,  shown, cancelled),
        "downloadComplete": (never,   same,    place,   cancelled, going_on,  shown, cancelled),
        "downloadFailed":   (never,   started, started, is_over,   waiting,   shown, nothing),
        "applying":         (never,   same,    too_late, no_way_back, applying, shown, nothing),
        "applyComplete":    (never,   same,    started, is_over,   done,      shown, nothing),
        "applyFailed":      (never,   started, started, is_over,   waiting,   shown, nothing),
    }
    # fmt: on
    return {(row, command): cell for row, cells in rows.items() for command, cell in zip(columns, cells, strict=True)}


TABLE: Final[Mapping[tuple[str, Command], Answer]] = _table()


def decide(update: Update | None, command: Command) -> Answer:
    """The cell for the newest update, or for a device that never had one (None)."""
    return TABLE[update.state.status if update else NO_UPDATE, command]


def asked_for(update: Update | None, request: Request) -> Command:
    """Which of the three a request for an update is: the same is one with the same address, digest and version."""
    if update is None:
        return Command.NEW_UPDATE
    return Command.SAME_UPDATE if update.request == request else Command.OTHER_UPDATE
