"""The application behind the REST door: rights, refusals, and the order of commit and answer."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

from fwsm.errors import HubError
from fwsm.hub.engine import Engine
from fwsm.hub.rest import rest_app
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.turn import Turn
from tests.hub.jobs.scene import Device
from tests.hub.rest.asking import Operator, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from starlette.applications import Starlette

    from fwsm.hub import Hub

_T = TypeVar("_T")
_Message: TypeAlias = "MutableMapping[str, Any]"


@pytest.mark.parametrize(
    ("policy", "method", "path", "status"),
    [
        ("service", "GET", "/devices/d1", 401),
        ("service", "GET", "/twins/d1", 404),
        ("registryRead", "GET", "/devices/d1", 404),
        ("registryRead", "PUT", "/devices/d1", 401),
        ("registryRead", "GET", "/twins/d1", 401),
        ("registryReadWrite", "DELETE", "/devices/d1", 412),
        ("device", "GET", "/devices", 401),
        ("device", "POST", "/twins/d1/methods", 401),
    ],
)
def test_policy_opens_what_it_has_the_right_to(hub: Hub, policy: str, method: str, path: str, status: int) -> None:
    """401 without the right; with it the request gets as far as the device, which does not exist."""
    assert Operator(hub, policy).ask(method, path).status == status


def test_request_without_a_good_token_is_unauthorized(owner: Operator) -> None:
    """No token, nonsense, and a token of an unknown policy are alike."""
    for token in ("", "Bearer x", "SharedAccessSignature sr=a", sign("hub", "A" * 44, 2**40, "nobody")):
        assert refused(owner.ask("GET", "/devices", Authorization=token)) == (401, "IotHubUnauthorizedAccess")


def test_unknown_route_is_refused_as_the_hub_does(owner: Operator) -> None:
    """There is no page of a web server behind the hub."""
    assert refused(owner.ask("GET", "/nothing/here")) == (404, "GenericNotFound")
    assert refused(owner.ask("PUT", "/$fwsm/authorities/%2F", {})) == (404, "GenericNotFound")
    assert refused(owner.ask("GET", "/twins/d1/")) == (404, "GenericNotFound")
    assert refused(owner.ask("POST", "/devices/d1", {})) == (405, "GenericMethodNotAllowed")


def test_head_is_no_way_to_read(owner: Operator) -> None:
    """What is taken away by being read would be gone, and a feed without events would go on for ever."""
    for path in ("/devices", "/$fwsm/feedback", "/$fwsm/events"):
        answer = owner.ask("HEAD", path)
        assert (answer.status, answer.headers["iothub-errorcode"]) == (405, "GenericMethodNotAllowed")


def test_connection_is_kept_for_the_next_request(hub: Hub) -> None:
    """Clients with a pool reuse one TLS connection."""
    operator = Operator(hub)
    connection = http.client.HTTPSConnection(hub.address, hub.rest_port, context=operator.context, timeout=PATIENCE_S)
    sockets = []
    for _ in range(2):
        connection.request("GET", "/devices")
        connection.getresponse().read()
        sockets.append(connection.sock)
    connection.close()
    assert sockets[0] is not None
    assert sockets[0] is sockets[1]


class BrokenState(EphemeralState):
    """A state whose disk is full."""

    def commit(self) -> None:
        """Fail."""
        raise HubError("the disk is full")


async def _put(app: Starlette, token: str, received: list[_Message]) -> list[_Message]:
    return await _request("PUT", "/devices/d1", app, token, received)


async def _request(method: str, path: str, app: Starlette, token: str, received: list[_Message]) -> list[_Message]:
    """Ask the application itself, and return what it sends; it receives `received`, then nothing."""
    sent: list[_Message] = []

    async def receive() -> _Message:
        return received.pop(0) if received else await asyncio.get_running_loop().create_future()

    async def send(message: _Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [(b"authorization", token.encode())],
    }
    await app(scope, receive, send)
    return sent


def _with_app(state: EphemeralState, act: Callable[[Starlette, str], Awaitable[_T]]) -> _T:
    async def scene() -> _T:
        engine = Engine(state, lambda: 0.0, lambda: 0.0)
        app = rest_app(engine, Turn(state, asyncio.get_running_loop()))
        return await act(app, sign("hub", engine.policies.keys["iothubowner"], 60, "iothubowner"))

    return asyncio.run(scene())


class BreakingClock:
    """A clock that fails once, when it is told to."""

    broken = False

    def __call__(self) -> float:
        """Return the time."""
        if self.broken:
            self.broken = False
            raise RuntimeError("the spring is gone")
        return 0.0


def test_fault_of_the_hub_has_the_hubs_form(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is no page of a web server either; what it was stands in the log."""
    clock = BreakingClock()

    async def scene() -> list[_Message]:
        engine = Engine(EphemeralState(), clock, lambda: 0.0)
        app = rest_app(engine, Turn(EphemeralState(), asyncio.get_running_loop()))
        clock.broken = True
        return await _put(app, sign("hub", engine.policies.keys["iothubowner"], 60, "iothubowner"), [])

    start, content = asyncio.run(scene())
    assert (start["status"], dict(start["headers"])[b"iothub-errorcode"]) == (500, b"ServerError")
    assert "its log says more" in json.loads(content["body"])["Message"]
    assert "the spring is gone" in caplog.text


