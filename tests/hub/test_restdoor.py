"""The REST door tells what has gone wrong, and nothing else; tests/hub/rest comes in by it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from fwsm.hub.restdoor import RestDoor
from tests.hub.jobs.scene import until
from tests.logs import records_of


class Wire(asyncio.Transport):
    """A socket on which a test sees what is said, and whether it is open."""

    closed = False

    def __init__(self) -> None:
        super().__init__()
        self.said = b""

    def close(self) -> None:
        """Take note of the end."""
        self.closed = True

    def is_closing(self) -> bool:
        """Say whether it has come."""
        return self.closed

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take note of what is said."""
        self.said += data

    def pause_reading(self) -> None:
        """Do nothing: a test says all at once."""

    def resume_reading(self) -> None:
        """Do nothing."""


HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n"


@pytest.mark.parametrize(
    ("said", "is_whole"),
    [
        ([], False),
        ([HEAD], False),
        ([HEAD, b"\r\n", b"bod"], False),
        ([HEAD, b"\r\n", b"body"], True),
        ([HEAD + b"\r\nbody" + HEAD], True),  # the next one has time until this one is answered
    ],
)
def test_request_must_come_to_its_end(said: list[bytes], *, is_whole: bool) -> None:
    """Else the connection is closed, however slowly it goes on."""

    async def scene() -> bool:
        protocol, wire = RestDoor(Starlette(), asyncio.Protocol, whole_within_s=0).protocol(), Wire()
        protocol.connection_made(wire)
        for data in said:
            protocol.data_received(data)
        await asyncio.sleep(0)  # one round, in which what is due happens
        await asyncio.sleep(0)
        closed = wire.closed
        protocol.connection_lost(None)
        return not closed

    assert asyncio.run(scene()) is is_whole


CHUNKED = b"POST /%s HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"


@pytest.mark.parametrize(("path", "status"), [(b"reads", b"400"), (b"answers", b"201")])
def test_request_that_turns_into_nonsense_is_ended(
    path: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody has to wait for its end, there is one answer to it, and no traceback is logged."""
    ended = asyncio.Event()

    async def reads(request: Request) -> Response:
        try:
            return Response(await request.body())
        except ClientDisconnect:
            return Response()  # which nobody sees
        finally:
            ended.set()

    async def answers(_: Request) -> Response:
        ended.set()
        return Response(status_code=201)

    app = Starlette(routes=[Route("/reads", reads, methods=["POST"]), Route("/answers", answers, methods=["POST"])])

    async def scene() -> Wire:
        protocol, wire = RestDoor(app, asyncio.Protocol).protocol(), Wire()
        protocol.connection_made(wire)
        protocol.data_received(CHUNKED % path)
        if status == b"201":
            await until(lambda: wire.said)
        protocol.data_received(b"zz\r\n")
        async with asyncio.timeout(60):
            await ended.wait()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            await task
        return wire

    wire = asyncio.run(scene())
    assert wire.closed
    assert (wire.said.count(b"HTTP/1.1"), wire.said[9:12]) == (1, status)
    assert caplog.messages == ["Invalid HTTP request received."]


def test_request_that_a_stopping_hub_cuts_off_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Uvicorn would tell of it with forty lines of a traceback; what has failed it still tells."""
    RestDoor(Starlette(), asyncio.Protocol)
    logger = logging.getLogger("uvicorn.error")
    logger.error("cut off", exc_info=asyncio.CancelledError())
    logger.error("failed", exc_info=ValueError())
    logger.error("wrong")
    assert [record.message for record in records_of(caplog, "uvicorn.error")] == ["failed", "wrong"]
