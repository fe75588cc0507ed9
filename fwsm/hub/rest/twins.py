"""Twins and direct methods of devices and modules over REST: `/twins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.methods import Call
from fwsm.hub.operator import twin_document
from fwsm.hub.policy import Right
from fwsm.hub.rest.exchange import Route, answer, client_id, if_match_any, object_body, while_there
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


def _twin(engine: Engine, request: Request) -> Response:
    twin = engine.twins.get(client_id(request))
    return answer(twin_document(engine, client_id(request)), headers={"ETag": f'"{twin.etag}"'})


async def _get(engine: Engine, request: Request) -> Response:
    return _twin(engine, request)


async def _patch(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    engine.twins.update(client_id(request), body, if_match_any(request))
    return _twin(engine, request)


async def _put(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    engine.twins.replace(client_id(request), body, if_match_any(request))
    return _twin(engine, request)


async def _call_method(engine: Engine, request: Request) -> Response:
    call = Call.from_body(await object_body(request))
    result = await while_there(request, engine.methods.call(client_id(request), call))
    return answer({"status": result.status, "payload": result.payload})


_PATHS = ("/twins/{device_id}", "/twins/{device_id}/modules/{module_id}")

ROUTES = tuple(
    Route(method, path + below, Right.SERVICE_CONNECT, handler, load)
    for path in _PATHS
    for method, below, handler, load in (
        ("GET", "", _get, Load.TWIN_READ),
        ("PATCH", "", _patch, Load.TWIN_UPDATE),
        ("PUT", "", _put, Load.TWIN_UPDATE),
        ("POST", "/methods", _call_method, Load.METHOD),
    )
)
