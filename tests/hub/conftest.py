"""Hubs for tests: each test gets an address of its own, and parallel workers and runs do not meet."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING

import pytest

from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

_numbers = itertools.count(os.getpid() % 200 * 250)


@pytest.fixture
def address() -> str:
    """Return a loopback address that no other test uses."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    high, low = divmod(next(_numbers), 250)
    return f"127.{100 + worker}.{high}.{low + 1}"


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """Return a running hub that forgets everything when it stops."""
    with Hub(address) as hub:
        yield hub
