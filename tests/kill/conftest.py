"""A hub and an image server on one address, and devices to be killed."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

import pytest

from fwsm.hub import Hub
from fwsm.testing.image_server import ImageServer
from tests.kill.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class NewUnit(Protocol):
    """Makes a device that has never run; see `Unit`."""

    def __call__(self, image: bytes, name: str = "unit", **settings: str) -> Unit:
        """Return it; nothing of it is left running after the test."""
        ...


@pytest.fixture
def address(loopback: Callable[[], str]) -> str:
    """Return an address for hub and image server."""
    return loopback()


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """Return a running hub."""
    with Hub(address) as hub:
        yield hub


@pytest.fixture
def server(address: str) -> Iterator[ImageServer]:
    """Return a running image server."""
    with ImageServer(address, {}) as server:
        yield server


@pytest.fixture
def new_unit(hub: Hub, server: ImageServer, tmp_path: Path) -> Iterator[NewUnit]:
    """Return a function that makes devices."""
    with contextlib.ExitStack() as units:

        def make(image: bytes, name: str = "unit", **settings: str) -> Unit:
            return units.enter_context(Unit(name, hub, server, tmp_path / name, image, **settings))

        yield make
