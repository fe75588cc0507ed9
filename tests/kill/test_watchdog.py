"""The watchdog and real programs that are really stuck: the supervisor hears nothing more, and acts.

The test is in the place of systemd: a socket, a time to wait, SIGABRT, and a new start.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Self

import pytest

from fwsm.testing.image_faults import stall
from fwsm.testing.image_server import ImageServer
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.kill

ALLOWED_S = 0.6
IMAGE = bytes(100_000)
ALIVE = "WATCHDOG=1"
STUCK = "STATUS=stuck: the work under way gives no sign of life"


class Supervisor:
    """In the place of systemd: starts a program, and hears what it says of itself."""

    def __init__(self, directory: Path, variables: Mapping[str, str]) -> None:
        self._directory = directory
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(directory / "notify"))
        self._environ = os.environ | variables
        self._environ |= {"NOTIFY_SOCKET": str(directory / "notify"), "WATCHDOG_USEC": f"{ALLOWED_S * 1e6:.0f}"}
        self.heard: list[str] = []
        self.process: subprocess.Popen[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()
        self._door.close()

    def start(self, way: str) -> None:
        """Start the device, which is to get stuck that way."""
        command = [sys.executable, "-m", "tests.kill.stuck", way, str(self._directory / "state")]
        self.process = subprocess.Popen(command, env=self._environ, stdout=subprocess.PIPE, text=True)

    def hear(self, within_s: float) -> str | None:
        """The next message; None if none comes in time."""
        self._door.settimeout(within_s)
        try:
            text = self._door.recv(4096).decode()
        except TimeoutError:
            return None
        self.heard.append(text)
        return text

    def wait_for(self, text: str) -> None:
        """Hear until it is said."""
        while self.hear(PATIENCE_S) != text:
            assert self.process.poll() is None, self.heard

    def wait_for_silence(self) -> None:
        """Hear until the time that is allowed between two signs of life is over."""
        end_s, alive_s = time.monotonic() + PATIENCE_S, time.monotonic()
        while time.monotonic() - alive_s < ALLOWED_S:
            assert time.monotonic() < end_s, self.heard
            assert self.process.poll() is None
            if self.hear(ALLOWED_S / 10) == ALIVE:
                alive_s = time.monotonic()

    def said(self, line: str) -> None:
        """Wait until the program prints a line."""
        assert self.process.stdout is not None
        assert line in iter(self.process.stdout.readline, ""), line


@pytest.fixture
def server(loopback: Callable[[], str]) -> Iterator[ImageServer]:
    """A server with an image."""
    with ImageServer(loopback(), {"/fw.img": IMAGE}) as server:
        yield server


@pytest.fixture
def supervisor(server: ImageServer, tmp_path: Path) -> Iterator[Supervisor]:
    """One that allows little time."""
    with Supervisor(tmp_path, {"IMAGE": server.url("/fw.img"), "CA_PEM": server.ca_pem}) as supervisor:
        yield supervisor


@pytest.mark.parametrize(
    ("way", "state", "says_so"),
    [
        ("download", "downloading", True),
        ("installer", "applying.installing", True),
        ("agent", "downloading", False),
    ],
)
def test_what_is_stuck_is_ended_and_goes_on_afterwards(
    supervisor: Supervisor, server: ImageServer, way: str, state: str, says_so: bool
) -> None:
    """A download in the system's hands, an installer that never returns, a hook that blocks the agent's own thread.

    The signs of life end; the supervisor aborts the program and starts it anew, and the update comes to its end.
    """
    with closing(socket.create_server((server.url("").partition("//")[2].partition(":")[0], 0))) as silent:
        if way == "download":  # this one accepts, and never sends
            host, port = silent.getsockname()
            supervisor._environ["IMAGE"] = f"https://{host}:{port}/fw.img"
        supervisor.start(way)
        supervisor.said(f"{state}\n")
        supervisor.wait_for(STUCK if says_so else ALIVE)
        supervisor.wait_for_silence()
    assert (STUCK in supervisor.heard) is says_so
    supervisor.process.send_signal(signal.SIGABRT)
    supervisor.process.communicate(timeout=PATIENCE_S)
    assert supervisor.process.returncode == -signal.SIGABRT
    if way != "download":  # that one's server is gone for good
        supervisor.start("well")
        supervisor.said("resumed 1\n")


def test_a_clock_that_stands_still_is_no_sign_of_life(supervisor: Supervisor, server: ImageServer) -> None:
    """The server accepts and never sends, and no deadline ends the waiting, because no time passes on the device."""
    with server.fault("/fw.img", stall(after_bytes=1000)):
        supervisor.start("clock")
        supervisor.said("downloading\n")
        supervisor.wait_for_silence()


def test_a_server_that_never_sends_is_no_reason(supervisor: Supervisor, server: ImageServer) -> None:
    """The device's own deadlines end each try; it gets on, and says so for as long as it takes."""
    with server.fault("/fw.img", stall(after_bytes=1000)):
        supervisor.start("well")
        supervisor.said("downloading\n")
        for _ in range(20):  # some three times as long as stuck work is waited for
            supervisor.wait_for(ALIVE)
    assert not any("stuck" in text for text in supervisor.heard)


def test_a_slow_download_is_no_reason(supervisor: Supervisor, server: ImageServer) -> None:
    """It takes more than twice as long as stuck work is waited for."""
    server.bytes_per_s = len(IMAGE) / 5
    supervisor.start("well")
    supervisor.said("downloading\n")
    while supervisor.process.poll() is None:
        supervisor.hear(ALLOWED_S)
    supervisor.said("resumed 0\n")
    assert supervisor.heard.count(ALIVE) > 5
    assert not any("stuck" in text for text in supervisor.heard)
