"""The REST door, as an HTTP client sees it."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import pytest

from fwsm.errors import HubError
from fwsm.hub.engine import Engine
from fwsm.hub.rest import rest_app
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import METHODS
from fwsm.hub.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from starlette.applications import Starlette

    from fwsm.hub import Hub

_T = TypeVar("_T")
_Message: TypeAlias = "MutableMapping[str, Any]"


@dataclass
class Answer:
    """A response: status, headers in lower case, and the body as JSON."""

    status: int
    headers: dict[str, str]
    body: Any


class Operator:
    """An HTTP client with a policy's key."""

    def __init__(self, hub: Hub, policy: str = "iothubowner") -> None:
        self.hub = hub
        self.policy = policy
        self.context = ssl.create_default_context(cafile=hub.ca_path)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Send a request with a good token; a body of bytes goes as it is."""
        fields = dict(part.split("=", 1) for part in self.hub.policy_connection_string(self.policy).split(";"))
        token = sign(fields["HostName"], fields["SharedAccessKey"], int(time.time()) + 60, self.policy)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": token, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPSConnection(self.hub.address, self.hub.rest_port, context=self.context, timeout=10)
        try:
            connection.request(method, f"{path}?api-version=2021-04-12", data, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return Answer(
            response.status,
            {name.lower(): value for name, value in response.getheaders()},
            json.loads(text) if text else None,
        )


@pytest.fixture
def owner(hub: Hub) -> Operator:
    """Return an operator with all rights."""
    return Operator(hub)


def _refused(answer: Answer) -> tuple[int, str]:
    """Return status and error name; they must say the same in the header and in the body."""
    name = answer.headers["iothub-errorcode"]
    assert answer.body["Message"].startswith(f"ErrorCode:{name};")
    assert answer.body["ExceptionMessage"].startswith("Tracking ID:")
    return answer.status, name


def test_device_lives_from_creation_to_deletion(owner: Operator) -> None:
    """Create, read, update with the etag, list, delete."""
    created = owner.ask("PUT", "/devices/d1", {"deviceId": "d1"})
    assert (created.status, created.headers["etag"]) == (200, f'"{created.body["etag"]}"')
    assert owner.ask("GET", "/devices/d1").body == created.body
    updated = owner.ask("PUT", "/devices/d1", {"status": "disabled"}, If_Match=created.headers["etag"])
    assert updated.body["status"] == "disabled"
    assert owner.ask("GET", "/devices").body == owner.ask("GET", "/devices/").body == [updated.body]
    assert owner.ask("DELETE", "/devices/d1", If_Match='"*"').status == 204
    assert _refused(owner.ask("GET", "/devices/d1")) == (404, "DeviceNotFound")


def test_registry_refuses_by_the_rules(owner: Operator) -> None:
    """Conflicts, missing and stale etags, and bad descriptions have their codes."""
    owner.ask("PUT", "/devices/d1", {})
    assert _refused(owner.ask("PUT", "/devices/d1", {})) == (409, "DeviceAlreadyExists")
    assert _refused(owner.ask("PUT", "/devices/d2", {}, If_Match="*")) == (404, "DeviceNotFound")
    assert _refused(owner.ask("PUT", "/devices/d1", {}, If_Match='"old"')) == (412, "PreconditionFailed")
    assert _refused(owner.ask("DELETE", "/devices/d1")) == (412, "PreconditionFailed")
    assert _refused(owner.ask("PUT", "/devices/d%20x", {})) == (400, "ArgumentInvalid")
    assert _refused(owner.ask("PUT", "/devices/d3", {"deviceId": "d4"})) == (400, "ArgumentInvalid")


@pytest.mark.parametrize("top", ["0", "1001", "x", "-1", "%C2%B2", "9" * 5000])
def test_list_takes_a_limit_from_1_to_1000(owner: Operator, top: str) -> None:
    """Other values are refused, whatever they are."""
    assert _refused(owner.ask("GET", f"/devices?top={top}&x")) == (400, "ArgumentInvalid")


def test_twin_is_merged_and_replaced(owner: Operator) -> None:
    """PATCH merges, PUT wipes; the etag guards both and comes in the header."""
    owner.ask("PUT", "/devices/d1", {})
    first = owner.ask("GET", "/twins/d1")
    assert first.headers["etag"] == '"AAAAAAAAAAE="'
    change = {"tags": {"a": 1}, "properties": {"desired": {"b": {"c": 2}}}}
    second = owner.ask("PATCH", "/twins/d1", change, If_Match=first.headers["etag"])
    assert (second.body["tags"], second.body["properties"]["desired"]["b"]) == ({"a": 1}, {"c": 2})
    stale = owner.ask("PATCH", "/twins/d1", change, If_Match=first.headers["etag"])
    assert _refused(stale) == (412, "PreconditionFailed")
    third = owner.ask("PUT", "/twins/d1", {"tags": {"z": 0}})
    assert (third.body["tags"], third.body["properties"]["desired"]["$version"]) == ({"z": 0}, 3)
    assert "b" not in third.body["properties"]["desired"]


def test_twin_shows_metadata(owner: Operator) -> None:
    """An operator sees when each property was written."""
    owner.ask("PUT", "/devices/d1", {})
    twin = owner.ask("PATCH", "/twins/d1", {"properties": {"desired": {"a": 1}}}).body
    assert twin["properties"]["desired"]["$metadata"]["a"]["$lastUpdatedVersion"] == 2


def test_twin_beyond_its_limits_is_refused(owner: Operator) -> None:
    """400004 with the place of the offender."""
    owner.ask("PUT", "/devices/d1", {})
    answer = owner.ask("PATCH", "/twins/d1", {"properties": {"desired": {"a.b": 1}}})
    assert _refused(answer) == (400, "ArgumentInvalid")
    assert "desired: the key 'a.b'" in answer.body["Message"]


def test_failed_method_has_the_newer_error_inside_the_older(owner: Operator) -> None:
    """Message is JSON with errorCode; the header has the name."""
    owner.ask("PUT", "/devices/d1", {})
    for path, body, code, name in (
        ("/twins/d1/methods", {"methodName": "go"}, 404103, "DeviceNotOnline"),
        ("/twins/d2/methods", {"methodName": "go"}, 404001, "DeviceNotFound"),
        ("/twins/d1/methods", {"methodName": "go", "connectTimeoutInSeconds": 60}, 400004, "ArgumentInvalid"),
    ):
        answer = owner.ask("POST", path, body)
        assert answer.headers["iothub-errorcode"] == name
        assert json.loads(answer.body["Message"])["errorCode"] == code
        assert answer.status == code // 1000


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
        assert _refused(owner.ask("GET", "/devices", Authorization=token)) == (401, "IotHubUnauthorizedAccess")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_malformed_body_is_refused(owner: Operator, body: bytes) -> None:
    """Whatever is not a JSON object gets the hub's own error."""
    owner.ask("PUT", "/devices/d1", {})
    assert _refused(owner.ask("PATCH", "/twins/d1", body)) == (400, "IotHubFormatError")