def test_what_cannot_be_kept_is_not_acknowledged() -> None:
    """When the commit fails the operator gets a server error of the hub's form, with the reason."""
    body: list[_Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]
    start, content = _with_app(BrokenState(), lambda app, token: _put(app, token, body))
    assert (start["status"], dict(start["headers"])[b"iothub-errorcode"]) == (500, b"ServerError")
    assert "the disk is full" in json.loads(content["body"])["Message"]


def test_client_that_goes_away_does_no_harm() -> None:
    """A body that breaks off creates nothing and raises nothing."""
    parts: list[_Message] = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    start, _ = _with_app(EphemeralState(), lambda app, token: _put(app, token, parts))
    assert start["status"] == 400


@pytest.mark.parametrize("path", ["/twins/d1/methods", "/digitaltwins/d1/commands/go"])
def test_operator_who_goes_away_waits_for_no_answer_of_the_device(path: str) -> None:
    """The request ends at once and not when the device's time is over; what it answers later is dropped."""

    async def scene() -> None:
        state = EphemeralState()
        engine = Engine(state, lambda: 0.0, lambda: 0.0)
        app = rest_app(engine, Turn(state, asyncio.get_running_loop()))
        token = sign("hub", engine.policies.keys["iothubowner"], 60, "iothubowner")
        engine.registry.create("d1", {})
        device = Device(engine, "d1", mute=True)
        body = json.dumps({"methodName": "go", "responseTimeoutInSeconds": 300}).encode()
        parts: list[_Message] = [{"type": "http.request", "body": body}, {"type": "http.disconnect"}]
        async with asyncio.timeout(60):
            start, _ = await _request("POST", path, app, token, parts)
        assert start["status"] == 400
        assert len(device.rids) == 1
        device.answer()

    asyncio.run(scene())


def test_end_of_the_hub_ends_a_request_that_waits() -> None:
    """A request that is cancelled ends with an answer, not with a traceback in the log."""

    async def act(app: Starlette, token: str) -> list[_Message]:
        request = asyncio.create_task(_put(app, token, []))
        await asyncio.sleep(0)
        request.cancel()
        return await request

    start, _ = _with_app(EphemeralState(), act)
    assert (start["status"], dict(start["headers"])[b"iothub-errorcode"]) == (503, b"ServiceUnavailable")


def test_throttled_operator_is_told_to_wait(hub: Hub, owner: Operator) -> None:
    """An S1 unit answers 20 queries a minute; the next is 429, and other work goes on."""
    hub._live.engine.throttles.set(1)
    query = {"query": "SELECT * FROM devices"}
    taken = 0
    while (answer := owner.ask("POST", "/devices/query", query)).status == 200:
        taken += 1
    assert taken >= 20  # one more for each three seconds that it has taken
    assert refused(answer) == (429, "ThrottlingException")
    assert "10 seconds" in answer.body["Message"]
    assert owner.ask("GET", "/devices").status == 200
