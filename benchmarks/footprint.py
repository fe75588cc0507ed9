"""Start-up time, and the memory of the device's process while it loads a large image."""

from __future__ import annotations

import compileall
import resource
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from timing import in_turns

import fwsm
from fwsm.core.update import State
from fwsm.hub import Hub
from fwsm.service import Client, Transport, requested, trigger
from fwsm.service.sas import SharedAccess
from fwsm.store import Store
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = "127.31.7.2"
SIZE_BYTES = 1024 * 1024 * 1024
ROUNDS = 15
_DEADLINE_S = 300.0
_SETTLES_S = 2.0

BARE: Final = "python -c pass"
FOUR: Final = "the four packages"
EMBEDDED: Final = "the device's modules"
AGENT: Final = "the agent's modules"
STATEMENTS: Final = {
    BARE: "pass",
    FOUR: "import transitions, sqlalchemy, tenacity, azure.iot.device.aio",
    EMBEDDED: "import fwsm.device.assembly",
    # As `fwsm device run` loads them, the command line included.
    AGENT: "import gc; gc.disable(); import fwsm.cli.device, fwsm.device.assembly; gc.freeze(); gc.enable()",
}
# What a process does when it ends is no part of its start.
_ENDS: Final = "import os; os._exit(0)"


def run() -> Iterator[str]:
    """Import of the whole device against the four packages it stands on; resident memory idle and over 1 GiB."""
    compileall.compile_dir(Path(fwsm.__file__).parent, quiet=1)  # as pip does with what it installs
    taken = in_turns({name: _Import(code) for name, code in STATEMENTS.items()}, ROUNDS)
    fastest = {name: min(times) for name, times in taken.items()}
    resident = {name: _resident_kib(code) for name, code in STATEMENTS.items()}
    yield f"{'':22} {'CPU':>8} {'resident':>11}"
    for name, seconds in fastest.items():
        yield f"{name:22} {seconds * 1000:5.0f} ms {resident[name] / 1024:7.1f} MiB"
    yield ""
    for ours in (EMBEDDED, AGENT):
        yield f"importing {ours} takes {fastest[ours] / fastest[FOUR]:.2f} x the time of {FOUR} (at most 1.15 wanted)"
    yield from _memory(resident[FOUR])


def _memory(four_kib: int) -> Iterator[str]:
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
            with Store(process.state_dir):
                pass  # made beforehand: a first start keeps the memory that making it took
            with process:
                hub.wait_reachable("d", 30)
                threading.Event().wait(_SETTLES_S)
                idle_kib = _status_kib(process.pid, "VmRSS")
                with Client(Transport(SharedAccess.parse(hub.service_connection_string), ca_file=hub.ca_path)) as c:
                    trigger(c, "d", requested(server.url("/image"))).require_accepted()
                samples = _sample(process)
    ratio = idle_kib / four_kib
    yield f"the idle agent has {idle_kib / 1024:.1f} MiB resident, {ratio:.2f} x {FOUR} (at most 1.15 wanted)"
    line = f"while it loads 1 GiB, {max(samples) / 1024:.1f} MiB at most"
    quarter = len(samples) // 4
    if quarter:
        second, last = max(samples[quarter : 2 * quarter]), max(samples[-quarter:])
        line += f"; {second / 1024:.1f} MiB in the second quarter of the time, {last / 1024:.1f} MiB in the last"
    yield line


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
    """A fresh interpreter that runs one statement; called, it says how many seconds of processor time that took.

    That is what a start takes on a processor that has nothing else to do, whoever else uses this one.
    """

    def __init__(self, code: str) -> None:
        self._command = [sys.executable, "-c", f"{code}\n{_ENDS}"]

    def __call__(self) -> float:
        """Run it."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(self._command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _resident_kib(code: str) -> int:
    shown = f"{code}\nprint(next(l.split()[1] for l in open('/proc/self/status') if l.startswith('VmRSS')))"
    return int(subprocess.run([sys.executable, "-c", shown], check=True, capture_output=True).stdout)


def _status_kib(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1])
    raise AssertionError(f"no {name}")
