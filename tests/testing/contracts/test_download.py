"""Our downloads keep the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.device.download import HttpsDownload
from fwsm.testing.contracts import DownloadContract
from fwsm.testing.image_server import ImageServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class HttpsBench:
    """A real server, and a directory."""

    def __init__(self, directory: Path, server: ImageServer) -> None:
        self.directory = directory
        self.server = server

    def serve(self, name: str, content: bytes) -> str:
        """Over HTTPS."""
        self.server.put(f"/{name}", content)
        return self.server.url(f"/{name}")

    def new_download(self) -> HttpsDownload:
        """One that trusts the server."""
        return HttpsDownload(self.directory, ca_pem=self.server.ca_pem)


class TestHttpsDownload(DownloadContract):
    """The real one."""

    @pytest.fixture
    def bench(self, tmp_path: Path, loopback: Callable[[], str]) -> Iterator[HttpsBench]:
        """With its server."""
        with ImageServer(loopback(), {}) as server:
            yield HttpsBench(tmp_path / "artifacts", server)
