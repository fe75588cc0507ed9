"""Queries over REST: `/devices/query`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.policy import Right
from fwsm.hub.queries import ask
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, object_body, page_size, while_there
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


async def _query(engine: Engine, request: Request) -> Response:
    text = (await object_body(request)).get("query")
    if not isinstance(text, str):
        raise Refusal(Why.ARGUMENT_INVALID, "The body has no query.")
    asked = ask(engine, text, page_size(request), request.headers.get("x-ms-continuation"))
    page = await while_there(request, asked)
    continued = {} if page.continuation is None else {"x-ms-continuation": page.continuation}
    return answer(page.rows, headers={"x-ms-item-type": page.item_type, **continued})


ROUTES = (Route("POST", "/devices/query", Right.SERVICE_CONNECT, _query, Load.QUERY),)
