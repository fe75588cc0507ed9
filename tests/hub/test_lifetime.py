"""How long a connection may go on."""

from __future__ import annotations

import math

import pytest

from fwsm.hub.lifetime import Lifetime
from fwsm.hub.packets import PingReq


class Clocks:
    """Two clocks that are moved by hand, and a lifetime that goes by them."""

    def __init__(self) -> None:
        self.wall = 1_000_000.0
        self.monotonic = 50.0
        self.lifetime = Lifetime(lambda: self.wall, lambda: self.monotonic)

    def sleep(self, seconds: float) -> None:
        """Move both."""
        self.wall += seconds
        self.monotonic += seconds


def test_peer_that_never_says_connect_is_not_waited_for() -> None:
    """Half a minute is enough for a first packet."""
    clocks = Clocks()
    assert clocks.lifetime.due_in_s() == 30
    clocks.sleep(29.9)
    assert clocks.lifetime.end() is None
    clocks.sleep(0.1)
    assert clocks.lifetime.end() == "nothing was heard for 30 s"


@pytest.mark.parametrize(("keep_alive_s", "silence_s"), [(10, 15), (0, 1767), (40_000, 1767)])
def test_silence_ends_it_after_one_and_a_half_keep_alives(keep_alive_s: int, silence_s: float) -> None:
    """Counted from the last byte; IoT Hub has an upper bound, also for those who ask for none."""
    clocks = Clocks()
    clocks.lifetime.let_in(keep_alive_s, math.inf)
    clocks.sleep(silence_s - 1)
    clocks.lifetime.heard()
    assert clocks.lifetime.due_in_s() == silence_s
    clocks.sleep(silence_s)
    assert clocks.lifetime.end() == f"nothing was heard for {silence_s} s"
    assert clocks.lifetime.due_in_s() == 0


def test_token_ends_it_by_the_clock_on_the_wall() -> None:
    """Also when a packet is held."""
    clocks = Clocks()
    clocks.lifetime.let_in(600, clocks.wall + 100)
    clocks.lifetime.hold(200, PingReq())
    assert clocks.lifetime.due_in_s() == 100
    clocks.wall += 100
    assert clocks.lifetime.end() == "the token has expired (401003)"


def test_silence_does_not_count_while_a_packet_is_held() -> None:
    """The hub does not read then; behind it, the device has its whole time again."""
    clocks = Clocks()
    clocks.lifetime.let_in(10, math.inf)
    clocks.lifetime.hold(60, PingReq())
    assert clocks.lifetime.holds
    clocks.sleep(59)
    assert (clocks.lifetime.end(), clocks.lifetime.release(), clocks.lifetime.due_in_s()) == (None, None, 1)
    clocks.sleep(1)
    assert (clocks.lifetime.end(), clocks.lifetime.release(), clocks.lifetime.holds) == (None, PingReq(), False)
    assert clocks.lifetime.release() is None
    assert clocks.lifetime.due_in_s() == 15
