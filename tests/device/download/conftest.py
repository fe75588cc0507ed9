"""What the tests of the download share."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fwsm.testing.image_server import ImageServer
from tests.device.download.bench import PATH, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def content() -> bytes:
    """An image that comes in several pieces."""
    return random.Random(1).randbytes(1_500_000)


@pytest.fixture
def server(loopback: Callable[[], str], content: bytes) -> Iterator[ImageServer]:
    """A server that has the image."""
    with ImageServer(loopback(), {PATH: content}) as running:
        yield running


@pytest.fixture
def bench(server: ImageServer, content: bytes, tmp_path: Path) -> Bench:
    """That server, and downloads into a directory that is not there yet."""
    return Bench(server, content, tmp_path / "artifacts")
