"""Our links keep the contract."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.device.iothub import IoTHubLink
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import LinkError, ReportRefusedError
from fwsm.hub import Hub, Operation, Refuse
from fwsm.testing.contracts import LinkContract
from fwsm.testing.contracts.link import _started
from fwsm.testing.link import MemoryLink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from fwsm.device.ports import Message


_LATE_S = 1.0


class HubBench:
    """The embedded hub."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.connection_string = hub.add_device("d1").connection_string

    def new_link(self) -> IoTHubLink:
        """On the real SDK."""
        return IoTHubLink(self.connection_string, ca_pem=self.hub.ca_pem, deadline_s=60.0)

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

    def refuse(self) -> None:
        """As malformed."""
        self.hub.faults.inject(Operation.REPORTED_PATCH, Refuse(400))

    def leave(self) -> None:
        """Nobody can connect."""
        self.hub.pause()


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

    def refuse(self) -> None:
        """As malformed."""
        self.link.failures.append(ReportRefusedError("the hub refuses a report"))

    def leave(self) -> None:
        """Nothing waits in memory: it is told at once."""
        self.link.failures.append(LinkError("the hub is away"))


@pytest.mark.e2e
@pytest.mark.sdk
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


class StubbornLink(MemoryLink):
    """Tries for ever, and does not let a report go when it is stopped."""

    def report(self, patch: Mapping[str, Any]) -> None:
        """Raise only what the contract does not allow, or nothing."""
        if self.failures:
            self.failures.clear()
            threading.Event().wait(_LATE_S)
            return
        super().report(patch)


def test_the_contract_finds_a_link_that_breaks_it() -> None:
    """A refusal that is swallowed, and a report that a stop does not let go as it should."""
    bench = MemoryBench()
    bench.link = StubbornLink()
    contract = LinkContract()
    twins: queue.SimpleQueue[Twin] = queue.SimpleQueue()
    for test in (
        contract.test_a_refused_report_is_told_apart_and_the_next_one_goes_out,
        contract.test_a_stop_lets_a_report_go_that_waits_for_the_hub,
    ):
        bench.link.start(lambda message: twins.put(message) if isinstance(message, Twin) else None)
        with pytest.raises((AssertionError, pytest.fail.Exception)):
            test(bench, bench.link, twins)


def test_a_wrong_message_is_told_to_its_author() -> None:
    """In the words that a device would use; it is dropped there."""
    link, twins = MemoryLink(), queue.SimpleQueue[Twin]()
    wanted = "the link's deliver was given 'ping': a MethodCall, a Twin or a Trouble is wanted"
    with pytest.raises(AssertionError, match=wanted):  # noqa: PT012, SIM117
        with _started(link, twins):
            assert link.deliver is not None
            link.deliver(cast("Twin", "ping"))
    assert twins.qsize() == 1


def test_a_start_that_needs_the_hub_is_told_to_its_author() -> None:
    """A device without network would not come up."""

    class Eager(MemoryLink):
        def start(self, deliver: Callable[[Message], None]) -> None:
            raise ConnectionRefusedError(str(deliver))

    bench = MemoryBench()
    bench.link = Eager()
    with pytest.raises(AssertionError, match="the link's start raised ConnectionRefusedError"):
        LinkContract().test_a_start_returns_at_once_while_the_hub_is_away(bench)
