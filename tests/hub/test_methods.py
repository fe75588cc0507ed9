"""Direct methods: the call, the answer, and every way in which there is none."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from fwsm.hub.engine import Engine
from fwsm.hub.methods import Call, MethodResult
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import METHODS
from tests.hub.anyjson import VALUES, bodies
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


class Device:
    """A connected device that answers calls with whatever it was told to."""

    def __init__(self, engine: Engine, answer: bytes | None, *, subscribed: bool = True) -> None:
        self.engine = engine
        self.answer = answer
        self.subscribed = subscribed
        self.calls: list[tuple[str, bytes]] = []

    def listens_to(self, topic_filter: str) -> bool:
        """Listen to methods, if subscribed."""
        return self.subscribed and topic_filter == METHODS

    def publish(self, topic: str, payload: bytes) -> None:
        """Take a call and answer it with status 207."""
        self.calls.append((topic, payload))
        if self.answer is not None:
            self.engine.methods.answered("d1", topic.partition("$rid=")[2], 207, self.answer)

    def deliver(self, topic: str, payload: bytes, packet_id: int, *, again: bool) -> bool:
        """Never happens here."""
        raise AssertionError((topic, payload, packet_id, again))

    def expire(self) -> None:
        """Never happens here."""
        raise AssertionError

    def close(self, reason: str) -> None:
        """Never happens here."""
        raise AssertionError(reason)


@pytest.fixture
def engine() -> Engine:
    """Return a hub without doors that knows d1."""
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    engine.registry.create("d1", {})
    return engine


def _why(work: Coroutine[Any, Any, MethodResult]) -> Why:
    with pytest.raises(Refusal) as caught:
        asyncio.run(work)
    return caught.value.why


def test_answer_is_passed_through(engine: Engine) -> None:
    """Status and payload are the device's own."""
    device = Device(engine, b' {"done": [1]} ')
    engine.links.attach("d1", device)
    assert asyncio.run(engine.methods.call("d1", Call("go", {"x": 1}))) == MethodResult(207, {"done": [1]})
    assert device.calls == [("$iothub/methods/POST/go/?$rid=1", b'{"x":1}')]


@pytest.mark.parametrize("body", [b"", b" ", b"null"])
def test_empty_answer_is_null(engine: Engine, body: bytes) -> None:
    """A device need not send a payload."""
    engine.links.attach("d1", Device(engine, body))
    assert asyncio.run(engine.methods.call("d1", Call("go"))) == MethodResult(207, None)


def test_unreadable_answer_is_a_bad_device_response(engine: Engine) -> None:
    """An answer that is not JSON is the device's fault and said to be."""
    engine.links.attach("d1", Device(engine, b"{oops"))
    assert _why(engine.methods.call("d1", Call("go"))) is Why.BAD_DEVICE_RESPONSE


def test_unknown_device_is_not_found(engine: Engine) -> None:
    """404001, not 404103: the difference tells a typing error from an outage."""
    assert _why(engine.methods.call("d2", Call("go"))) is Why.DEVICE_NOT_FOUND


def test_device_that_is_away_is_not_online(engine: Engine) -> None:
    """Without a connect timeout the answer comes at once."""
    assert _why(engine.methods.call("d1", Call("go"))) is Why.DEVICE_NOT_ONLINE


def test_connected_device_that_does_not_listen_is_not_online(engine: Engine) -> None:
    """The code is the same, the text says what is missing."""
    engine.links.attach("d1", Device(engine, b"", subscribed=False))
    with pytest.raises(Refusal, match="yet to subscribe") as caught:
        asyncio.run(engine.methods.call("d1", Call("go")))
    assert caught.value.why is Why.DEVICE_NOT_ONLINE


def test_silent_device_times_out(engine: Engine) -> None:
    """504101 says that the device may have acted."""
    device = Device(engine, None)
    engine.links.attach("d1", device)
    with pytest.raises(Refusal, match="may have acted") as caught:
        asyncio.run(engine.methods.call("d1", Call("go", response_timeout_s=0.01)))
    assert caught.value.why is Why.DEVICE_TIMEOUT
    assert len(device.calls) == 1


