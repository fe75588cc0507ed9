"""What is read of a request, whatever it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub.rest.asking import refused

if TYPE_CHECKING:
    from tests.hub.rest.asking import Operator


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000])
def test_malformed_body_isrefused(owner: Operator, body: bytes) -> None:
    """Whatever is not a JSON object gets the hub's own error."""
    owner.ask("PUT", "/devices/d1", {})
    assert refused(owner.ask("PATCH", "/twins/d1", body)) == (400, "IotHubFormatError")


def test_large_body_isrefused(owner: Operator) -> None:
    """A body is read up to a limit only."""
    owner.ask("PUT", "/devices/d1", {})
    assert refused(owner.ask("PATCH", "/twins/d1", b" " * 300_000)) == (413, "MessageTooLarge")
