"""Configurations over REST: `/configurations`, and the direct application of content to one device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from fwsm.hub.configurations import apply_content, configuration_documents, query_faults
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, client_id, if_match, object_body, top, while_there
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.configurations import Configuration
    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]

_MOST_CONFIGURATIONS = 100


def _id(request: Request) -> str:
    return str(request.path_params["configuration_id"])


async def _configuration(engine: Engine, configuration: Configuration) -> Response:
    (document,) = await configuration_documents(engine, [configuration])
    return answer(document, headers={"ETag": f'"{configuration.etag}"'})


def _quoted_etag(request: Request) -> str | None:
    """Return the etag of If-Match, which must stand in quotes, unless it is the star: so it was seen on the service."""
    etag, sent = if_match(request), request.headers.get("if-match", "")
    if etag not in {None, "*"} and not sent.strip().endswith('"'):
        raise Refusal(Why.CONFIGURATION_EXISTS, f"If-Match takes a configuration's etag in quotes, not {sent}.")
    return etag


async def _list(engine: Engine, request: Request) -> Response:
    listed = engine.configurations.listed()[: top(request, _MOST_CONFIGURATIONS)]
    return answer(await while_there(request, configuration_documents(engine, listed)))


async def _get(engine: Engine, request: Request) -> Response:
    return await _configuration(engine, engine.configurations.get(_id(request)))


async def _put(engine: Engine, request: Request) -> Response:
    body, etag = await object_body(request), _quoted_etag(request)
    if etag is None:
        return await _configuration(engine, engine.configurations.create(_id(request), body))
    return await _configuration(engine, engine.configurations.update(_id(request), body, etag))


async def _delete(engine: Engine, request: Request) -> Response:
    engine.configurations.delete(_id(request), _quoted_etag(request) or "*")
    return Response(status_code=204)


async def _test_queries(_: Engine, request: Request) -> Response:
    body = await object_body(request)
    return answer(query_faults(body.get("targetCondition"), body.get("customMetricQueries")))


async def _apply(engine: Engine, request: Request) -> Response:
    body: dict[str, Any] = await object_body(request)
    apply_content(engine, client_id(request), body)
    return Response(status_code=204)


ROUTES = (
    Route("GET", "/configurations", Right.REGISTRY_READ, _list, Load.CONFIGURATION),
    Route("POST", "/configurations/testQueries", Right.REGISTRY_READ, _test_queries, Load.CONFIGURATION),
    Route("GET", "/configurations/{configuration_id}", Right.REGISTRY_READ, _get, Load.CONFIGURATION),
    Route("PUT", "/configurations/{configuration_id}", Right.REGISTRY_WRITE, _put, Load.CONFIGURATION),
    Route("DELETE", "/configurations/{configuration_id}", Right.REGISTRY_WRITE, _delete, Load.CONFIGURATION),
    Route("POST", "/devices/{device_id}/applyConfigurationContent", Right.REGISTRY_WRITE, _apply, Load.CONFIGURATION),
)
