"""Certificate authorities over REST: this hub's own resource, for the owner. In the cloud they are managed by Azure.

PUT  /$fwsm/authorities/{name} {"certificate": "-----BEGIN CERTIFICATE-----…", "isVerified": false}
POST /$fwsm/authorities/{name}/generateVerificationCode
POST /$fwsm/authorities/{name}/verify {"certificate": "-----BEGIN CERTIFICATE-----…"}

Operations and fields are called as those of Azure's certificates of an IoT Hub; the etags of these are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from fwsm.hub.policy import Right
from fwsm.hub.rest.exchange import Route, answer, object_body

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


def _name(request: Request) -> str:
    return str(request.path_params["name"])


async def _list(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    return answer([authority.document() for authority in engine.authorities.listed()])


async def _put(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    authority = engine.authorities.put(_name(request), body.get("certificate"), verified=body.get("isVerified", False))
    return answer(authority.document())


async def _challenge(engine: Engine, request: Request) -> Response:
    return answer({"name": _name(request), "verificationCode": engine.authorities.challenge(_name(request))})


async def _verify(engine: Engine, request: Request) -> Response:
    body = await object_body(request)
    return answer(engine.authorities.verify(_name(request), body.get("certificate")).document())


async def _delete(engine: Engine, request: Request) -> Response:
    engine.authorities.remove(_name(request))
    return Response(status_code=204)


ROUTES = (
    Route("GET", "/$fwsm/authorities", Right.REGISTRY_READ, _list),
    Route("PUT", "/$fwsm/authorities/{name}", Right.REGISTRY_WRITE, _put),
    Route("POST", "/$fwsm/authorities/{name}/generateVerificationCode", Right.REGISTRY_WRITE, _challenge),
    Route("POST", "/$fwsm/authorities/{name}/verify", Right.REGISTRY_WRITE, _verify),
    Route("DELETE", "/$fwsm/authorities/{name}", Right.REGISTRY_WRITE, _delete),
)
