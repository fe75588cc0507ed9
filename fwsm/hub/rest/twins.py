"""Twins and direct methods over REST: `/twins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.methods import Call
from fwsm.hub.operator import twin_document
from fwsm.hub.policy import Right
from fwsm.hub.rest.exchange import Route, answer, if_match, object_body

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


def _client_id(request: Request) -> str:
    return str(request.path_params["device_id"])


def _twin(engine: Engine, client_id: str) -> Response:
    return answer(twin_document(engine, client_id), headers={"ETag": f'"{engine.twins.get(client_id).etag}"'})


async def _get(engine: Engine, request: Request) -> Response:
    return _twin(engine, _client_id(request))


async def _patch(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    engine.twins.update(_client_id(request), body, if_match(request) or "*")
    return _twin(engine, _client_id(request))


async def _put(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    engine.twins.replace(_client_id(request), body, if_match(request) or "*")
    return _twin(engine, _client_id(request))


async def _call_method(engine: Engine, request: Request) -> Response:
    result = await engine.methods.call(_client_id(request), Call.from_body(await object_body(request)))
    return answer({"status": result.status, "payload": result.payload})


ROUTES = (
    Route("GET", "/twins/{device_id}", Right.SERVICE_CONNECT, _get),
    Route("PATCH", "/twins/{device_id}", Right.SERVICE_CONNECT, _patch),
    Route("PUT", "/twins/{device_id}", Right.SERVICE_CONNECT, _put),
    Route("POST", "/twins/{device_id}/methods", Right.SERVICE_CONNECT, _call_method),
)
