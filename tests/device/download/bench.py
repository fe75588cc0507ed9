"""A server that has an image, and downloads over one and the same directory."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import Request, State, Update
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.errors import ArtifactForbiddenError
from fwsm.testing.clock import FakeClock
from fwsm.testing.image_faults import refusal, truncated

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.core.update import Artifact
    from fwsm.testing.image_server import ImageServer

PATH = "/fw.bin"


class Bench:
    """What it takes to load an image, and to look at what happened.

    Attributes:
        server: has the image under PATH.
        content: the image.
        directory: where it is loaded to.
    """

    def __init__(self, server: ImageServer, content: bytes, directory: Path) -> None:
        self.server = server
        self.content = content
        self.directory = directory

    def download(self, **options: Any) -> HttpsDownload:
        """A new download over the directory, as each start of a process makes one."""
        defaults = {"disk": Disk(), "clock": FakeClock(), "ca_pem": self.server.ca_pem, "checkpoint_bytes": 64 * 1024}
        return HttpsDownload(self.directory, **{**defaults, **options})

    def update(self, path: str = PATH + "?sig=secret", **changes: Any) -> Update:
        """An update to the image, with its digest unless said otherwise."""
        fields = {"uri": self.server.url(path), "sha256": hashlib.sha256(self.content).hexdigest(), **changes}
        return Update(id="u-1", request=Request(**fields), state=State.DOWNLOADING, boot_id="boot-1")

    def load(self, update: Update | None = None, **options: Any) -> Artifact:
        """Fetch with a new download, with no interest in notes and stops."""
        return self.download(**options).fetch(update or self.update(), lambda _: None, threading.Event())

    def load_a_part(self, update: Update | None = None) -> None:
        """Fetch a million bytes of it."""
        with (
            self.server.fault(PATH, truncated(1_000_000), times=1),
            self.server.fault(PATH, refusal(403), times=1),
            pytest.raises(ArtifactForbiddenError),
        ):
            self.load(update)

    @property
    def names(self) -> list[str]:
        """The files in the directory."""
        return sorted(path.name for path in self.directory.iterdir())

    @property
    def part_bytes(self) -> int:
        """How much of a part is there."""
        return sum(path.stat().st_size for path in self.directory.glob("*.part"))

    @property
    def ranges(self) -> list[str | None]:
        """Which ranges the server was asked for."""
        return [request.range for request in self.server.requests]

    @property
    def statuses(self) -> list[int]:
        """What the server answered."""
        return [request.status for request in self.server.requests]

    @property
    def sent_bytes(self) -> int:
        """How much the server sent in all."""
        return sum(request.sent_bytes for request in self.server.requests)
