"""Our links keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.device.iothub import IoTHubLink
from fwsm.device.ports import MethodCall
from fwsm.hub import Hub
from fwsm.testing.contracts import LinkContract
from fwsm.testing.link import MemoryLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class HubBench:
    """The embedded hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.connection_string = hub.add_device("d1").connection_string

    def new_link(self) -> IoTHubLink:
        """On the real SDK."""
        return IoTHubLink(self.connection_string, ca_pem=self.hub.ca_pem, deadline_s=5.0)

    def reported(self) -> Mapping[str, Any]:
        """As the service sees them."""
        found: dict[str, Any] = self.hub.twin("d1")["properties"]["reported"]
        return found

    def desire(self, patch: Mapping[str, Any]) -> None:
        """As the service does."""
        self.hub.update_twin("d1", desired=dict(patch))

    def call(self, name: str, payload: Any) -> tuple[int, Any]:
        """As the service does."""
        answer = self.hub.call_method("d1", name, payload)
        return answer.status, answer.payload


class MemoryBench:
    """The hub in memory."""

    def __init__(self) -> None:
        self.link = MemoryLink()

    def new_link(self) -> MemoryLink:
        """Which is its own other end."""
        return self.link

    def reported(self) -> Mapping[str, Any]:
        """From memory."""
        return self.link.twin

    def desire(self, patch: Mapping[str, Any]) -> None:
        """Tells the device."""
        self.link.desire(patch)

    def call(self, name: str, payload: Any) -> tuple[int, Any]:
        """Answered at once."""
        answers: list[tuple[int, Any]] = []
        assert self.link.deliver is not None
        self.link.deliver(MethodCall(name, payload, lambda status, body: answers.append((status, body))))
        return answers[0]


@pytest.mark.e2e
class TestIoTHubLink(LinkContract):
    """The real one."""

    @pytest.fixture
    def bench(self, loopback: Callable[[], str]) -> Iterator[HubBench]:
        """With its hub."""
        with Hub(loopback()) as hub:
            yield HubBench(hub)


class TestMemoryLink(LinkContract):
    """The one for tests."""

    @pytest.fixture
    def bench(self) -> MemoryBench:
        """Its own hub."""
        return MemoryBench()
