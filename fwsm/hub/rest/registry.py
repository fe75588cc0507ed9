"""The registry over REST: `/devices`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from fwsm.hub.operator import identity_document
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, if_match, object_body, top

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine
    from fwsm.hub.identity import Identity

__all__ = ["ROUTES"]

_MOST_DEVICES = 1000


def _client_id(request: Request) -> str:
    return str(request.path_params["device_id"])


def _identity(engine: Engine, identity: Identity) -> Response:
    return answer(identity_document(engine, identity), headers={"ETag": f'"{identity.etag}"'})


async def _list_devices(engine: Engine, request: Request) -> Response:
    devices = engine.registry.list(top(request, _MOST_DEVICES))
    return answer([identity_document(engine, identity) for identity in devices])


async def _get(engine: Engine, request: Request) -> Response:
    return _identity(engine, engine.registry.get(_client_id(request)))


async def _put(engine: Engine, request: Request) -> Response:
    client_id, body, etag = _client_id(request), await object_body(request), if_match(request)
    registry = engine.registry
    return _identity(
        engine, registry.create(client_id, body) if etag is None else registry.update(client_id, body, etag)
    )


async def _delete(engine: Engine, request: Request) -> Response:
    etag = if_match(request)
    if etag is None:
        raise Refusal(Why.PRECONDITION, "Deleting a device takes an If-Match header with its etag or a star.")
    engine.registry.delete(_client_id(request), etag)
    return Response(status_code=204)


ROUTES = (
    Route("GET", "/devices", Right.REGISTRY_READ, _list_devices),
    Route("GET", "/devices/", Right.REGISTRY_READ, _list_devices),  # as the Node SDK writes it
    Route("GET", "/devices/{device_id}", Right.REGISTRY_READ, _get),
    Route("PUT", "/devices/{device_id}", Right.REGISTRY_WRITE, _put),
    Route("DELETE", "/devices/{device_id}", Right.REGISTRY_WRITE, _delete),
)
