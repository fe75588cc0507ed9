"""The state that keeps nothing."""

from __future__ import annotations

from typing import Any

from fwsm.hub.state import EphemeralState


class Note:
    """A record."""

    def record(self) -> dict[str, Any]:
        """Return its contents."""
        return {"text": "hello"}


def test_ephemeral_state_forgets() -> None:
    """What was committed is not there when the hub starts again."""
    state = EphemeralState()
    state.put("note", "a", Note())
    state.commit()
    assert list(state.load("note")) == []
    state.close()
