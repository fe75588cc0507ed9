"""What is read of a request, whatever it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.requests import Request

from fwsm.hub.rest.exchange import page_size
from tests.hub.rest.asking import refused

if TYPE_CHECKING:
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
