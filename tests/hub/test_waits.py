"""What a test waits for at a hub."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.errors import HubError

if TYPE_CHECKING:
    from fwsm.hub import Hub


def test_waiting_for_a_twin_ends_with_it(hub: Hub) -> None:
    """The twin that satisfied the predicate is returned, from whichever thread the change came."""
    hub.add_device("d1")

    def wanted(twin: dict[str, Any]) -> bool:
        return bool(twin["properties"]["desired"].get("go"))

    other = threading.Thread(target=hub.update_twin, args=("d1",), kwargs={"desired": {"go": True}})
    other.start()
    assert hub.wait_twin("d1", wanted)["properties"]["desired"]["$version"] == 2
    other.join()


def test_waiting_is_bounded_and_says_what_was_reported(hub: Hub) -> None:
    """A failed wait explains itself."""
    hub.add_device("d1")
    with pytest.raises(HubError, match=r"wanted twin of d1 did not happen within 0\.01 s: the device has reported"):
        hub.wait_twin("d1", lambda _: False, timeout_s=0.01)
    for wait in (hub.wait_connected, hub.wait_reachable):
        with pytest.raises(HubError, match="d1"):
            wait("d1", timeout_s=0.01)
    hub.wait_disconnected("d1", timeout_s=0.01)
