"""Hubs for tests: each test gets an address of its own, and parallel workers and runs do not meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def address(loopback: Callable[[], str]) -> str:
    """Return a loopback address that no other test uses."""
    return loopback()


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """Return a running hub that forgets everything when it stops."""
    with Hub(address) as hub:
        yield hub
