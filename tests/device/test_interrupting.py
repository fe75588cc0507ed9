"""Cancel and supersede let go of a running download at once, whatever the server does.

Nothing is simulated: the agent runs in its thread, the download in its own, on real sockets and in real time.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.device.clock import SystemClock
from fwsm.device.download.checkpoint import Record
from fwsm.testing.image_faults import cut, endless, stall
from fwsm.testing.image_server import ImageServer
from tests.device import interrupting
from tests.device.interrupting import Interrupted, swell
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH, GOOD = "/fw.bin", "/good.bin"
IMAGE = bytes(range(256)) * 8192  # 2 MiB
DIGEST = hashlib.sha256(IMAGE).hexdigest()
SOON_S = 15.0  # a moment on a quiet machine; what is not interrupted takes half a minute and more


@pytest.fixture
def server(loopback: Callable[[], str]) -> Iterator[ImageServer]:
    """A server that has an image."""
    with ImageServer(loopback(), {PATH: IMAGE, GOOD: IMAGE}) as running:
        yield running


class World:
    """What a fault needs to bring it about.

    Attributes:
        server: the image server.
        device: the device.
        address: of this test alone.
        stack: undone at the end.
    """

    def __init__(self, server: ImageServer, device: Interrupted, address: str, stack: ExitStack) -> None:
        self.server = server
        self.device = device
        self.address = address
        self.stack = stack

    def sent(self, least_bytes: int) -> Callable[[], object]:
        """Wait until the server has sent so much."""
        return lambda: self.server.wait_for(lambda served: sum(each.sent_bytes for each in served) >= least_bytes)


Fault = tuple[dict[str, Any], "Callable[[], object]"]  # what to ask for, and waiting until it is in the middle of it


def stalled(world: World) -> Fault:
    """The server goes silent in the middle of the body."""
    world.stack.enter_context(world.server.fault(PATH, stall(after_bytes=100_000)))
    return {"fwPackageUri": world.server.url(PATH)}, world.sent(100_000)


def drips(world: World) -> Fault:
    """The server sends a few bytes a second."""
    world.server.bytes_per_s = 100.0
    return {"fwPackageUri": world.server.url(PATH)}, world.sent(10)


def never_ends(world: World) -> Fault:
    """The server sends as fast as it can, without an end."""
    world.stack.enter_context(world.server.fault(PATH, endless()))
    return {"fwPackageUri": world.server.url(PATH)}, world.sent(16 << 20)


def keeps_breaking_off(world: World) -> Fault:
    """The connection is reset again and again: in or around a pause between two of five tries."""
    world.stack.enter_context(world.server.fault(PATH, cut(after_bytes=10)))
    return {"fwPackageUri": world.server.url(PATH)}, lambda: world.server.wait_for(lambda served: len(served) >= 1)


def _listener(world: World) -> socket.socket:
    listener = world.stack.enter_context(socket.create_server((world.address, 0), backlog=0))
    listener.settimeout(PATIENCE_S)
    return listener


def _accepts(world: World, listener: socket.socket, until: bytes) -> bool:
    connection, _ = listener.accept()
    world.stack.enter_context(connection)
    connection.settimeout(PATIENCE_S)
    return until in connection.recv(4096)


def silent_in_the_handshake(world: World) -> Fault:
    """The server takes the client's hello and says nothing."""
    listener = _listener(world)
    asked = {"fwPackageUri": f"https://{world.address}:{listener.getsockname()[1]}/fw"}
    return asked, lambda: _accepts(world, listener, b"\x16\x03")


def silent_before_the_head(world: World) -> Fault:
    """The server takes the request and does not answer."""
    listener = _listener(world)
    asked = {"fwPackageUri": f"http://{world.address}:{listener.getsockname()[1]}/fw"}
    return asked, lambda: _accepts(world, listener, b"GET /fw")