def _after_arrival(engine: Engine, arrive: Callable[[Device], None], device: Device) -> MethodResult:
    async def scene() -> MethodResult:
        call = asyncio.create_task(engine.methods.call("d1", Call("go", connect_timeout_s=PATIENCE_S)))
        await asyncio.sleep(0)
        arrive(device)
        return await call

    return asyncio.run(scene())


def test_connect_timeout_waits_for_the_device(engine: Engine) -> None:
    """The call is made as soon as the device is there."""
    result = _after_arrival(engine, lambda device: engine.links.attach("d1", device), Device(engine, b"1"))
    assert result == MethodResult(207, 1)


def test_connect_timeout_ends(engine: Engine) -> None:
    """A device that does not come in time is not online."""
    assert _why(engine.methods.call("d1", Call("go", connect_timeout_s=0.01))) is Why.DEVICE_NOT_ONLINE


def test_answers_that_nobody_waits_for_are_dropped(engine: Engine) -> None:
    """Unknown request ids, late answers and answers of other devices do nothing."""
    device = Device(engine, None)
    engine.links.attach("d1", device)

    async def scene() -> MethodResult:
        call = asyncio.create_task(engine.methods.call("d1", Call("go")))
        await asyncio.sleep(0)
        engine.methods.answered("d1", "no-such-rid", 200, b"1")
        engine.methods.answered("d2", "1", 200, b"2")
        engine.methods.answered("d1", "1", 200, b"3")
        engine.methods.answered("d1", "1", 200, b"4")
        return await call

    assert asyncio.run(scene()) == MethodResult(200, 3)


def test_large_payload_is_refused(engine: Engine) -> None:
    """128 KiB is the limit of the service."""
    assert _why(engine.methods.call("d1", Call("go", "x" * 128 * 1024))) is Why.TOO_LARGE


def test_body_of_a_request_is_read() -> None:
    """Names, payload and both timeouts are taken over, with the service's defaults."""
    assert Call.from_body({"methodName": "go"}) == Call("go", None, 30, 0)
    body = {"methodName": "go", "payload": 1, "responseTimeoutInSeconds": 300, "connectTimeoutInSeconds": 300}
    assert Call.from_body(body) == Call("go", 1, 300, 300)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"methodName": "a b"},
        {"methodName": 1},
        {"methodName": "go", "responseTimeoutInSeconds": 4},
        {"methodName": "go", "responseTimeoutInSeconds": 301},
        {"methodName": "go", "responseTimeoutInSeconds": "10"},
        {"methodName": "go", "connectTimeoutInSeconds": -1},
        {"methodName": "go", "connectTimeoutInSeconds": True},
        {"methodName": "go", "responseTimeoutInSeconds": 10, "connectTimeoutInSeconds": 11},
    ],
)
def test_malformed_request_is_refused(body: dict[str, Any]) -> None:
    """400004 for a bad name and for timeouts outside their limits."""
    with pytest.raises(Refusal) as caught:
        Call.from_body(body)
    assert caught.value.why is Why.ARGUMENT_INVALID


def test_answer_that_is_too_long_is_a_bad_device_response(engine: Engine) -> None:
    """128 KiB are the most in this direction as well."""
    engine.links.attach("d1", Device(engine, b" " * (128 * 1024) + b"1"))
    assert _why(engine.methods.call("d1", Call("go"))) is Why.BAD_DEVICE_RESPONSE


@given(bodies(methodName="go", responseTimeoutInSeconds=30, connectTimeoutInSeconds=5, payload=VALUES))
def test_any_body_is_a_call_or_refused(body: dict[str, Any]) -> None:
    """Nothing else is raised."""
    with contextlib.suppress(Refusal):
        Call.from_body(body)
