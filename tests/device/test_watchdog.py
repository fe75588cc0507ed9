"""When the supervisor is told that all is well, and when not."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fwsm.device.notify import Notifier
from fwsm.device.watchdog import Watchdog
from fwsm.testing.clock import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ALLOWED_S = 30.0


class Supervisor:
    """In the place of systemd: a socket, and what came through it."""

    def __init__(self, path: Path) -> None:
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(path))
        self._door.setblocking(False)
        self.environ = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": f"{ALLOWED_S * 1e6:.0f}"}

    def heard(self) -> list[str]:
        """What came since the last call."""
        texts = []
        while True:
            try:
                texts.append(self._door.recv(4096).decode())
            except BlockingIOError:
                return texts

    def close(self) -> None:
        """Close the socket."""
        self._door.close()


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    """One that allows 30 s."""
    with closing(Supervisor(tmp_path / "notify")) as supervisor:
        yield supervisor


@pytest.fixture
def status() -> list[str]:
    """The one line that is told; a test may change it."""
    return ["waiting"]


@pytest.fixture
def watchdog(supervisor: Supervisor, status: list[str]) -> Watchdog:
    """One that takes a job for stuck after 60 s."""
    return Watchdog(Notifier(supervisor.environ), stuck_after_s=60.0, status=lambda: status[0])


def test_the_first_turn_of_the_agent_says_that_it_is_up(watchdog: Watchdog, supervisor: Supervisor) -> None:
    """Then how it is, and that all is well."""
    assert watchdog.beat(FakeClock().now(), None) == ALLOWED_S / 3
    assert supervisor.heard() == ["READY=1", "STATUS=waiting", "WATCHDOG=1"]


def test_an_agent_that_turns_is_well_three_times_in_the_time_allowed(
    watchdog: Watchdog, supervisor: Supervisor, status: list[str]
) -> None:
    """However often it turns; and a status is told when it is another one."""
    clock = FakeClock()
    watchdog.beat(clock.now(), None)
    supervisor.heard()
    clock.advance(4.0)
    assert watchdog.beat(clock.now(), None) == pytest.approx(6.0)
    assert supervisor.heard() == []
    clock.advance(6.0)
    watchdog.beat(clock.now(), None)
    assert supervisor.heard() == ["WATCHDOG=1"]
    status[0] = "downloading"
    clock.advance(10.0)
    watchdog.beat(clock.now(), None)
    assert supervisor.heard() == ["STATUS=downloading", "WATCHDOG=1"]


def test_a_job_without_a_sign_of_life_lets_the_watchdog_lapse(
    watchdog: Watchdog, supervisor: Supervisor, caplog: pytest.LogCaptureFixture
) -> None:
    """After the time for that, and once; a sign of life makes it well again."""
    clock = FakeClock()

    def beats(count: int, sign: str) -> list[str]:
        heard = []
        for _ in range(count):
            watchdog.beat(clock.now(), sign)
            heard += supervisor.heard()
            clock.advance(10.0)
        return heard

    assert beats(8, "same").count("WATCHDOG=1") == 8
    assert beats(3, "same") == ["STATUS=stuck: the work under way gives no sign of life"]
    assert caplog.text.count("no sign of life") == 1
    assert beats(1, "another") == ["STATUS=waiting", "WATCHDOG=1"]


def test_a_job_that_gets_on_may_take_as_long_as_it_likes(watchdog: Watchdog, supervisor: Supervisor) -> None:
    """A download over a poor line takes days."""
    clock = FakeClock()
    for turn in range(1000):
        watchdog.beat(clock.now(), turn)
        assert "WATCHDOG=1" in supervisor.heard()
        clock.advance(10.0)


def test_a_machine_that_slept_is_not_stuck(watchdog: Watchdog, supervisor: Supervisor) -> None:
    """The job slept, too."""
    clock = FakeClock()
    watchdog.beat(clock.now(), "same")
    clock.advance(10.0)
    watchdog.beat(clock.now(), "same")
    clock.advance(3600.0)
    watchdog.beat(clock.now(), "same")
    assert supervisor.heard().count("WATCHDOG=1") == 3


def test_without_a_watchdog_the_supervisor_is_told_the_status(tmp_path: Path, status: list[str]) -> None:
    """`Type=notify` may be used by itself."""
    with closing(Supervisor(tmp_path / "other")) as supervisor:
        environ = {"NOTIFY_SOCKET": supervisor.environ["NOTIFY_SOCKET"]}
        watchdog = Watchdog(Notifier(environ), stuck_after_s=60.0, status=lambda: status[0])
        watchdog.beat(FakeClock().now(), None)
        assert supervisor.heard() == ["READY=1", "STATUS=waiting"]
