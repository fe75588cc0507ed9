"""The contract of a link."""

from __future__ import annotations

import queue
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from fwsm.device.examined import Examiner
from fwsm.device.mishaps import Mishaps
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import LinkError, ReportRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from fwsm.device.ports import Link, Message

__all__ = ["LinkBench", "LinkContract"]

_PATIENCE_S = 30.0


class LinkBench(Protocol):
    """What a link is tried on: the other end of it."""

    def new_link(self) -> Link:
        """A link to a hub that can be reached; it is started by the test."""
        ...

    def reported(self) -> Mapping[str, Any]:
        """The reported properties as the hub has them."""
        ...

    def desire(self, patch: Mapping[str, Any]) -> None:
        """Merge into the desired properties, as an operator does."""
        ...

    def call(self, name: str, payload: Any) -> tuple[int, Any]:
        """Call a direct method and return status and payload of the answer."""
        ...

    def refuse(self) -> None:
        """Let the hub refuse the next report, as one that it will never take."""
        ...

    def leave(self) -> None:
        """Let the hub be away from now on: a report cannot reach it."""
        ...


class LinkContract:
    """What `fwsm.device.ports.Link` promises."""

    @pytest.fixture
    def bench(self) -> LinkBench:
        """The bench; override this."""
        raise NotImplementedError

    @pytest.fixture
    def twins(self) -> queue.SimpleQueue[Twin]:
        """The twins that the link delivers."""
        return queue.SimpleQueue()

    @pytest.fixture
    def link(self, bench: LinkBench, twins: queue.SimpleQueue[Twin]) -> Iterator[Link]:
        """A started link; methods are answered with what they brought."""
        with _started(bench.new_link(), twins) as link:
            yield link

    def test_the_twin_is_delivered_after_the_connect(self, link: Link, twins: queue.SimpleQueue[Twin]) -> None:
        """With both halves."""
        twin = twins.get(timeout=_PATIENCE_S)
        assert isinstance(twin.desired["$version"], int), link
        assert twin.reported is not None

    def test_the_twin_is_delivered_after_a_desired_change(
        self, bench: LinkBench, link: Link, twins: queue.SimpleQueue[Twin]
    ) -> None:
        """As a whole, with a higher version."""
        before = twins.get(timeout=_PATIENCE_S).desired
        bench.desire({"x": {"y": 1}})
        after = twins.get(timeout=_PATIENCE_S).desired
        assert after["x"] == {"y": 1}, link
        assert after["$version"] > before["$version"]

    def test_a_start_returns_at_once_while_the_hub_is_away(self, bench: LinkBench) -> None:
        """And raises nothing: a device must come up without its network, and its agent waits for the start."""
        bench.leave()
        link, came_of = bench.new_link(), queue.SimpleQueue[BaseException | None]()

        def start() -> None:
            try:
                link.start(lambda _message: None)
            except BaseException as error:  # noqa: BLE001 - which one it is, is looked at below
                came_of.put(error)
            else:
                came_of.put(None)

        threading.Thread(target=start, daemon=True).start()
        try:
            raised = came_of.get(timeout=_PATIENCE_S)
        except queue.Empty:
            raise AssertionError(f"the link's start has not returned within {_PATIENCE_S:g} s") from None
        link.stop()
        if raised is not None:
            raise AssertionError(f"the link's start raised {raised!r}") from raised

    def test_a_report_is_at_the_hub_when_it_returns(self, bench: LinkBench, link: Link) -> None:
        """Objects merge, null deletes, and saying it twice changes nothing."""
        link.report({"a": {"b": 1, "c": 2}})
        link.report({"a": {"b": None}})
        link.report({"a": {"b": None}})
        assert bench.reported()["a"] == {"c": 2}

    @pytest.mark.parametrize("payload", [None, {"a": [1, "two"]}, "text", 7])
    def test_a_method_is_delivered_and_answered(
        self, bench: LinkBench, link: Link, twins: queue.SimpleQueue[Twin], payload: Any
    ) -> None:
        """Name and payload arrive, and the answer goes back."""
        twins.get(timeout=_PATIENCE_S)  # it is connected
        assert bench.call("ping", payload) == (200, {"name": "ping", "payload": payload}), link

    def test_a_stopped_link_takes_no_report(self, link: Link) -> None:
        """It says so at once; to stop twice does no harm."""
        link.stop()
        link.stop()
        with pytest.raises(LinkError):
            link.report({"a": 1})

    def test_a_refused_report_is_told_apart_and_the_next_one_goes_out(
        self, bench: LinkBench, link: Link, twins: queue.SimpleQueue[Twin]
    ) -> None:
        """Whoever sends it must not try for ever; and nothing of it is at the hub."""
        twins.get(timeout=_PATIENCE_S)  # it is connected
        bench.refuse()
        with pytest.raises(ReportRefusedError):
            link.report({"a": 1})
        link.report({"b": True})
        assert "a" not in bench.reported()
        assert bench.reported()["b"] is True

    def test_a_stop_lets_a_report_go_that_waits_for_the_hub(
        self, bench: LinkBench, link: Link, twins: queue.SimpleQueue[Twin]
    ) -> None:
        """It raises LinkError, and so does every later one; both are over within a few seconds."""
        twins.get(timeout=_PATIENCE_S)
        bench.leave()
        raised: list[Exception] = []
        began = threading.Event()

        def send() -> None:
            began.set()
            try:
                link.report({"a": 1})
            except Exception as error:  # noqa: BLE001 - which one it is, is looked at below
                raised.append(error)

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        assert began.wait(_PATIENCE_S)
        link.stop()
        sender.join(_PATIENCE_S)
        assert [isinstance(error, LinkError) for error in raised] == [True], raised
        with pytest.raises(LinkError):
            link.report({"a": 1})


@contextmanager
def _started(link: Link, twins: queue.SimpleQueue[Twin]) -> Iterator[Link]:
    """Start it, examined as on a device: a wrong answer raises PartError."""

    def deliver(message: Message) -> None:
        if isinstance(message, MethodCall):
            message.respond(200, {"name": message.name, "payload": message.payload})
        elif isinstance(message, Twin):
            twins.put(message)

    mishaps = Mishaps()
    examined = Examiner(mishaps).link(link)
    examined.start(deliver)
    yield examined
    examined.stop()
    for mishap in mishaps.taken():  # a device drops what is delivered wrongly, and goes on
        raise AssertionError(mishap.message)
