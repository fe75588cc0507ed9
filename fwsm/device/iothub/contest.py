"""Notices that another program, wherever it runs, is the same device of the same hub.

A hub has one place for each device and gives it to whoever came last; the one before is cut off without a word of why.
A single loss tells nothing, so this looks for the pattern: the hub lets the device in, the connection is lost before
long, and again and again, with no other trouble in between. A network or a hub that fails looks different: sooner or
later it cannot be reached, or does not answer.

Two of these links push each other out by pauses that grow to a minute, so a connection that another one ends may have
lasted as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.errors import FwsmError, LinkLostError, LinkTakenError

if TYPE_CHECKING:
    from fwsm.core.connection_string import DeviceConnection

__all__ = ["Contest"]

_IN_A_ROW: Final = 3


class Contest:
    """Counts the connections in a row that were lost before long.

    Args:
        before_s: what is not long.
    """

    def __init__(self, before_s: float) -> None:
        self._before_s = before_s
        self._lost = 0

    def judged(self, error: FwsmError | None, lasted_s: float, connection: DeviceConnection) -> FwsmError | None:
        """Return why a connection that the hub had let in ended: `error`, or LinkTakenError in its place.

        Args:
            error: what ended it.
            lasted_s: how long it was of use.
            connection: as which device of which hub.
        """
        if not isinstance(error, LinkLostError) or lasted_s >= self._before_s:
            self.forget()
            return error
        self._lost += 1
        if self._lost < _IN_A_ROW:
            return error
        taken = LinkTakenError(
            f"another program seems to be the device '{connection.device_id}' of {connection.host}",
            why=f"{self._lost} times in a row the hub let this one in and the connection was lost soon after, "
            "as happens when another one connects as the same device",
            fix="Look for a machine or a container with the same credentials, and give each an identity of its own; "
            "if there is none, look for a proxy or a firewall that ends connections",
        )
        taken.__cause__ = error
        return taken

    def forget(self) -> None:
        """Something else was wrong in between, or all is well."""
        self._lost = 0
