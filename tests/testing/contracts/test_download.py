"""Our downloads keep the contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from fwsm.core.update import Artifact, Progress, Request, State, Update
from fwsm.device.download import HttpsDownload
from fwsm.errors import PartError
from fwsm.testing.contracts import DownloadContract
from fwsm.testing.fakes import MemoryDownload
from fwsm.testing.image_server import ImageServer

if TYPE_CHECKING:
    import threading
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


class Hasty(MemoryDownload):
    """Forgets to answer."""

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Which looks as if all were well."""
        super().fetch(update, note, stop)
        return cast("Artifact", None)


@dataclass
class HastyBench:
    """In memory."""

    served: dict[str, bytes] = field(default_factory=dict)

    def serve(self, name: str, content: bytes) -> str:
        """From a dictionary."""
        self.served[name] = content
        return name

    def new_download(self) -> Hasty:
        """The hasty one."""
        return Hasty(self.served)


def test_a_wrong_answer_is_told_to_its_author() -> None:
    """In the words that a device would use."""
    bench = HastyBench()
    request = Request(bench.serve("one.img", b"firmware"), sha256=hashlib.sha256(b"firmware").hexdigest())
    update = Update(id="u1", request=request, state=State.DOWNLOADING, boot_id="boot-1")
    with pytest.raises(PartError, match="the download's fetch answered None: an Artifact of 64 lower-case hex digits"):
        DownloadContract().test_what_is_fetched_is_proved_and_kept(bench, update)
