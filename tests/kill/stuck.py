"""A device that gets stuck in the way that it is told, under a supervisor: `python -m tests.kill.stuck WAY DIRECTORY`.

It is a program that embeds the package: own installer, own hook, own watchdog. It asks itself for an update and prints
how that stands in the end.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.core.update import Probe, State
from fwsm.device.clock import SystemClock
from fwsm.device.device import Device
from fwsm.device.download import HttpsDownload
from fwsm.device.notify import Notifier
from fwsm.device.ports import Installer
from fwsm.device.watchdog import Watchdog
from fwsm.testing.link import MemoryLink

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.moment import Moment
    from fwsm.core.update import Artifact, Progress, Update
    from fwsm.device.hooks import Entered

STUCK_AFTER_S = 2.0


def _for_ever() -> None:
    threading.Event().wait()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class DeafDownload(HttpsDownload):
    """Waits for its server inside the system, where no stop event reaches, and has no deadline."""

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Never returns."""
        host, _, port = update.request.uri.partition("://")[2].partition("/")[0].partition(":")
        with socket.create_connection((host, int(port))) as server:
            server.recv(1)
        return super().fetch(update, note, stop)


class FrozenClock(SystemClock):
    """Time stands still from its second reading on, so that no deadline ever comes."""

    def __init__(self) -> None:
        super().__init__()
        self._first = super().now()

    def now(self) -> Moment:
        """Always the same."""
        return self._first


class OwnInstaller(Installer):
    """Needs no reboot; may hang."""

    repeatable = True

    def __init__(self, *, hangs: bool) -> None:
        self._hangs = hangs

    def target_slot(self) -> str | None:
        """It has no slots."""
        return None

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:  # noqa: ARG002
        """Return at once, or never."""
        if self._hangs:
            _for_ever()
        return False

    def probe(self, update: Update) -> Probe:  # noqa: ARG002
        """Whatever was begun is begun again."""
        return Probe.NOT_BEGUN

    def runs(self, update: Update) -> bool:  # noqa: ARG002
        """It runs as soon as it is installed."""
        return True

    def confirm(self, update: Update) -> None:
        """Nothing to do."""

    def roll_back(self, update: Update) -> bool:  # noqa: ARG002
        """Nothing to do."""
        return False

    def reboot(self) -> None:
        """Never asked for."""


def main(way: str, directory: Path) -> None:
    """Run until the update has settled; the address of the image and the authority come in the environment."""
    clock = FrozenClock() if way == "clock" else SystemClock()
    kind = DeafDownload if way == "download" else HttpsDownload
    download = kind(directory / "artifacts", clock=clock, ca_pem=os.environ["CA_PEM"], stall_s=0.5)
    watchdog = Watchdog(Notifier(os.environ), stuck_after_s=STUCK_AFTER_S, status=lambda: "at work")
    device = Device(
        directory,
        link=MemoryLink(),
        installer=OwnInstaller(hangs=way == "installer"),
        download=download,
        clock=clock,
        heartbeat=watchdog.beat,
    )
    settled = threading.Event()

    @device.on_enter()
    def entered(entry: Entered) -> None:
        _say(entry.update.state)
        if way == "agent" and entry.update.state is State.DOWNLOADING:
            _for_ever()
        if entry.update.state.settled:
            _say(f"resumed {entry.update.resumed}")
            settled.set()

    with device:
        device.start()
        if device.update is None:
            device.request({"fwPackageUri": os.environ["IMAGE"]})
        settled.wait()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
