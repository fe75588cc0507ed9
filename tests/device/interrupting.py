"""A real agent in its own thread, with the real download and real time, and how long it takes to let go.

Run as a program, it does so in a world in which names are never resolved; `test_interrupting` starts it in a network of
its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from fwsm.device.agent import Agent
from fwsm.device.clock import SystemClock
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.device.ports import MethodCall
from fwsm.device.reporter import Reporter
from fwsm.errors import DownloadError
from fwsm.store import Store
from fwsm.testing.fakes import Board, MemoryInstaller
from fwsm.testing.link import MemoryLink
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.core.update import Artifact, Progress, Update

__all__ = ["Interrupted", "Watched"]

LARGE_BYTES = 1 << 40  # reading so much takes minutes on any machine


class Watched(HttpsDownload):
    """The real download; it notes when its work began and when it let go, and why."""

    def __init__(self, directory: Path, **options: Any) -> None:
        super().__init__(
            directory, disk=Disk(), clock=SystemClock(), max_bytes=4 * LARGE_BYTES, allow_http=True, **options
        )
        self.directory = directory
        self.swells = False
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.ended_s = 0.0
        self.error: BaseException | None = None

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Load it."""
        with self._watched(working=not self.swells):
            return super().fetch(update, note, stop)

    def verify(self, update: Update, stop: threading.Event) -> Path:
        """Read the image again; it is a large one by then, if this is wished."""
        if self.swells:
            (image,) = self.directory.glob("*.image")
            swell(image)
        with self._watched():
            return super().verify(update, stop)

    @contextlib.contextmanager
    def _watched(self, *, working: bool = True) -> Iterator[None]:
        """The first piece of work is the one that counts."""
        if not working or self.begun.is_set():
            yield
            return
        self.begun.set()
        try:
            yield
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.ended_s = time.monotonic()
            self.ended.set()


def swell(file: Path) -> None:
    """Make a file a large one that takes no room."""
    with file.open("ab") as opened:
        opened.truncate(LARGE_BYTES)


class Interrupted:
    """The agent at work; a context manager.

    Attributes:
        download: the download port.
    """

    def __init__(self, directory: Path, **options: Any) -> None:
        self.download = Watched(directory / "artifacts", **options)
        self._store = Store(directory / "state")
        self._outbox = self._store.outbox()
        clock = SystemClock()
        self.agent = Agent(
            self._store,
            Reporter(self._outbox, MemoryLink(), clock),
            download=self.download,
            installer=MemoryInstaller(Board()),
            clock=clock,
            allow_http=True,
        )
        self._thread = threading.Thread(target=self.agent.run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.agent.stop()
        self._thread.join(PATIENCE_S)
        self._outbox.close()
        self._store.close()

    def call(self, name: str, payload: object = None) -> tuple[int, dict[str, Any], float]:
        """Call a method: status, payload, and when the answer came."""
        answered = threading.Event()
        answers: list[tuple[int, dict[str, Any], float]] = []

        def respond(status: int, body: Any) -> None:
            answers.append((status, dict(body), time.monotonic()))
            answered.set()

        self.agent.deliver(MethodCall(name, payload, respond))
        assert answered.wait(PATIENCE_S)
        return answers[0]

    def times(self, payload: object, stuck: Callable[[], object], command: tuple[str, object]) -> tuple[float, float]:
        """Start an update, wait until it is stuck, and interrupt it.

        Returns:
            How many seconds the answer took, and how many it took the download to let go.
        """
        assert self.call("firmwareUpdate", payload)[0] == 200
        assert self.download.begun.wait(PATIENCE_S)
        assert stuck()
        assert not self.download.ended.is_set()
        began_s = time.monotonic()
        status, _body, answered_s = self.call(*command)
        assert status == 200
        assert self.download.ended.wait(PATIENCE_S)
        assert isinstance(self.download.error, DownloadError)
        return answered_s - began_s, self.download.ended_s - began_s


def _without_names(directory: Path) -> socket.socket:
    """In a network of our own: names are asked for at a server that never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up = struct.pack("16sH14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(control, 0x8914, up)  # SIOCSIFFLAGS
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 53))
    silent.settimeout(PATIENCE_S)
    servers = directory / "resolv.conf"
    servers.write_text("nameserver 127.0.0.1\noptions timeout:30\n")
    subprocess.run(["mount", "--bind", servers, "/etc/resolv.conf"], check=True)
    return silent


def main(directory: Path) -> None:
    """Print how long it took, in JSON."""
    with _without_names(directory) as silent, Interrupted(directory) as device:
        asked = {"fwPackageUri": "https://images.example/fw"}
        took = device.times(asked, lambda: silent.recv(512), ("firmwareUpdateCancel", None))
    sys.stdout.write(json.dumps(took))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
