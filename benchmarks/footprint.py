"""Start-up time, and the memory of the device's process while it loads a large image."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from timing import interleaved

from fwsm.core.connection_string import ServiceConnection
from fwsm.core.update import State
from fwsm.hub import Hub
from fwsm.service import Client, Transport, requested, trigger
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "127.31.7.2"
SIZE_BYTES = 1024 * 1024 * 1024
ROUNDS = 7
FOUR = "import transitions, sqlalchemy, tenacity, azure.iot.device.aio"
OURS = "import fwsm.device.assembly"
_DEADLINE_S = 300.0


def run() -> Iterator[str]:
    """Import of the whole device against the four packages it stands on; resident memory over 1 GiB."""
    commands = {
        "python -c pass": "pass",
        "the four packages": FOUR,
        "fwsm.device": OURS,
    }
    medians = interleaved({name: _Import(code) for name, code in commands.items()}, ROUNDS)
    for name, seconds in medians.items():
        yield f"{name:18} {seconds * 1000:6.0f} ms, {_resident_kib(commands[name]) / 1024:5.1f} MiB"
    yield f"ratio              {medians['fwsm.device'] / medians['the four packages']:.2f} x the four packages"
    yield from _memory()


def _memory() -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, Hub(ADDRESS) as hub:
        folder = Path(name)
        image = folder / "image"
        with image.open("wb") as file:
            file.truncate(SIZE_BYTES)
        with ImageServer(ADDRESS, {"/image": image}) as server:
            authorities = folder / "ca.pem"
            authorities.write_text(hub.ca_pem + server.ca_pem, encoding="ascii")
            settings = {"window": "00:00-00:01", "window_zone": "Etc/GMT+12"}  # it stays in downloadComplete
            process = DeviceProcess(folder / "device", hub.add_device("d").connection_string, authorities, settings)
            with process:
                hub.wait_reachable("d", 30)
                idle_kib = _status_kib(process.pid, "VmRSS")
                with Client(
                    Transport(ServiceConnection.parse(hub.service_connection_string), ca_file=hub.ca_path)
                ) as c:
                    trigger(c, "d", requested(server.url("/image"))).require_accepted()
                samples = _sample(process)
    yield f"resident memory    {idle_kib / 1024:.1f} MiB idle, {max(samples) / 1024:.1f} MiB peak while loading 1 GiB"
    quarter = len(samples) // 4
    if quarter:
        first, last = max(samples[quarter : 2 * quarter]), max(samples[-quarter:])
        yield f"flat               {first / 1024:.1f} MiB in the second quarter, {last / 1024:.1f} MiB in the last"


def _sample(process: DeviceProcess) -> list[int]:
    samples: list[int] = []
    pause = threading.Event()
    for _ in range(int(_DEADLINE_S / 0.05)):
        samples.append(_status_kib(process.pid, "VmRSS"))
        update = process.update() if len(samples) % 10 == 0 else None
        if update is not None and (update.state.settled or update.state is State.DOWNLOAD_COMPLETE):
            return samples
        pause.wait(0.05)
    raise AssertionError("the download did not end in time")


class _Import:
    """A fresh interpreter that runs one statement."""

    def __init__(self, code: str) -> None:
        self._command = [sys.executable, "-c", code]

    def __call__(self) -> None:
        subprocess.run(self._command, check=True)


def _resident_kib(code: str) -> int:
    shown = f"{code}\nprint(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
    return int(subprocess.run([sys.executable, "-c", shown], check=True, capture_output=True).stdout)


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise AssertionError(f"no {name}")
