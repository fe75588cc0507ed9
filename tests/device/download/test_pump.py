"""Pumps: nothing that came is lost, nothing holds up the caller, and memory is bounded."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fwsm.device.download.pump import Pump
from fwsm.device.download.request import Request, trust
from fwsm.errors import ArtifactError, DownloadError
from fwsm.testing.image_faults import stall, truncated
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from fwsm.testing.image_server import ImageServer

PATH = "/fw.bin"


def _pump(server: ImageServer) -> Pump:
    return Pump(Request(server.url(PATH), {}, tls=trust(server.ca_pem), allow_http=False, timeout_s=PATIENCE_S))


def _pumping() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "fwsm-pump"]


def test_everything_comes_in_order_and_then_the_end(server: ImageServer, content: bytes) -> None:
    """First the head, then the body, then None."""
    with closing(_pump(server)) as pump:
        head = pump.head(PATIENCE_S)
        assert head is not None
        assert head.status == 200
        assert head.headers["content-length"] == str(len(content))
        assert b"".join(iter(lambda: pump.take(PATIENCE_S), None)) == content


def test_what_came_before_a_cut_is_handed_over_first(server: ImageServer, content: bytes) -> None:
    """A broken body costs nothing of what arrived."""
    received: list[bytearray | None] = []
    with server.fault(PATH, truncated(700_001)), closing(_pump(server)) as pump, pytest.raises(DownloadError):
        received.extend(iter(lambda: pump.take(PATIENCE_S), None))
    assert b"".join(filter(None, received)) == content[:700_001]


def test_what_trickles_in_is_not_held_back(server: ImageServer, content: bytes) -> None:
    """A piece is taken when the time is up, however small it is."""
    with server.fault(PATH, stall(10)), closing(_pump(server)) as pump:
        assert pump.head(PATIENCE_S)
        received = bytearray()
        while len(received) < 10:
            received += pump.take(0.02) or b""
        assert received == content[:10]
        assert pump.take(0.0) == bytearray()


def test_the_head_is_not_waited_for_longer_than_said(server: ImageServer) -> None:
    """A server that does not answer leaves the caller free."""
    server.bytes_per_s = 1.0
    with closing(_pump(server)) as pump:
        assert pump.head(0.0) is None


def test_a_failed_request_comes_out_of_the_head() -> None:
    """The caller's thread gets the error that the reading thread met."""
    pump = Pump(Request("ftp://h/f", {}, tls=trust(None), allow_http=False, timeout_s=PATIENCE_S))
    with closing(pump), pytest.raises(ArtifactError, match="must begin with"):
        pump.head(PATIENCE_S)


def test_a_closed_pump_ends_its_thread(server: ImageServer) -> None:
    """Whether it waits for the network or for the caller."""
    with server.fault(PATH, stall(100), times=1):
        stalled = _pump(server)
        assert server.wait_for(lambda log: bool(log) and log[0].sent_bytes == 100)
        full = _pump(server)
        assert full.head(PATIENCE_S)
        stalled.close()
        full.close()
        for thread in _pumping():
            thread.join(PATIENCE_S)
    assert _pumping() == []


def test_what_is_not_taken_is_not_read(server: ImageServer) -> None:
    """A slow disk slows the network down; it does not fill the memory."""
    server.put(PATH, bytes(64 * 1024 * 1024))
    with closing(_pump(server)) as pump:
        assert pump.head(PATIENCE_S)
        assert not server.wait_for(lambda log: log[0].ended, timeout_s=0.5)
        assert len(pump.take(PATIENCE_S) or b"") < 2 * 1024 * 1024
