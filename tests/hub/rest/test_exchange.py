"""What is read of a request, whatever it asks for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import ClientDisconnect, Request

from fwsm.hub.rest.exchange import page_size, while_there
from tests.hub.rest.asking import refused

if TYPE_CHECKING:
    from collections.abc import MutableMapping

    from tests.hub.rest.asking import Operator


@pytest.mark.parametrize(
    ("sent", "size"), [("", 100), ("1", 1), ("1000", 1000), ("1001", 1000), ("0", 100), ("-1", 100), ("x", 100)]
)
def test_size_of_a_page_is_brought_within_bounds(sent: str, size: int) -> None:
    """1 to 1000; 100 when the request does not say, or says nonsense."""
    headers = [(b"x-ms-max-item-count", sent.encode())] if sent else []
    assert page_size(Request({"type": "http", "headers": headers})) == size


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_malformed_body_isrefused(owner: Operator, body: bytes) -> None:
    """Whatever is not a JSON object gets the hub's own error."""
    owner.ask("PUT", "/devices/d1", {})
    assert refused(owner.ask("PATCH", "/twins/d1", body)) == (400, "IotHubFormatError")


def test_large_body_isrefused(owner: Operator) -> None:
    """A body is read up to a limit only."""
    owner.ask("PUT", "/devices/d1", {})
    assert refused(owner.ask("PATCH", "/twins/d1", b" " * 300_000)) == (413, "MessageTooLarge")


class Caller:
    """An operator whose request has been read, and who goes away when the test says so."""

    def __init__(self) -> None:
        self.going = asyncio.Event()
        self.request = Request({"type": "http", "headers": []}, self._receive)

    async def _receive(self) -> MutableMapping[str, Any]:
        await self.going.wait()
        return {"type": "http.disconnect"}


def test_work_is_given_up_when_the_operator_goes_away() -> None:
    """Nobody would read what comes of it."""

    async def act() -> list[str]:
        caller, told = Caller(), list[str]()

        async def work() -> None:
            try:
                caller.going.set()
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                told.append("given up")
                raise

        with pytest.raises(ClientDisconnect):
            await while_there(caller.request, work())
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return told

    assert asyncio.run(act()) == ["given up"]


def test_work_of_an_operator_who_stays_has_its_outcome() -> None:
    """Nobody looks out for him any longer then; what the work raises is raised."""

    async def act() -> int:
        async def refuse() -> None:
            raise LookupError

        async def work() -> int:
            return 7

        with pytest.raises(LookupError):
            await while_there(Caller().request, refuse())
        outcome = await while_there(Caller().request, work())
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return outcome

    assert asyncio.run(act()) == 7
