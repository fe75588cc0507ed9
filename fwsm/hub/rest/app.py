"""The application behind the door: proves the right, runs the handler, answers once the outcome is durable.

Every refusal becomes the error body and the header that IoT Hub sends; no page of a web server gets through.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from fwsm.errors import HubError
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import answer
from fwsm.hub.rest.routes import ROUTES
from fwsm.hub.sas import BadTokenError, SasToken

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fwsm.hub.engine import Engine
    from fwsm.hub.policy import Right
    from fwsm.hub.rest.exchange import Route
    from fwsm.hub.turn import Turn

__all__ = ["rest_app"]

_log = logging.getLogger(__name__)


def rest_app(engine: Engine, turn: Turn) -> Starlette:
    """Return the ASGI application of one hub; it answers once the outcome is durable (see `turn`)."""
    app = Starlette(
        routes=[StarletteRoute(route.path, _endpoint(engine, turn, route), methods=[route.method]) for route in ROUTES],
        exception_handlers={HTTPException: _no_such_route(engine)},
    )
    app.router.redirect_slashes = False  # the service redirects nobody
    return app


def _endpoint(engine: Engine, turn: Turn, route: Route) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.method != route.method:  # HEAD, which Starlette lets in by GET
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        try:
            _authorize(engine, request, route.right)
            _throttle(engine, route)
            response = await route.handler(engine, request)
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
        except Exception:  # noqa: BLE001 - whatever it is: the operator gets an answer, and the log says more
            _log.exception("%s %s", request.method, request.url.path)
            return _refused(engine, Refusal(Why.SERVER_ERROR, "The hub has failed; its log says more."), request)
        return response

    return endpoint


def _authorize(engine: Engine, request: Request, right: Right) -> None:
    try:
        token = SasToken.parse(request.headers.get("authorization", ""))
        engine.policies.check(token, right, request.url.path.strip("/"), engine.wall())
    except BadTokenError as error:
        raise Refusal(Why.UNAUTHORIZED, f"Unauthorized: {error}.") from None


def _throttle(engine: Engine, route: Route) -> None:
    if route.load is not None and not engine.throttles.admits(route.load):
        raise Refusal(Why.THROTTLED, f"There are too many {route.load.value}. Try again in 10 seconds.")


def _refused(engine: Engine, refusal: Refusal, request: Request) -> Response:
    body = refusal.http_body(engine.wall(), nested=request.url.path.endswith("/methods"))
    headers = {"iothub-errorcode": refusal.why.label}
    if refusal.why.status == HTTPStatus.TOO_MANY_REQUESTS:  # no Retry-After, as seen on the service
        headers["Connection"] = "close"
    return answer(body, refusal.why.status, headers)


def _no_such_route(engine: Engine) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def respond(request: Request, error: Exception) -> Response:
        missing = isinstance(error, HTTPException) and error.status_code == HTTPStatus.NOT_FOUND
        why = Why.ROUTE_NOT_FOUND if missing else Why.HTTP_METHOD_NOT_ALLOWED
        refusal = Refusal(why, f"This hub has no {request.method} {request.url.path}.")
        return _refused(engine, refusal, request)

    return respond
