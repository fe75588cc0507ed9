"""The REST door: what operators and service SDKs see.

A table of routes, each with the right that it takes. A route translates: path, headers and body to a call of the
engine, its outcome to a status and a body; every refusal becomes the error body and the header that IoT Hub sends.
Any api-version will do. Source: the service's OpenAPI description (`service.json`).
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeAlias

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fwsm.errors import HubError
from fwsm.hub.jsontext import compact, parse_object
from fwsm.hub.methods import Call
from fwsm.hub.operator import identity_document, twin_document
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.sas import BadTokenError, SasToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fwsm.hub.engine import Engine
    from fwsm.hub.turn import Turn

__all__ = ["rest_app"]

# The largest body that any route takes is a method's payload of 128 KiB with its envelope.
_MAX_BODY_BYTES = 256 * 1024
_MOST_DEVICES = 1000

_log = logging.getLogger(__name__)

Handler: TypeAlias = "Callable[[Engine, Request], Awaitable[Response]]"


def rest_app(engine: Engine, turn: Turn) -> Starlette:
    """Return the ASGI application of one hub; it answers once the outcome is durable (see `turn`)."""
    return Starlette(
        routes=[
            Route(path, _endpoint(engine, turn, right, handler), methods=[method])
            for method, path, right, handler in _ROUTES
        ],
        exception_handlers={HTTPException: _no_such_route(engine)},
    )


def _endpoint(engine: Engine, turn: Turn, right: Right, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            _authorize(engine, request, right)
            response = await handler(engine, request)
            await turn.committed()
        except Refusal as refusal:
            return _refused(engine, refusal, request)
        except HubError as error:
            _log.exception("%s %s", request.method, request.url.path)
            return _refused(engine, Refusal(Why.SERVER_ERROR, str(error)), request)
        except asyncio.CancelledError:
            # Only the end of the hub cancels a request. Its peer is cut off by then; uvicorn would log a traceback.
            return _refused(engine, Refusal(Why.UNAVAILABLE, "The hub is stopping."), request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return response

    return endpoint


def _authorize(engine: Engine, request: Request, right: Right) -> None:
    try:
        token = SasToken.parse(request.headers.get("authorization", ""))
        engine.policies.check(token, right, request.url.path.strip("/"), engine.wall())
    except BadTokenError as error:
        raise Refusal(Why.UNAUTHORIZED, f"Unauthorized: {error}.") from None


def _refused(engine: Engine, refusal: Refusal, request: Request) -> Response:
    body = refusal.http_body(engine.wall(), nested=request.url.path.endswith("/methods"))
    return _json(body, refusal.why.status, {"iothub-errorcode": refusal.why.label})


def _no_such_route(engine: Engine) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        missing = isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND
        why = Why.ROUTE_NOT_FOUND if missing else Why.HTTP_METHOD_NOT_ALLOWED
        refusal = Refusal(why, f"This hub has no {request.method} {request.url.path}.")
        return _refused(engine, refusal, request)

    return answer


def _json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(compact(body), status, headers, media_type="application/json; charset=utf-8")


async def _body(request: Request) -> dict[str, Any]:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > _MAX_BODY_BYTES:
            raise Refusal(Why.TOO_LARGE, f"The body is larger than {_MAX_BODY_BYTES} bytes.")
    return parse_object(bytes(data))


def _if_match(request: Request) -> str | None:
    """Return the etag of If-Match; SDKs send it with quotes and without, also the star."""
    value = request.headers.get("if-match")
    return None if value is None else value.strip().removeprefix("W/").strip('"')


def _device_id(request: Request) -> str:
    return str(request.path_params["device_id"])


async def _list_devices(engine: Engine, request: Request) -> Response:
    top = request.query_params.get("top", str(_MOST_DEVICES))
    if not (top.isascii() and top.isdigit() and 0 < int(top[:9]) <= _MOST_DEVICES):
        raise Refusal(Why.ARGUMENT_INVALID, f"top is {top[:20]!r}, not a number from 1 to {_MOST_DEVICES}.")
    return _json([identity_document(engine, identity) for identity in engine.registry.list(int(top))])


async def _get_device(engine: Engine, request: Request) -> Response:
    identity = engine.registry.get(_device_id(request))
    return _json(identity_document(engine, identity), headers={"ETag": f'"{identity.etag}"'})


async def _put_device(engine: Engine, request: Request) -> Response:
    device_id, body, etag = _device_id(request), await _body(request), _if_match(request)
    registry = engine.registry
    identity = registry.create(device_id, body) if etag is None else registry.update(device_id, body, etag)
    return _json(identity_document(engine, identity), headers={"ETag": f'"{identity.etag}"'})


async def _delete_device(engine: Engine, request: Request) -> Response:
    etag = _if_match(request)
    if etag is None:
        raise Refusal(Why.PRECONDITION, "Deleting a device takes an If-Match header with its etag or a star.")
    engine.registry.delete(_device_id(request), etag)
    return Response(status_code=204)


async def _get_twin(engine: Engine, request: Request) -> Response:
    return _twin(engine, _device_id(request))


async def _patch_twin(engine: Engine, request: Request) -> Response:
    body = await _body(request)
    engine.twins.update(_device_id(request), body, _if_match(request) or "*")
    return _twin(engine, _device_id(request))


async def _put_twin(engine: Engine, request: Request) -> Response:
    body = await _body(request)
    engine.twins.replace(_device_id(request), body, _if_match(request) or "*")
    return _twin(engine, _device_id(request))


def _twin(engine: Engine, device_id: str) -> Response:
    return _json(twin_document(engine, device_id), headers={"ETag": f'"{engine.twins.get(device_id).etag}"'})


async def _call_method(engine: Engine, request: Request) -> Response:
    result = await engine.methods.call(_device_id(request), Call.from_body(await _body(request)))
    return _json({"status": result.status, "payload": result.payload})


_ROUTES: tuple[tuple[str, str, Right, Handler], ...] = (
    ("GET", "/devices", Right.REGISTRY_READ, _list_devices),
    ("GET", "/devices/", Right.REGISTRY_READ, _list_devices),  # as the Node SDK writes it
    ("GET", "/devices/{device_id}", Right.REGISTRY_READ, _get_device),
    ("PUT", "/devices/{device_id}", Right.REGISTRY_WRITE, _put_device),
    ("DELETE", "/devices/{device_id}", Right.REGISTRY_WRITE, _delete_device),
    ("GET", "/twins/{device_id}", Right.SERVICE_CONNECT, _get_twin),
    ("PATCH", "/twins/{device_id}", Right.SERVICE_CONNECT, _patch_twin),
    ("PUT", "/twins/{device_id}", Right.SERVICE_CONNECT, _put_twin),
    ("POST", "/twins/{device_id}/methods", Right.SERVICE_CONNECT, _call_method),
)
