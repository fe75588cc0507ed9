"""An HTTPS server for images that does everything right, until it is told what to do wrong.

    with ImageServer("127.9.0.1", {"/fw.bin": content}) as server:
        with server.fault("/fw.bin", cut(after_bytes=1000), times=1):
            download(server.url("/fw.bin"), trusting=server.ca_pem)
        assert [request.range for request in server.requests] == [None, "bytes=1000-"]

It is a real server on a real socket with real TLS: ranges, entity tags, If-Range, a bound on the speed, and a log of
what was sent, which proves that nothing was loaded twice. Each connection serves one request. Its own authority is
made at the start and vanishes with it. Needs the extra `hub`.
"""

from __future__ import annotations

import io
import socket
import ssl
import struct
import threading
import time
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

from fwsm.hub.certificates import Authority, server_context
from fwsm.hub.home import Home
from fwsm.testing.image_faults import Fault
from fwsm.testing.image_shelf import Image, Served, Shelf, asked_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

__all__ = ["ImageServer", "Served"]

_SLICE_BYTES: Final = 256 * 1024
_SLICES_PER_S: Final = 20  # so that a bound on the speed flows evenly
_CLIENT_IDLE_S: Final = 30.0
_GOODBYE_S: Final = 1.0
_POLL_S: Final = 0.02  # how long it may take to notice the end
_MODIFIED: Final = "Wed, 01 Jan 2025 00:00:00 GMT"


class ImageServer:
    """Serves images on one address; a context manager. Everything may be called while it serves, by any thread.

    Args:
        address: a loopback address.
        files: content or file by path; a path begins with a slash.
        bytes_per_s: the speed of each answer; None for no bound.
        tls: False for plain HTTP.
        port: 0 for any that is free.

    Attributes:
        port: where it listens.
        ca_pem: the authority to trust; empty without TLS.

    Raises:
        OSError: the address cannot be listened on.
    """

    def __init__(
        self,
        address: str,
        files: Mapping[str, bytes | Path],
        *,
        bytes_per_s: float | None = None,
        tls: bool = True,
        port: int = 0,
    ) -> None:
        self._shelf = Shelf(files, bytes_per_s)
        self.ca_pem, context = _identity(address) if tls else ("", None)
        self._listener = _Listener((address, port), self._shelf, context)
        self.port: int = self._listener.server_address[1]
        self._origin = f"{'https' if tls else 'http'}://{address}:{self.port}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(_POLL_S,), name="fwsm-images")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._shelf.closing.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.hang_up()
        self._listener.server_close()

    def url(self, path: str) -> str:
        """The address of a file."""
        return self._origin + path

    @property
    def bytes_per_s(self) -> float | None:
        """The speed of each answer; a change holds at once."""
        return self._shelf.bytes_per_s

    @bytes_per_s.setter
    def bytes_per_s(self, speed: float | None) -> None:
        self._shelf.bytes_per_s = speed

    def put(self, path: str, content: bytes | Path) -> None:
        """Add a file, or replace one; answers that are under way go on with the old content."""
        self._shelf.put(path, content)

    def fault(
        self, path: str, fault: Fault, *, skip: int = 0, times: int | None = None
    ) -> AbstractContextManager[None]:
        """Do something wrong, while the context lasts.

        Args:
            path: for which file.
            fault: what; see fwsm.testing.image_faults.
            skip: so many requests are answered well first.
            times: then so many wrong; None for all.
        """
        return self._shelf.fault(path, fault, skip, times)

    @property
    def requests(self) -> Sequence[Served]:
        """Every request so far, in the order in which they came."""
        return self._shelf.log()

    def wait_for(self, holds: Callable[[Sequence[Served]], bool], timeout_s: float = 30.0) -> bool:
        """Wait until the log of requests is as wished; False if it was not within `timeout_s`."""
        return self._shelf.wait_for(holds, timeout_s)


def _identity(address: str) -> tuple[str, ssl.SSLContext]:
    """A new authority's certificate, and the TLS of a server that it vouches for."""
    home = Home(None)
    try:
        authority = Authority.kept_in(home)
        return authority.path.read_text("ascii"), server_context(authority, address, home)
    finally:
        home.close()


