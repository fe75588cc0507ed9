"""The REST door tells what has gone wrong, and nothing else; tests/hub/rest comes in by it."""

from __future__ import annotations

import asyncio
import logging

import pytest
from starlette.applications import Starlette

from fwsm.hub.restdoor import RestDoor


class Wire(asyncio.Transport):
    """A socket on which a test sees whether it is open."""

    closed = False

    def close(self) -> None:
        """Take note of the end."""
        self.closed = True

    def is_closing(self) -> bool:
        """Say whether it has come."""
        return self.closed

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Lose what is said."""

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


def test_request_that_a_stopping_hub_cuts_off_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Uvicorn would tell of it with forty lines of a traceback; what has failed it still tells."""
    RestDoor(Starlette(), asyncio.Protocol)
    logger = logging.getLogger("uvicorn.error")
    logger.error("cut off", exc_info=asyncio.CancelledError())
    logger.error("failed", exc_info=ValueError())
    logger.error("wrong")
    assert caplog.messages == ["failed", "wrong"]
