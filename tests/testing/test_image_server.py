"""The image server does everything right until it is told otherwise, and its log tells the truth."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fwsm.testing.image_faults import refusal, stall
from fwsm.testing.image_server import ImageServer, Served
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATH = "/fw.bin"
CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def server(loopback: Callable[[], str]) -> Iterator[ImageServer]:
    """A server with one image."""
    with ImageServer(loopback(), {PATH: CONTENT}) as running:
        yield running


def _get(server: ImageServer, path: str = PATH, **fields: str) -> tuple[http.client.HTTPResponse, bytes]:
    """What a foreign client gets."""
    host, port = server.url("").removeprefix("https://").split(":")
    context = ssl.create_default_context(cadata=server.ca_pem)
    connection = http.client.HTTPSConnection(host, int(port), timeout=PATIENCE_S, context=context)
    try:
        connection.request("GET", path, headers={name.replace("_", "-"): text for name, text in fields.items()})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def test_an_image_is_served_whole(server: ImageServer) -> None:
    """With its length, a strong tag and a date."""
    response, body = _get(server)
    assert response.status == 200
    assert body == CONTENT
    assert response.headers["Content-Length"] == str(len(CONTENT))
    assert response.headers["ETag"].startswith('"')
    assert response.headers["Last-Modified"].endswith("GMT")
    assert response.headers["Content-Range"] is None


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=1000-", 1000, 255_999), ("bytes=0-9", 0, 9), ("bytes=5-999999999", 5, 255_999)]
)
def test_a_range_is_served(server: ImageServer, asked: str, first: int, last: int) -> None:
    """With what it holds and of how much."""
    response, body = _get(server, Range=asked)
    assert response.status == 206
    assert response.headers["Content-Range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert body == CONTENT[first : last + 1]


def test_a_range_behind_the_end_is_416(server: ImageServer) -> None:
    """It tells the size."""
    response, body = _get(server, Range=f"bytes={len(CONTENT)}-")
    assert response.status == 416
    assert response.headers["Content-Range"] == f"bytes */{len(CONTENT)}"
    assert body == b""


def test_if_range_gives_the_rest_of_the_same_version_only(server: ImageServer) -> None:
    """Of another version it gives the whole."""
    tag = _get(server)[0].headers["ETag"]
    assert _get(server, Range="bytes=10-", If_Range=tag)[0].status == 206
    server.put(PATH, CONTENT[::-1])
    response, body = _get(server, Range="bytes=10-", If_Range=tag)
    assert response.status == 200
    assert body == CONTENT[::-1]
    assert response.headers["ETag"] != tag


def test_a_file_is_served_from_the_disk(server: ImageServer, tmp_path: Path) -> None:
    """Without being held in memory."""
    (tmp_path / "image").write_bytes(CONTENT)
    server.put("/file", tmp_path / "image")
    response, body = _get(server, "/file", Range="bytes=255990-")
    assert response.status == 206
    assert body == CONTENT[255_990:]


def test_what_is_not_there_is_404(server: ImageServer) -> None:
    """As everywhere."""
    assert _get(server, "/other")[0].status == 404


def test_the_log_says_what_was_asked_and_sent(server: ImageServer) -> None:
    """In the order in which the requests came, with query and conditions."""
    _get(server, PATH + "?sig=x")
    _get(server, Range="bytes=255000-", If_Range='"other"')
    _get(server, Range="bytes=255000-")
    assert server.wait_for(lambda log: all(request.ended for request in log))
    assert list(server.requests) == [
        Served(PATH + "?sig=x", None, None, 200, 256_000, ended=True),
        Served(PATH, "bytes=255000-", '"other"', 200, 256_000, ended=True),
        Served(PATH, "bytes=255000-", None, 206, 1_000, ended=True),
    ]


def test_the_speed_is_bounded(server: ImageServer) -> None:
    """256,000 bytes at a million a second take a quarter of a second, or more."""
    server.bytes_per_s = 1_000_000.0
    began_s = time.monotonic()
    assert _get(server)[1] == CONTENT
    assert time.monotonic() - began_s > 0.2


def test_a_fault_lasts_as_long_as_its_context_and_its_count(server: ImageServer) -> None:
    """Requests before, between and after are answered well."""
    with server.fault(PATH, refusal(403), skip=1, times=2):
        assert [_get(server)[0].status for _ in range(4)] == [200, 403, 403, 200]
    with server.fault(PATH, refusal(404)):
        assert _get(server)[0].status == 404
    assert _get(server)[0].status == 200


def test_waiting_for_the_log_is_bounded(server: ImageServer) -> None:
    """What does not come is not waited for."""
    assert not server.wait_for(bool, timeout_s=0.01)


def test_an_untrusting_client_leaves_no_trace_and_does_no_harm(
    server: ImageServer, capfd: pytest.CaptureFixture[str]
) -> None:
    """The server prints nothing and goes on."""
    host, port = server.url("").removeprefix("https://").split(":")
    with socket.create_connection((host, int(port))) as plain, pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(plain, server_hostname=host)
    assert _get(server)[1] == CONTENT
    assert len(server.requests) == 1
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("tls", [True, False])
def test_the_end_waits_for_nobody(loopback: Callable[[], str], *, tls: bool) -> None:
    """Neither for a client that it keeps waiting, nor for one that has said nothing; no thread is left."""
    before = set(threading.enumerate())
    began_s = time.monotonic()
    with ImageServer(loopback(), {PATH: CONTENT}, tls=tls) as server:
        host, port = server.url("").partition("://")[2].split(":")
        silent = socket.create_connection((host, int(port)))
        waiting = threading.Thread(target=_ask_and_wait, args=(host, int(port), server.ca_pem))
        with server.fault(PATH, stall(100)):
            waiting.start()
            assert server.wait_for(lambda log: bool(log) and log[0].sent_bytes == 100)
    silent.close()
    waiting.join(PATIENCE_S)
    assert time.monotonic() - began_s < 15  # it would wait for a client twice as long
    assert set(threading.enumerate()) - before == set()


def _ask_and_wait(host: str, port: int, ca_pem: str) -> None:
    with socket.create_connection((host, port), timeout=PATIENCE_S) as plain:
        connection = plain
        if ca_pem:
            connection = ssl.create_default_context(cadata=ca_pem).wrap_socket(plain, server_hostname=host)
        with connection:
            connection.sendall(f"GET {PATH} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            while connection.recv(65536):
                pass
