"""Faults and limits over REST: this hub's own resources, for the owner, from this machine only.

POST /$fwsm/faults {"operation": "reported patch", "effect": "refuse", "status": 429, "deviceId": "d1", "times": 3}

`deviceId` may be `{device}/{module}`; a fault for a device strikes its modules as well.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from fwsm.errors import HubError
from fwsm.hub.faults import EFFECTS, Delay, Effect, Operation, Refuse
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, object_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine
    from fwsm.hub.faults import Fault
    from fwsm.hub.rest.exchange import Handler

__all__ = ["ROUTES"]

_OWNER = Right.REGISTRY_WRITE | Right.SERVICE_CONNECT
_NAMES = {kind: name for name, kind in EFFECTS.items()}


def _here(handler: Handler) -> Handler:
    """Refuse requests from other machines: whoever can break the hub should sit before it."""

    async def guarded(engine: Engine, request: Request) -> Response:
        peer = request.client
        if peer is None or not ipaddress.ip_address(peer.host).is_loopback:
            raise Refusal(Why.UNAUTHORIZED, "Faults are ordered from the hub's own machine only.")
        try:
            return await handler(engine, request)
        except HubError as error:
            raise Refusal(Why.ARGUMENT_INVALID, f"{error}") from None

    return guarded


async def _list(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    return answer([_document(fault) for fault in engine.faults.pending()])


async def _inject(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    try:
        operation = Operation(body.get("operation"))
    except ValueError:
        names = ", ".join(operation.value for operation in Operation)
        raise Refusal(
            Why.ARGUMENT_INVALID, f"operation is {body.get('operation')!r:.40}, not one of {names}."
        ) from None
    device_id, times = body.get("deviceId"), _whole(body, "times", 1)
    if not isinstance(device_id, str | None):
        raise Refusal(Why.ARGUMENT_INVALID, f"deviceId is {device_id!r:.40}, not a text.")
    effect = _effect(body)
    _check_names(body, effect)
    fault = engine.faults.inject(operation, effect, device_id=device_id, times=times)
    return answer(_document(fault), 201)


async def _clear(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    engine.faults.clear()
    return Response(status_code=204)


async def _show_throttles(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    return answer({"units": engine.throttles.units})


async def _set_throttles(engine: Engine, request: Request) -> Response:
    engine.throttles.set(_whole(await object_body(request), "units"))
    return await _show_throttles(engine, request)


async def _disconnect(engine: Engine, request: Request) -> Response:
    engine.links.close(_known(engine, request), "cut off by hand")
    return Response(status_code=204)


async def _expire(engine: Engine, request: Request) -> Response:
    engine.links.expire(_known(engine, request))
    return Response(status_code=204)


def _known(engine: Engine, request: Request) -> str:
    return engine.registry.get(str(request.path_params["device_id"])).client_id


def _effect(body: dict[str, Any]) -> Effect:
    kind = EFFECTS.get(str(body.get("effect")))
    if kind is None:
        raise Refusal(Why.ARGUMENT_INVALID, f"effect is {body.get('effect')!r:.40}, not one of {', '.join(EFFECTS)}.")
    if kind is Refuse:
        return Refuse(_whole(body, "status"))
    if kind is Delay:
        return Delay(_number(body, "seconds"))
    return kind()  # type: ignore[call-arg] # the others take nothing


def _check_names(body: dict[str, Any], effect: Effect) -> None:
    known = {"operation", "effect", "deviceId", "times", *effect.__slots__}
    for name in body:
        if name not in known:
            what = f"{name[:40]!r} means nothing to a fault that is {_NAMES[type(effect)]}"
            raise Refusal(Why.ARGUMENT_INVALID, f"{what}; known are {', '.join(sorted(known))}.")


def _whole(body: dict[str, Any], name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(Why.ARGUMENT_INVALID, f"{name} is {value!r:.40}, not a whole number.")
    return value


def _number(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refusal(Why.ARGUMENT_INVALID, f"{name} is {value!r:.40}, not a number.")
    return value


def _document(fault: Fault) -> dict[str, Any]:
    effect = fault.effect
    return {
        "operation": fault.operation.value,
        "effect": _NAMES[type(effect)],
        **({"status": effect.status} if isinstance(effect, Refuse) else {}),
        **({"seconds": effect.seconds} if isinstance(effect, Delay) else {}),
        "deviceId": fault.device_id,
        "timesLeft": fault.times_left,
    }


ROUTES = tuple(
    Route(method, f"/$fwsm/{path}", _OWNER, _here(handler))
    for method, path, handler in (
        ("GET", "faults", _list),
        ("POST", "faults", _inject),
        ("DELETE", "faults", _clear),
        ("GET", "throttles", _show_throttles),
        ("PUT", "throttles", _set_throttles),
        ("POST", "devices/{device_id}/disconnect", _disconnect),
        ("POST", "devices/{device_id}/expireToken", _expire),
    )
)
