"""A proved and durable download against curl followed by openssl, from nginx on this machine over TLS."""

from __future__ import annotations

import hashlib
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from timing import interleaved, timed

from fwsm.core.update import Request, State, Update
from fwsm.device.clock import SystemClock
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.e2e.nginx import Nginx

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE_BYTES = 256 * 1024 * 1024
ROUNDS = 5
ADDRESS = "127.31.7.1"


def run() -> Iterator[str]:
    """256 MiB: ours (resumable, digest checked, synced) and `curl; openssl dgst -sha256; sync FILE`."""
    missing = [name for name in ("nginx", "curl", "openssl") if shutil.which(name) is None]
    if missing:
        yield f"left out: {', '.join(missing)} not installed"
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        digest = _make_image(folder / "www" / "image")
        with Nginx(_tool, ADDRESS, folder / "nginx", folder / "www") as nginx:
            ours = _Ours(folder / "ours", nginx, digest)
            peer = _Peer(folder / "peer.img", nginx, digest)
            medians = interleaved({"fwsm": timed(ours), "curl; openssl; sync": timed(peer)}, ROUNDS)
    for candidate, seconds in medians.items():
        yield f"{candidate:20} {seconds:6.2f} s, {SIZE_BYTES / seconds / 2**20:5.0f} MiB/s"
    yield f"ratio                {medians['fwsm'] / medians['curl; openssl; sync']:.2f} x curl; openssl; sync"


class _Ours:
    """The real download of a device."""

    def __init__(self, directory: Path, nginx: Nginx, digest: str) -> None:
        self._directory = directory
        self._download = HttpsDownload(
            directory, disk=Disk(), clock=SystemClock(), ca_pem=nginx.ca_path.read_text(encoding="ascii")
        )
        request = Request(nginx.url("image"), digest)
        self._update = Update(id="bench", request=request, state=State.DOWNLOADING, boot_id="b")

    def __call__(self) -> None:
        self._download.discard(None)
        self._download.fetch(self._update, lambda _progress: None, threading.Event())


class _Peer:
    """What a shell script would do."""

    def __init__(self, path: Path, nginx: Nginx, digest: str) -> None:
        self._path = path
        self._fetch = ["curl", "-sS", "--cacert", f"{nginx.ca_path}", "-o", f"{path}", nginx.url("image")]
        self._digest = digest

    def __call__(self) -> None:
        self._path.unlink(missing_ok=True)
        subprocess.run(self._fetch, check=True)
        hashed = subprocess.run(["openssl", "dgst", "-sha256", "-r", self._path], check=True, capture_output=True)
        if self._digest not in hashed.stdout.decode():
            raise AssertionError("curl got something else")
        subprocess.run(["sync", self._path], check=True)


def _make_image(path: Path) -> str:
    path.parent.mkdir()
    block = secrets.token_bytes(1024 * 1024)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE_BYTES // len(block)):
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def _tool(name: str) -> str:
    return shutil.which(name) or name