class _Listener(ThreadingHTTPServer):
    """The socket, and a thread for each connection; all of them have ended when it is closed."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], shelf: Shelf, tls: ssl.SSLContext | None) -> None:
        self.shelf = shelf
        self.tls = tls
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer's own would look up the name of the address.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        # No shutdown first: it would send an orderly end where a reset is wanted.
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what this server is for."""

    def hang_up(self) -> None:
        """End what still waits for a client."""
        with self._lock:
            for request in self._open:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: _Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second must not wait for an acknowledgement

    def setup(self) -> None:
        self._reset = False
        self.request.settimeout(_CLIENT_IDLE_S)
        if self.server.tls is not None:
            # In the connection's own thread, so that a client that does not shake hands holds up nobody. On a copy:
            # wrapping takes a socket apart, and `hang_up` needs it whole.
            self.request = self.server.tls.wrap_socket(self.request.dup(), server_side=True)
        super().setup()

    def finish(self) -> None:
        with suppress(OSError):
            super().finish()
        if isinstance(self.request, ssl.SSLSocket):
            with suppress(OSError):
                if not self._reset:
                    self.request.settimeout(_GOODBYE_S)
                    self.request.unwrap()
            self.request.close()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the superclass's
        """The log is `ImageServer.requests`."""

    def do_GET(self) -> None:
        """Answer, well or not."""
        self.close_connection = True
        served = Served(self.path, self.headers.get("Range"), self.headers.get("If-Range"))
        self._sent_bytes = 0
        self._number, image, fault = self.server.shelf.take(served)
        try:
            self._answer(image, fault)
        finally:
            self.server.shelf.note(self._number, ended=True)

    def _answer(self, image: Image | None, fault: Fault) -> None:
        if image is None and fault.status is None:
            fault = Fault(status=HTTPStatus.NOT_FOUND, body=b"no such image\n")
        image = image or Image(b"")
        with image.open() as whole:
            total = whole.seek(0, io.SEEK_END)
            span = self._span(image, total, fault)
            status = fault.status or _status(span)
            body: BinaryIO = whole
            place = span or range(total)
            if fault.body is not None or status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                body = io.BytesIO(fault.body or b"")
                place = range(len(fault.body or b""))
            fields: dict[str, str | None] = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(len(place)),
                "Content-Range": _content_range(status, place, total),
                "Accept-Ranges": "bytes",
                "ETag": image.tag,
                "Last-Modified": _MODIFIED,
                "Connection": "close",
            }
            if fault.endless:
                fields |= {"Content-Length": None, "Transfer-Encoding": "chunked"}
            self._send_head(status, {**fields, **fault.headers})
            self._send_body(body, place, fault)

    def _span(self, image: Image, total: int, fault: Fault) -> range | None:
        current = fault.ignores_if_range or self.headers.get("If-Range") in {None, image.tag, _MODIFIED}
        return asked_span(self.headers.get("Range", ""), total) if current and not fault.ignores_range else None

    def _send_head(self, status: int, fields: Mapping[str, str | None]) -> None:
        self.server.shelf.note(self._number, status=status)
        self.send_response(status)
        for name, value in fields.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()

    def _send_body(self, body: BinaryIO, place: range, fault: Fault) -> None:
        limits = (fault.resets_after_bytes, fault.ends_after_bytes, fault.silent_after_bytes)
        body.seek(place.start)
        while fault.endless and not self.server.shelf.closing.is_set():
            self._send(body, len(place), chunked=True)
            body.seek(place.start)
        self._send(body, min([len(place), *(limit for limit in limits if limit is not None)]))
        if fault.resets_after_bytes is not None:
            # With this option set, closing sends a reset in place of an end.
            self._reset = True
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if fault.silent_after_bytes is not None:
            self.server.shelf.closing.wait(_CLIENT_IDLE_S)

    def _send(self, body: BinaryIO, count: int, *, chunked: bool = False) -> None:
        shelf = self.server.shelf
        while count > 0 and not shelf.closing.is_set():
            began_s, speed = time.monotonic(), shelf.bytes_per_s
            data = body.read(min(count, _SLICE_BYTES if speed is None else max(1, int(speed / _SLICES_PER_S))))
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
            count -= len(data)
            self._sent_bytes += len(data)
            shelf.note(self._number, sent_bytes=self._sent_bytes)
            if speed is not None:
                shelf.closing.wait(max(0.0, began_s + len(data) / speed - time.monotonic()))


def _status(span: range | None) -> int:
    if span is None:
        return HTTPStatus.OK
    return HTTPStatus.PARTIAL_CONTENT if span else HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def _content_range(status: int, place: range, total: int) -> str | None:
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return f"bytes */{total}"
    return f"bytes {place.start}-{place.stop - 1}/{total}" if status == HTTPStatus.PARTIAL_CONTENT else None
