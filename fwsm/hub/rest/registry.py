"""The registry over REST: devices and modules under `/devices`, and how many there are."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.responses import Response

from fwsm.hub.bulk import apply_all
from fwsm.hub.operator import identity_document
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, client_id, if_match, json_body, object_body, top
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine
    from fwsm.hub.identity import Identity

__all__ = ["ROUTES"]

_MOST_DEVICES = 1000
# A hundred devices with tags and desired properties as large as they may be.
_MAX_BULK_BYTES = 8 * 1024 * 1024


def _identity(engine: Engine, identity: Identity) -> Response:
    return answer(identity_document(engine, identity), headers={"ETag": f'"{identity.etag}"'})


async def _list_devices(engine: Engine, request: Request) -> Response:
    devices = engine.registry.list(top(request, _MOST_DEVICES))
    return answer([identity_document(engine, identity) for identity in devices])


async def _list_modules(engine: Engine, request: Request) -> Response:
    modules = engine.registry.modules(client_id(request))
    return answer([identity_document(engine, identity) for identity in modules])


async def _change_many(engine: Engine, request: Request) -> Response:
    outcome = apply_all(engine, await json_body(request, _MAX_BULK_BYTES))
    return answer(outcome, HTTPStatus.OK if outcome["isSuccessful"] else HTTPStatus.BAD_REQUEST)


async def _get(engine: Engine, request: Request) -> Response:
    return _identity(engine, engine.registry.get(client_id(request)))


async def _put(engine: Engine, request: Request) -> Response:
    body, etag, registry = await object_body(request), if_match(request), engine.registry
    if etag is None:
        return _identity(engine, registry.create(client_id(request), body))
    return _identity(engine, registry.update(client_id(request), body, etag))


async def _delete(engine: Engine, request: Request) -> Response:
    etag = if_match(request)
    if etag is None:
        raise Refusal(Why.PRECONDITION, "Deleting an identity takes an If-Match header with its etag or a star.")
    engine.registry.delete(client_id(request), etag)
    return Response(status_code=204)


async def _count_devices(engine: Engine, _: Request) -> Response:
    devices = engine.registry.list()
    enabled = sum(device.enabled for device in devices)
    return answer(
        {
            "totalDeviceCount": len(devices),
            "enabledDeviceCount": enabled,
            "disabledDeviceCount": len(devices) - enabled,
        }
    )


async def _count_connected(engine: Engine, _: Request) -> Response:
    connected = sum(engine.links.connected(device.device_id) for device in engine.registry.list())
    return answer({"connectedDeviceCount": connected})


_MODULE = "/devices/{device_id}/modules/{module_id}"

ROUTES = (
    Route("GET", "/devices", Right.REGISTRY_READ, _list_devices, Load.REGISTRY),
    Route("GET", "/devices/", Right.REGISTRY_READ, _list_devices, Load.REGISTRY),  # as the Node SDK writes it
    Route("POST", "/devices", Right.REGISTRY_WRITE, _change_many, Load.REGISTRY),
    Route("POST", "/devices/", Right.REGISTRY_WRITE, _change_many, Load.REGISTRY),
    Route("GET", "/devices/{device_id}", Right.REGISTRY_READ, _get, Load.REGISTRY),
    Route("PUT", "/devices/{device_id}", Right.REGISTRY_WRITE, _put, Load.REGISTRY),
    Route("DELETE", "/devices/{device_id}", Right.REGISTRY_WRITE, _delete, Load.REGISTRY),
    Route("GET", "/devices/{device_id}/modules", Right.REGISTRY_READ, _list_modules, Load.REGISTRY),
    Route("GET", _MODULE, Right.REGISTRY_READ, _get, Load.REGISTRY),
    Route("PUT", _MODULE, Right.REGISTRY_WRITE, _put, Load.REGISTRY),
    Route("DELETE", _MODULE, Right.REGISTRY_WRITE, _delete, Load.REGISTRY),
    Route("GET", "/statistics/devices", Right.REGISTRY_READ, _count_devices),
    Route("GET", "/statistics/service", Right.SERVICE_CONNECT, _count_connected),
)
