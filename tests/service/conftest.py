"""A hub for each test, and clients of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from fwsm.hub import Hub
from fwsm.service import Client, Transport
from fwsm.service.sas import SharedAccess
from tests.service.scripted import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """Return a running hub that forgets everything when it stops."""
    with Hub(loopback()) as hub:
        yield hub


@pytest.fixture
def client(hub: Hub) -> Iterator[Client]:
    """Return an operator with all rights."""
    with Client(Transport(SharedAccess.parse(hub.owner_connection_string), ca_file=hub.ca_path)) as client:
        yield client


@pytest.fixture
def site(loopback: Callable[[], str], tmp_path: Path) -> Iterator[Site]:
    """Return a place to start scripted servers; they end with the test."""
    with contextlib.ExitStack() as servers:
        yield Site(loopback(), tmp_path / "hub", servers)
