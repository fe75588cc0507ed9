"""The event feed over REST, read line by line."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import time
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.engine import Engine
from fwsm.hub.events import Connected
from fwsm.hub.rest import rest_app
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.turn import Turn
from tests.hub.rest.asking import Operator, refused
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Self

    from fwsm.hub import Hub

PATH = "/$fwsm/events"


class Reader:
    """A client that reads server-sent events."""

    def __init__(self, hub: Hub, query: str = "", **headers: str) -> None:
        fields = dict(part.split("=", 1) for part in hub.service_connection_string.split(";"))
        token = sign(fields["HostName"], fields["SharedAccessKey"], int(time.time()) + 3600, "service")
        context = ssl.create_default_context(cafile=hub.ca_path)
        self.connection = http.client.HTTPSConnection(hub.address, hub.rest_port, context=context, timeout=PATIENCE_S)
        self.connection.request("GET", f"{PATH}{query}", headers={"Authorization": token, **headers})
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        assert self.response.headers["Content-Type"].startswith("text/event-stream")
        assert self.response.readline() == b": the feed\n"
        assert self.response.readline() == b"\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()
        self.response.close()

    def next(self) -> tuple[str, int, Any]:
        """Return the next event: its name, its number and its data."""
        fields = {}
        while line := self.response.readline().decode().strip():
            name, _, value = line.partition(": ")
            fields[name] = value
        return fields["event"], int(fields["id"]), json.loads(fields["data"])


def test_stream_begins_now(hub: Hub) -> None:
    """What was before is not sent; what comes is, as it comes."""
    hub.add_device("d1")
    with Reader(hub) as reader:
        hub.update_twin("d1", tags={"t": 1})
        name, number, data = reader.next()
        assert (name, number, data["sequenceNumber"]) == ("twinChangeEvents", 2, 2)
        assert data["body"] == {"version": 2, "tags": {"t": 1}}
        assert data["annotations"]["iothub-connection-device-id"] == "d1"
        hub.update_twin("d1", tags={"t": 2})
        assert reader.next()[1] == 3


def test_stream_begins_at_a_position(hub: Hub) -> None:
    """Given in the query, or in the header with which a reader comes back."""
    for device_id in ("d1", "d2", "d3"):
        hub.add_device(device_id)
    with Reader(hub, "?after=1") as reader:
        assert [reader.next()[1] for _ in range(2)] == [2, 3]
    with Reader(hub, **{"Last-Event-ID": "2"}) as reader:
        assert reader.next()[1] == 3


def test_stream_of_one_device(hub: Hub) -> None:
    """The others are left out."""
    for device_id in ("d1", "d2", "d1x"):
        hub.add_device(device_id)
    with Reader(hub, "?after=0&deviceId=d2") as reader:
        assert reader.next()[2]["properties"]["deviceId"] == "d2"


def test_reader_is_told_what_it_has_lost(hub: Hub) -> None:
    """And the stream goes on with the oldest that is kept."""
    feed = hub._live.engine.feed
    feed._most_events = 2
    for device_id in ("d1", "d2", "d3", "d4"):
        hub.add_device(device_id)
    with Reader(hub, "?after=0") as reader:
        assert reader.next() == ("lost", 2, {"from": 1, "to": 2})
        assert reader.next()[1] == 3


def test_reader_with_much_to_catch_up_on_holds_nobody_up() -> None:
    """Between a hundred events and the next the hub does what else there is to do."""
    state = EphemeralState()
    engine = Engine(state, lambda: 0.0, lambda: 0.0)
    for number in range(1000):
        engine.events.publish(Connected(f"d{number}"))
    token = sign("hub", engine.policies.keys["service"], 60, "service")
    rounds_of_events: list[int] = []

    async def scene() -> None:
        loop, rounds = asyncio.get_running_loop(), 0
        done, reading = loop.create_future(), loop.create_future()

        def go_round() -> None:
            nonlocal rounds
            rounds += 1
            loop.call_soon(go_round)

        async def receive() -> MutableMapping[str, Any]:
            return await reading  # type: ignore[no-any-return]

        async def send(message: MutableMapping[str, Any]) -> None:
            if message.get("body", b"").startswith(b"event: "):
                rounds_of_events.append(rounds)
                if len(rounds_of_events) == 1000:
                    done.set_result(None)

        scope = {
            "type": "http",
            "method": "GET",
            "path": PATH,
            "root_path": "",
            "query_string": b"after=0",
            "headers": [(b"authorization", token.encode())],
        }
        app = rest_app(engine, Turn(state, loop))
        loop.call_soon(go_round)
        answering = asyncio.ensure_future(app(scope, receive, send))
        await done
        answering.cancel()

    asyncio.run(scene())
    assert len(set(rounds_of_events)) == 10


def test_hub_stops_while_somebody_reads(address: str) -> None:
    """The stream ends whole, and does not hold it up."""
    from fwsm.hub import Hub  # noqa: PLC0415 - the fixture of the others would stop it too late

    with Hub(address) as hub:
        reader = Reader(hub)
    with reader:
        assert reader.response.read() == b""  # raises IncompleteRead unless the last chunk was sent


@pytest.mark.parametrize("position", ["x", "-1", "1", "9" * 30])
def test_position_that_is_none_is_refused(owner: Operator, position: str) -> None:
    """Also one that the feed has not reached."""
    assert refused(owner.ask("GET", f"{PATH}?after={position}")) == (400, "ArgumentInvalid")


def test_events_take_the_right_of_the_service(hub: Hub) -> None:
    """Keepers of the registry and devices do not read them."""
    for policy in ("registryReadWrite", "device"):
        assert Operator(hub, policy).ask("GET", PATH).status == 401