def test_large_body_is_refused(owner: Operator) -> None:
    """A body is read up to a limit only."""
    owner.ask("PUT", "/devices/d1", {})
    assert _refused(owner.ask("PATCH", "/twins/d1", b" " * 300_000)) == (413, "MessageTooLarge")


def test_unknown_route_is_refused_as_the_hub_does(owner: Operator) -> None:
    """There is no page of a web server behind the hub."""
    assert _refused(owner.ask("GET", "/nothing/here")) == (404, "GenericNotFound")
    assert _refused(owner.ask("POST", "/devices/d1", {})) == (405, "GenericMethodNotAllowed")


def test_connection_is_kept_for_the_next_request(hub: Hub) -> None:
    """Clients with a pool reuse one TLS connection."""
    operator = Operator(hub)
    connection = http.client.HTTPSConnection(hub.address, hub.rest_port, context=operator.context, timeout=10)
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
    """Create d1 in the application itself, and return what it sends; it receives `received`, then nothing."""
    sent: list[_Message] = []

    async def receive() -> _Message:
        return received.pop(0) if received else await asyncio.get_running_loop().create_future()

    async def send(message: _Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/devices/d1",
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


def test_end_of_the_hub_ends_a_request_that_waits() -> None:
    """A request that is cancelled ends with an answer, not with a traceback in the log."""

    async def act(app: Starlette, token: str) -> list[_Message]:
        request = asyncio.create_task(_put(app, token, []))
        await asyncio.sleep(0)
        request.cancel()
        return await request

    start, _ = _with_app(EphemeralState(), act)
    assert (start["status"], dict(start["headers"])[b"iothub-errorcode"]) == (503, b"ServiceUnavailable")


class CalledDevice:
    """A connected device that says when it is called, and answers or not."""

    def __init__(self, hub: Hub, answer: bytes | None) -> None:
        self.hub = hub
        self.answer = answer
        self.called = threading.Event()
        hub._live.decide(hub._live.engine.links.attach, "d1", self)

    def listens_to(self, topic_filter: str) -> bool:
        """Listen to methods."""
        return topic_filter == METHODS

    def publish(self, topic: str, payload: bytes) -> None:
        """Take note, and answer."""
        assert (topic, payload) == ("$iothub/methods/POST/go/?$rid=1", b"null")
        self.called.set()
        if self.answer is not None:
            self.hub._live.engine.methods.answered("d1", "1", 409, self.answer)

    def close(self, reason: str) -> None:
        """Never happens here."""
        raise AssertionError(reason)


def test_answer_of_the_device_is_the_body(hub: Hub, owner: Operator) -> None:
    """The request has succeeded, whatever the status of the device says."""
    hub.add_device("d1")
    CalledDevice(hub, b'{"busy": true}')
    answer = owner.ask("POST", "/twins/d1/methods", {"methodName": "go"})
    assert (answer.status, answer.body) == (200, {"status": 409, "payload": {"busy": True}})


def test_hub_stops_at_once_while_a_method_waits(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who waits for an answer is cut off, and nothing is logged as an error."""
    hub.add_device("d1")
    device, operator, outcome = CalledDevice(hub, None), Operator(hub), list[Exception]()

    def call() -> None:
        try:
            operator.ask("POST", "/twins/d1/methods", {"methodName": "go"})
        except (http.client.HTTPException, OSError) as error:
            outcome.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert device.called.wait(10)
    hub.stop()
    caller.join(5)
    assert len(outcome) == 1
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
