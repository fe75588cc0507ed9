"""The event feed over REST, as server-sent events. IoT Hub has AMQP for this; the resource is this hub's own.

    GET /$fwsm/events?after={position}&deviceId={device}

Without `after`, and without the header Last-Event-ID that browsers send when they come back, the stream begins now.
`id` is the position, `event` the message source, `data` the event (see `EventData.document`). A reader who is too slow,
or whose position is gone, gets an event `lost`, and the stream goes on with the oldest that is kept. It ends, whole,
when the hub stops.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import StreamingResponse

from fwsm.hub.jsontext import compact
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

    from fwsm.hub.engine import Engine
    from fwsm.hub.eventdata import EventData

__all__ = ["ROUTES"]

# A sign of life, so that proxies and clients do not give up on a quiet hub.
_QUIET_S = 15.0


async def _events(engine: Engine, request: Request) -> Response:
    position = _position(engine, request)
    stream = _stream(engine, position, request.query_params.get("deviceId"))
    return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _position(engine: Engine, request: Request) -> int:
    text = request.query_params.get("after") or request.headers.get("last-event-id")
    if text is None:
        return engine.feed.position
    if not (text.isascii() and text.isdigit() and len(text) <= 18):  # noqa: PLR2004 - fits 64 bits
        raise Refusal(Why.ARGUMENT_INVALID, f"after is {text[:20]!r}, not the sequence number of an event.")
    if int(text) > engine.feed.position:
        raise Refusal(Why.ARGUMENT_INVALID, f"The feed is at {engine.feed.position}, and not yet at {text}.")
    return int(text)


async def _stream(engine: Engine, position: int, device_id: str | None) -> AsyncIterator[bytes]:
    feed, news = engine.feed, asyncio.Event()
    feed.wake(news.set)
    try:
        yield b": the feed\n\n"
        while True:
            news.clear()
            if position < feed.oldest - 1:
                yield _frame("lost", feed.oldest - 1, compact({"from": position + 1, "to": feed.oldest - 1}))
                position = feed.oldest - 1
            chosen = feed.after(position)
            for event in chosen:
                position = event.sequence_number
                if device_id in {None, event.device_id}:
                    yield _shown(event)
            if feed.ended:
                return
            if chosen:
                await asyncio.sleep(0)  # who has much to catch up on holds nobody up
            else:
                try:
                    await asyncio.wait_for(news.wait(), _QUIET_S)
                except TimeoutError:
                    yield b": quiet\n\n"
    finally:
        feed.forget(news.set)


def _shown(event: EventData) -> bytes:
    return _frame(event.source, event.sequence_number, compact(event.document()))


def _frame(name: str, number: int, data: bytes) -> bytes:
    return b"event: %s\nid: %d\ndata: %s\n\n" % (name.encode(), number, data)


ROUTES = (Route("GET", "/$fwsm/events", Right.SERVICE_CONNECT, _events),)
