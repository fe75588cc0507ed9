"""Direct methods: a call of an operator, answered by a device.

    REST -> Methods.call -> $iothub/methods/POST/{name}/?$rid={rid} -> device
    REST <- status, payload <- $iothub/methods/res/{status}/?$rid={rid} <- device

The hub never repeats a call. When no answer comes in time it says so (504101), and the device may still have acted.
Source: "Understand and invoke direct methods from IoT Hub".
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import Connected, Subscribed
from fwsm.hub.jsontext import compact, parse
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.topics import METHODS, is_method_name, method_topic

if TYPE_CHECKING:
    from fwsm.hub.events import Events
    from fwsm.hub.links import Link, Links
    from fwsm.hub.registry import Registry

__all__ = ["Call", "MethodResult", "Methods"]

_MAX_PAYLOAD_BYTES = 128 * 1024
_DEFAULT_RESPONSE_S = 30
_RESPONSE_S = range(5, 301)
_CONNECT_S = range(301)


@dataclass(frozen=True, slots=True)
class Call:
    """What an operator asks of a device.

    Attributes:
        name: the method.
        payload: any JSON value.
        response_timeout_s: how long the device has for its answer.
        connect_timeout_s: how long the hub waits for the device to connect and to subscribe.

    Raises:
        Refusal: 400004, the name cannot be that of a method.
    """

    name: str
    payload: Any = None
    response_timeout_s: float = _DEFAULT_RESPONSE_S
    connect_timeout_s: float = 0

    def __post_init__(self) -> None:
        if not is_method_name(self.name):
            raise Refusal(
                Why.ARGUMENT_INVALID, f"methodName {self.name!r:.120} is not 1 to 100 letters, digits, _ * . or -."
            )

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Call:
        """Return the call that the body of a REST request describes.

        Raises:
            Refusal: 400004, a part is malformed or outside its limits.
        """
        response_s = _seconds(body, "responseTimeoutInSeconds", _DEFAULT_RESPONSE_S, _RESPONSE_S)
        connect_s = _seconds(body, "connectTimeoutInSeconds", 0, _CONNECT_S)
        if connect_s > response_s:
            raise Refusal(
                Why.ARGUMENT_INVALID,
                f"connectTimeoutInSeconds ({connect_s}) is longer than responseTimeoutInSeconds ({response_s}).",
            )
        return cls(body.get("methodName", ""), body.get("payload"), response_s, connect_s)


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What the device answered: a status of its own choice, and any JSON value."""

    status: int
    payload: Any


class Methods:
    """The calls that wait for an answer.

    Args:
        registry: who can be called.
        links: the way to the devices.
        events: tells when a device may have become reachable.
    """

    def __init__(self, registry: Registry, links: Links, events: Events) -> None:
        self._registry = registry
        self._links = links
        self._rids = count(1)
        self._answers: dict[tuple[str, str], asyncio.Future[tuple[int, bytes]]] = {}
        self._arrivals: dict[str, asyncio.Event] = {}
        events.subscribe(self._on_arrival, Connected, Subscribed)

    async def call(self, client_id: str, call: Call) -> MethodResult:
        """Call a method and wait for the answer.

        Raises:
            Refusal: 404001, no such device; 404103, not connected or not subscribed; 504101, no answer in time;
                413001, the payload is too large; 502, the answer is not JSON.
        """
        self._registry.get(client_id)
        payload = compact(call.payload)
        if len(payload) > _MAX_PAYLOAD_BYTES:
            raise Refusal(
                Why.TOO_LARGE, f"A payload of {len(payload)} bytes is over the limit of {_MAX_PAYLOAD_BYTES}."
            )
        link = await self._reach(client_id, call.connect_timeout_s)
        rid = f"{next(self._rids):x}"
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._answers[client_id, rid] = answer
        try:
            link.publish(method_topic(call.name, rid), payload)
            async with asyncio.timeout(call.response_timeout_s):
                status, body = await answer
        except TimeoutError:
            raise Refusal(
                Why.DEVICE_TIMEOUT,
                f"{client_id} did not answer {call.name} within {call.response_timeout_s:g} s; it may have acted.",
            ) from None
        finally:
            del self._answers[client_id, rid]
        return MethodResult(status, _payload(client_id, body))

    def answered(self, client_id: str, rid: str, status: int, body: bytes) -> None:
        """Take a device's answer; one that nobody waits for (any more) is dropped, as IoT Hub does."""
        answer = self._answers.get((client_id, rid))
        if answer is not None and not answer.done():
            answer.set_result((status, body))

    async def _reach(self, client_id: str, timeout_s: float) -> Link:
        try:
            async with asyncio.timeout(timeout_s):
                while (link := self._links.listener(client_id, METHODS)) is None:
                    await self._arrivals.setdefault(client_id, asyncio.Event()).wait()
        except TimeoutError:
            if self._links.connected(client_id):
                raise Refusal(
                    Why.DEVICE_NOT_ONLINE,
                    f"{client_id} is connected but has yet to subscribe to direct methods.",
                ) from None
            raise Refusal(
                Why.DEVICE_NOT_ONLINE,
                f"The operation failed because the requested device isn't online: {client_id}.",
            ) from None
        return link

    def _on_arrival(self, event: Connected | Subscribed) -> None:
        arrival = self._arrivals.pop(event.client_id, None)
        if arrival is not None:
            arrival.set()


def _seconds(body: dict[str, Any], name: str, default: int, allowed: range) -> int:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or value not in allowed:
        raise Refusal(
            Why.ARGUMENT_INVALID,
            f"{name} is {value!r:.120}, not a whole number from {allowed[0]} to {allowed[-1]}.",
        )
    return int(value)


def _payload(client_id: str, body: bytes) -> Any:
    if len(body) > _MAX_PAYLOAD_BYTES:
        raise Refusal(Why.BAD_DEVICE_RESPONSE, f"The answer of {client_id} is longer than {_MAX_PAYLOAD_BYTES} bytes.")
    if not body.strip():
        return None
    try:
        return parse(body)
    except Refusal as refusal:
        raise Refusal(Why.BAD_DEVICE_RESPONSE, f"The answer of {client_id} cannot be read: {refusal.message}") from None