def never_connects(world: World) -> Fault:
    """The connection is neither made nor refused: the queue of the listener is full."""
    listener = _listener(world)
    address = listener.getsockname()
    for _ in range(3):
        waiting = world.stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(address)
    before = _connecting(address[1])
    return {"fwPackageUri": f"https://{world.address}:{address[1]}/fw"}, lambda: eventually(
        lambda: _connecting(address[1]) > before
    )


def _connecting(port: int) -> int:
    """How many connections to this port wait for their first answer."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port:04X}") and row[3] == "02" for row in rows)  # SYN_SENT


def reading() -> Callable[[], bool]:
    """Wait until this process has read another 100 MB from files."""

    def read_bytes() -> int:
        return int(Path("/proc/self/io").read_text().split()[1])

    before = read_bytes()
    return lambda: eventually(lambda: read_bytes() - before > 100_000_000)


def reads_a_large_image(world: World) -> Fault:
    """An image that is there is read, to see whether it is the right one."""
    directory = world.device.download.directory
    directory.mkdir(parents=True)
    swell(directory / f"{DIGEST}.image")
    return {"fwPackageUri": world.server.url(PATH), "fwPackageCheckValue": DIGEST}, reading()


def reads_a_large_part(world: World) -> Fault:
    """What was loaded in an earlier life is read again before the rest is asked for."""
    directory = world.device.download.directory
    directory.mkdir(parents=True)
    swell(directory / f"{DIGEST}.part")
    record = Record(SystemClock().now().boot_id, interrupting.LARGE_BYTES, 2 * interrupting.LARGE_BYTES)
    (directory / f"{DIGEST}.part.json").write_bytes(record.encode())
    return {"fwPackageUri": world.server.url(PATH), "fwPackageCheckValue": DIGEST}, reading()


def proves_a_large_image(world: World) -> Fault:
    """The download is complete, and what it brought is read once more before it is applied."""
    world.device.download.swells = True
    return {"fwPackageUri": world.server.url(PATH), "fwPackageCheckValue": DIGEST}, reading()


FAULTS = [
    stalled,
    drips,
    never_ends,
    keeps_breaking_off,
    silent_in_the_handshake,
    silent_before_the_head,
    never_connects,
    reads_a_large_image,
    reads_a_large_part,
    proves_a_large_image,
]


@contextmanager
def world_of(server: ImageServer, directory: Path, address: str) -> Iterator[World]:
    """A device that trusts the server, and what it takes to disturb it."""
    with ExitStack() as stack, Interrupted(directory, ca_pem=server.ca_pem) as device:
        yield World(server, device, address, stack)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("superseding", [False, True], ids=["cancel", "supersede"])
def test_a_download_is_let_go_at_once(
    server: ImageServer,
    loopback: Callable[[], str],
    tmp_path: Path,
    fault: Callable[[World], Fault],
    superseding: bool,
) -> None:
    """The command is answered and the download has let go of network and disk."""
    command = ("firmwareUpdate", {"fwPackageUri": server.url(GOOD)}) if superseding else ("firmwareUpdateCancel", None)
    with world_of(server, tmp_path, loopback()) as world:
        asked, stuck = fault(world)
        answered_s, ended_s = world.device.times(asked, stuck, command)
        if superseding:
            world.server.bytes_per_s = None
            assert server.wait_for(lambda served: any(each.path == GOOD for each in served))
        world.stack.close()
    assert sum(each.path == PATH for each in server.requests) < 5
    assert answered_s < SOON_S
    assert ended_s < SOON_S


def test_a_download_is_let_go_while_its_name_is_being_resolved(tmp_path: Path) -> None:
    """The name server takes the question and never answers, and nothing can interrupt the system's resolver."""
    own_network = ["unshare", "--user", "--map-root-user", "--mount", "--net"]
    if subprocess.run([*own_network, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not allow user namespaces")
    command = [*own_network, sys.executable, "-m", "tests.device.interrupting", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert ended.returncode == 0, ended.stderr
    answered_s, ended_s = json.loads(ended.stdout)
    assert answered_s < SOON_S
    assert ended_s < SOON_S
