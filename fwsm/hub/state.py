"""Where the hub keeps what it must not forget.

The hub works on objects in memory; `State` is told which of them have changed and writes them down together, at the
end of a turn (see `turn`). A record is found by its kind ("twin") and its key ("d1"). What the record looks like is
the business of whoever owns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["EphemeralState", "Recordable", "State"]


class Recordable(Protocol):
    """Something that can be written down."""

    def record(self) -> dict[str, Any]:
        """Return its contents as a JSON object."""
        ...


class State(Protocol):
    """Records by kind and key."""

    def load(self, kind: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """Return all committed records of a kind, with their keys, in the order of the keys."""
        ...

    def put(self, kind: str, key: str, value: Recordable | None) -> None:
        """Note that this record is to become `value`; None deletes it. Nothing is durable before `commit`."""
        ...

    def commit(self) -> None:
        """Make all that was noted durable, at once; raises HubError and keeps the notes if that fails."""
        ...

    def close(self) -> None:
        """Give up what is held; what was noted but not committed is lost."""
        ...


class EphemeralState:
    """A state that lasts as long as the hub: nothing is written down."""

    def load(self, kind: str) -> Iterable[tuple[str, dict[str, Any]]]:  # noqa: ARG002 - there is never anything
        """Return nothing."""
        return ()

    def put(self, kind: str, key: str, value: Recordable | None) -> None:
        """Do nothing: the object in memory is all there is."""

    def commit(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
