"""Datagrams to the supervisor, over real sockets."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fwsm.device.notify import Notifier
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def _listening(address: str) -> socket.socket:
    door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    door.bind(address)
    door.settimeout(PATIENCE_S)
    return door


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket in the place of systemd's."""
    with closing(_listening(str(tmp_path / "notify"))) as door:
        yield door


def _fill(filler: socket.socket, address: Path) -> None:
    while True:
        filler.sendto(b"x", str(address))


def test_each_message_is_one_datagram_in_the_words_of_systemd(supervisor: socket.socket) -> None:
    """As sd_notify(3) has them; a status is one line, whatever is in it."""
    notifier = Notifier({"NOTIFY_SOCKET": supervisor.getsockname()})
    notifier.starting(1.5)
    notifier.ready()
    notifier.status("downloading\nREADY=1 \udcff")
    notifier.alive()
    notifier.stopping(2)
    assert [supervisor.recv(4096) for _ in range(5)] == [
        b"EXTEND_TIMEOUT_USEC=1500000",
        b"READY=1",
        b"STATUS=downloading READY=1 ?",
        b"WATCHDOG=1",
        b"STOPPING=1\nEXTEND_TIMEOUT_USEC=2000000",
    ]


def test_a_socket_without_a_file_is_reached_too(tmp_path: Path) -> None:
    """The at sign stands for the zero byte of an abstract name."""
    with closing(_listening(f"\0fwsm-test-{tmp_path.name}-{id(tmp_path)}")) as door:
        name = door.getsockname()[1:].decode()
        Notifier({"NOTIFY_SOCKET": f"@{name}"}).ready()
        assert door.recv(4096) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "vsock:2:9", "/nowhere/at/all"])
def test_nobody_listening_is_no_trouble(address: str) -> None:
    """Nothing is raised, and nothing is waited for."""
    Notifier({"NOTIFY_SOCKET": address}).ready()


def test_a_supervisor_that_does_not_read_holds_nothing_up(supervisor: socket.socket, tmp_path: Path) -> None:
    """Once its queue is full, what more is said is lost after a moment."""
    notifier = Notifier({"NOTIFY_SOCKET": supervisor.getsockname()})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filler:
        filler.setblocking(False)
        with pytest.raises(BlockingIOError):
            _fill(filler, tmp_path / "notify")
    notifier.alive()


@pytest.mark.parametrize(
    ("variables", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "7"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_how_often_it_wants_to_hear_of_us(variables: dict[str, str], seconds: float | None) -> None:
    """Only if it means this process, and says so in a number."""
    assert Notifier({"NOTIFY_SOCKET": "/run/notify"} | variables, 7).watchdog_s == seconds
    assert Notifier(variables, 7).watchdog_s is None
