"""Each fault is on the wire what its name says, seen by a client that knows nothing of it."""

from __future__ import annotations

import gzip
import http.client
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from fwsm.testing.image_faults import (
    Fault,
    compressed,
    cut,
    endless,
    multipart,
    no_ranges,
    portal,
    redirect,
    refusal,
    stall,
    truncated,
    wrong_range,
)
from fwsm.testing.image_server import ImageServer
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATH = "/fw.bin"
CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def server(loopback: Callable[[], str]) -> Iterator[ImageServer]:
    """A plain server: what is seen is HTTP, not TLS."""
    with ImageServer(loopback(), {PATH: CONTENT}, tls=False) as running:
        yield running


def _connection(server: ImageServer) -> http.client.HTTPConnection:
    host, port = server.url("").removeprefix("http://").split(":")
    return http.client.HTTPConnection(host, int(port), timeout=PATIENCE_S)


def _ask(server: ImageServer, **fields: str) -> http.client.HTTPResponse:
    connection = _connection(server)
    connection.request("GET", PATH, headers={name.replace("_", "-"): text for name, text in fields.items()})
    return connection.getresponse()


def test_cut_resets_the_connection(server: ImageServer) -> None:
    """The client meets an error, not an end."""
    with server.fault(PATH, cut(1000)), _ask(server) as response:
        assert server.wait_for(lambda log: log[0].ended)
        with pytest.raises(ConnectionResetError):
            response.read()
    assert server.requests[0].sent_bytes == 1000


def test_truncated_ends_in_good_order(server: ImageServer) -> None:
    """The client meets an end, too early."""
    with (
        server.fault(PATH, truncated(1000)),
        _ask(server) as response,
        pytest.raises(http.client.IncompleteRead) as caught,
    ):
        response.read()
    assert caught.value.partial == CONTENT[:1000]


def test_stall_keeps_the_connection_and_is_silent(server: ImageServer) -> None:
    """What was sent arrives, and then nothing does."""
    with server.fault(PATH, stall(1000)), closing(_connection(server)) as connection:
        connection.request("GET", PATH)
        wire = connection.sock
        response = connection.getresponse()
        assert response.read(1000) == CONTENT[:1000]
        wire.settimeout(0.2)
        with response, pytest.raises(TimeoutError):
            response.read(1)


def test_no_ranges_sends_the_whole(server: ImageServer) -> None:
    """With 200, and without a word about ranges."""
    with server.fault(PATH, no_ranges()), _ask(server, Range="bytes=10-") as response:
        assert (response.status, response.headers["Accept-Ranges"]) == (200, None)
        assert response.read() == CONTENT


@pytest.mark.parametrize("text", ["bytes 0-9/10", None])
def test_wrong_range_says_something_else(server: ImageServer, text: str | None) -> None:
    """Or nothing at all."""
    with server.fault(PATH, wrong_range(text)), _ask(server, Range="bytes=10-") as response:
        assert (response.status, response.headers["Content-Range"]) == (206, text)


def test_multipart_has_no_range_of_its_own(server: ImageServer) -> None:
    """It looks like an answer to several ranges."""
    with server.fault(PATH, multipart()), _ask(server, Range="bytes=10-") as response:
        assert response.headers.get_content_type() == "multipart/byteranges"
        assert response.headers["Content-Range"] is None


def test_a_refusal_may_ask_for_patience(server: ImageServer) -> None:
    """With a Retry-After, or without."""
    with server.fault(PATH, refusal(503, retry_after="7")), _ask(server) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "7")
    with server.fault(PATH, refusal(500)), _ask(server) as response:
        assert (response.status, response.headers["Retry-After"]) == (500, None)


def test_compressed_is_really_compressed(server: ImageServer) -> None:
    """And says so."""
    with server.fault(PATH, compressed(CONTENT)), _ask(server) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(response.read()) == CONTENT


def test_redirect_points_elsewhere(server: ImageServer) -> None:
    """With the status that was asked for."""
    with server.fault(PATH, redirect("/other", 308)), _ask(server) as response:
        assert (response.status, response.headers["Location"]) == (308, "/other")


def test_portal_is_a_web_page_with_200(server: ImageServer) -> None:
    """Whatever range was asked for."""
    with server.fault(PATH, portal()), _ask(server, Range="bytes=10-") as response:
        assert (response.status, response.headers.get_content_type()) == (200, "text/html")
        assert b"log in" in response.read()


def test_endless_does_not_end(server: ImageServer) -> None:
    """Chunk after chunk, far beyond the size of the image."""
    with server.fault(PATH, endless()), _ask(server) as response:
        assert len(response.read(5 * len(CONTENT))) == 5 * len(CONTENT)


def test_a_range_may_be_given_of_whatever_there_is_now(server: ImageServer) -> None:
    """A server that does not know If-Range mixes two versions."""
    with (
        server.fault(PATH, Fault(ignores_if_range=True)),
        _ask(server, Range="bytes=10-", If_Range='"old"') as response,
    ):
        assert response.status == 206


def test_faults_are_made_up_by_combining_fields(server: ImageServer) -> None:
    """Any field can be taken away or put in, and any body sent."""
    odd = Fault(status=299, headers={"ETag": None, "X-Odd": "1"}, body=b"odd")
    with server.fault(PATH, odd), _ask(server) as response:
        assert (response.status, response.headers["ETag"], response.headers["X-Odd"]) == (299, None, "1")
        assert response.read() == b"odd"


def test_a_cut_server_can_be_connected_to_again(server: ImageServer) -> None:
    """A fault costs one connection, not the server."""
    with server.fault(PATH, cut(0), times=1), _ask(server) as response:
        assert server.wait_for(lambda log: log[0].ended)
        with pytest.raises(ConnectionResetError):
            response.read()
    host, port = server.url("").removeprefix("http://").split(":")
    socket.create_connection((host, int(port))).close()
    with _ask(server) as response:
        assert response.read() == CONTENT
