"""Real servers and real images for the end-to-end tests."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NoReturn, Protocol

import pytest

from tests.e2e.firmware import firmware_images
from tests.e2e.nginx import Nginx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class StartNginx(Protocol):
    """Starts an nginx that serves a directory, and ends it after the test; see `Nginx`."""

    def __call__(self, root: Path, *, limit_rate: str = "0") -> Nginx:
        """Return it once clients can connect."""
        ...


@pytest.fixture
def start_nginx(tmp_path: Path, loopback: Callable[[], str], tool: Callable[[str], str]) -> Iterator[StartNginx]:
    """Return a function that starts as many as a test needs, each on an address of its own."""
    with contextlib.ExitStack() as servers:

        def start(root: Path, *, limit_rate: str = "0") -> Nginx:
            address = loopback()
            server = Nginx(tool, address, tmp_path / f"nginx-{address}", root, limit_rate=limit_rate)
            return servers.enter_context(server)

        yield start


@pytest.fixture
def firmware(missing: Callable[[str], NoReturn]) -> Path:
    """Return the path of a real firmware image: a boot loader out of a Debian package, one to four megabytes."""
    images = firmware_images()
    return images[0] if images else missing("firmware image")
