"""What the handlers of routes share: reading a request, and writing an answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from starlette.requests import ClientDisconnect
from starlette.responses import Response

from fwsm.hub.jsontext import compact, parse
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from starlette.requests import Request

    from fwsm.hub.engine import Engine
    from fwsm.hub.policy import Right
    from fwsm.hub.throttles import Load

__all__ = [
    "Handler",
    "Route",
    "answer",
    "client_id",
    "if_match",
    "if_match_any",
    "json_body",
    "json_body_or_none",
    "object_body",
    "page_size",
    "top",
    "while_there",
]

_T = TypeVar("_T")

_PAGE_SIZE = 100
_LARGEST_PAGE = 1000

# The largest body that most routes take is a method's payload of 128 KiB with its envelope.
_MAX_BODY_BYTES = 256 * 1024

Handler: TypeAlias = "Callable[[Engine, Request], Awaitable[Response]]"


class Route(NamedTuple):
    """One row of a table of routes: what an operator with this right may ask for.

    Attributes:
        load: what it counts as when the hub throttles; None for what it does not count.
    """

    method: str
    path: str
    right: Right
    handler: Handler
    load: Load | None = None


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response of JSON."""
    return Response(compact(body), status, headers, media_type="application/json; charset=utf-8")


async def json_body(request: Request, limit_bytes: int = _MAX_BODY_BYTES) -> Any:
    """Return the JSON value that was sent; raises Refusal 413001 over `limit_bytes`, 400006 for anything but JSON."""
    return parse(await _body(request, limit_bytes))


async def json_body_or_none(request: Request) -> Any:
    """Return the JSON value that was sent, None when nothing was; raises Refusal as `json_body` does."""
    data = await _body(request, _MAX_BODY_BYTES)
    return parse(data) if data else None


async def _body(request: Request, limit_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > limit_bytes:
            raise Refusal(Why.TOO_LARGE, f"The body is larger than {limit_bytes} bytes.")
    return bytes(data)


async def object_body(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent; raises Refusal as `json_body` does, also for other JSON."""
    body = await json_body(request)
    if not isinstance(body, dict):
        raise Refusal(Why.FORMAT, "The body is not a JSON object.")
    return body


def client_id(request: Request) -> str:
    """Return the client id that the path names: `{device}`, or `{device}/{module}`."""
    return "/".join(request.path_params[name] for name in ("device_id", "module_id") if name in request.path_params)


def if_match(request: Request) -> str | None:
    """Return the etag of If-Match, None without one; SDKs send it with quotes and without, also the star."""
    value = request.headers.get("if-match")
    return None if value is None else value.strip().removeprefix("W/").strip('"')


def if_match_any(request: Request) -> str:
    """Return the etag of If-Match; without one it is the star, which any etag meets."""
    etag = if_match(request)
    return "*" if etag is None else etag


def top(request: Request, most: int) -> int:
    """Return how many items the query asks for, `most` when it says nothing; raises Refusal 400004 beyond `most`."""
    text = request.query_params.get("top", str(most))
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= most):
        raise Refusal(Why.ARGUMENT_INVALID, f"top is {text[:20]!r}, not a number from 1 to {most}.")
    return int(text)


def page_size(request: Request) -> int:
    """Return how many items a page is to have; what is not acceptable is brought within bounds, as the service does."""
    text = request.headers.get("x-ms-max-item-count", "")
    size = int(text[:9]) if text.isascii() and text.isdigit() else _PAGE_SIZE
    return min(size, _LARGEST_PAGE) or _PAGE_SIZE


async def while_there(request: Request, work: Coroutine[Any, Any, _T]) -> _T:
    """Return what `work` returns, which may take long; give it up when the operator goes away.

    To be called once the body has been read.

    Raises:
        ClientDisconnect: the operator has gone.
    """
    asked, gone = asyncio.create_task(work), asyncio.create_task(_gone(request))
    try:
        await asyncio.wait((asked, gone), return_when=asyncio.FIRST_COMPLETED)
        if asked.done():
            return asked.result()
        raise ClientDisconnect
    finally:
        asked.cancel()
        gone.cancel()
        await asyncio.gather(asked, gone, return_exceptions=True)


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
