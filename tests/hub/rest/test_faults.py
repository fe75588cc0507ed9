"""Faults over REST."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub.engine import Engine
from fwsm.hub.rest import rest_app
from fwsm.hub.sas import sign
from fwsm.hub.state import EphemeralState
from fwsm.hub.turn import Turn
from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/$fwsm/faults"


def test_faults_are_ordered_listed_and_forgotten(hub: Hub, owner: Operator) -> None:
    """Each with what it takes."""
    orders: list[dict[str, Any]] = [
        {"operation": "reported patch", "effect": "refuse", "status": 429, "deviceId": "d1", "times": 3},
        {"operation": "connect", "effect": "delay", "seconds": 0.5},
        {"operation": "telemetry", "effect": "cutBeforeAck"},
    ]
    made = [owner.ask("POST", PATH, order) for order in orders]
    assert [answer.status for answer in made] == [201] * 3
    assert owner.ask("GET", PATH).body == [answer.body for answer in made]
    assert made[0].body == {
        "operation": "reported patch",
        "effect": "refuse",
        "status": 429,
        "deviceId": "d1",
        "timesLeft": 3,
    }
    assert made[1].body == {
        "operation": "connect",
        "effect": "delay",
        "seconds": 0.5,
        "deviceId": None,
        "timesLeft": 1,
    }
    assert [fault.times_left for fault in hub.faults.pending()] == [3, 1, 1]
    assert owner.ask("DELETE", PATH).status == 204
    assert hub.faults.pending() == ()


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"operation": "connect"},
        {"operation": "connect", "effect": "lose"},
        {"operation": "connect", "effect": "refuse"},
        {"operation": "connect", "effect": "refuse", "status": 5.5},
        {"operation": "connect", "effect": "refuse", "status": 1},
        {"operation": "connect", "effect": "delay", "seconds": "1"},
        {"operation": "connect", "effect": "delay", "seconds": -1},
        {"operation": "telemetry", "effect": "lose", "times": 0},
        {"operation": "telemetry", "effect": "lose", "times": True},
        {"operation": "telemetry", "effect": "lose", "deviceId": 1},
    ],
)
def test_impossible_order_is_refused(hub: Hub, owner: Operator, order: dict[str, Any]) -> None:
    """With what would be possible; nothing is ordered."""
    assert refused(owner.ask("POST", PATH, order)) == (400, "ArgumentInvalid")
    assert hub.faults.pending() == ()


@pytest.mark.parametrize(
    ("order", "name"),
    [
        ({"operation": "telemetry", "effect": "lose", "seconds": 3}, "seconds"),
        ({"operation": "telemetry", "effect": "lose", "bogus": 5}, "bogus"),
        ({"operation": "connect", "effect": "refuse", "status": 3, "seconds": 3}, "seconds"),
        ({"operation": "connect", "effect": "delay", "seconds": 3, "status": None}, "status"),
    ],
)
def test_what_means_nothing_is_refused_by_name(hub: Hub, owner: Operator, order: dict[str, Any], name: str) -> None:
    """A key that is misspelt, or that belongs to another effect, would otherwise be lost in silence."""
    answer = owner.ask("POST", PATH, order)
    assert refused(answer) == (400, "ArgumentInvalid")
    assert f"'{name}' means nothing" in str(answer.body)
    assert hub.faults.pending() == ()


def test_limits_are_switched_on_and_off(hub: Hub, owner: Operator) -> None:
    """By the number of S1 units."""
    assert owner.ask("GET", "/$fwsm/throttles").body == {"units": 0}
    assert owner.ask("PUT", "/$fwsm/throttles", {"units": 2}).body == {"units": 2}
    assert refused(owner.ask("PUT", "/$fwsm/throttles", {"units": 1000})) == (400, "ArgumentInvalid")
    hub.throttle(0)
    assert owner.ask("GET", "/$fwsm/throttles").body == {"units": 0}


@pytest.mark.parametrize("order", ["disconnect", "expireToken"])
def test_device_is_cut_off_on_demand(hub: Hub, owner: Operator, order: str) -> None:
    """Also when it is not there; one that does not exist is unknown."""
    hub.add_device("d1")
    assert owner.ask("POST", f"/$fwsm/devices/d1/{order}").status == 204
    assert refused(owner.ask("POST", f"/$fwsm/devices/d2/{order}")) == (404, "DeviceNotFound")


@pytest.mark.parametrize("policy", ["service", "registryReadWrite", "device"])
def test_faults_are_the_owners(hub: Hub, policy: str) -> None:
    """Half of the rights are not enough."""
    assert Operator(hub, policy).ask("GET", PATH).status == 401


@pytest.mark.parametrize(("host", "status"), [("127.3.4.5", 200), ("::1", 200), ("192.0.2.1", 401)])
def test_faults_are_ordered_from_this_machine_only(host: str, status: int) -> None:
    """Even where the hub may be reached from others."""

    async def scene() -> int:
        engine = Engine(EphemeralState(), time.time, time.monotonic)
        token = sign("hub", engine.policies.keys["iothubowner"], int(time.time()) + 3600, "iothubowner")
        app = rest_app(engine, Turn(EphemeralState(), asyncio.get_running_loop()))
        scope = {
            "type": "http",
            "method": "GET",
            "path": PATH,
            "query_string": b"",
            "headers": [(b"authorization", token.encode())],
            "client": (host, 5000),
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        await app(scope, receive, send)
        return int(sent[0]["status"])

    assert asyncio.run(scene()) == status
