"""One request for an image: where it may lead, whom it trusts, and what went wrong in words.

urllib3's connections are used without its pools: one connection per request needs none, and a pool logs the query of
each URL, which for a signed URL is the key to the file. No header, cookie or name that proves who we are is ever
sent, so a redirect to another host cannot carry any along.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
from contextlib import contextmanager, suppress
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NameResolutionError
from urllib3.util import Url, parse_url

from fwsm.device.download.answer import InterruptionError
from fwsm.errors import ArtifactError, DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from urllib3.response import HTTPResponse

__all__ = ["Request", "shown", "trust"]

_MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SHOWN_LENGTH: Final = 200

# OpenSSL's verification results (x509_vfy.h).
_WRONG_TIME: Final = frozenset({9, 10})  # not yet valid, expired
_WRONG_NAME: Final = frozenset({62, 64})  # host name, address


class _WithoutQuery(logging.Filter):
    """Keeps URLs out of urllib3's warning about header fields that it cannot parse."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "url=" not in str(record.msg)


logging.getLogger("urllib3.connection").addFilter(_WithoutQuery())


def shown(uri: str) -> str:
    """The address as it may stand in messages and logs: without query, credentials and fragment."""
    try:
        url = parse_url(uri)
    except HTTPError:
        return "an address that cannot be read"
    return Url(url.scheme, None, url.host, url.port, url.path).url[:_SHOWN_LENGTH]


def trust(ca_pem: str | None) -> ssl.SSLContext:
    """TLS with verification, against the system's authorities or against those in `ca_pem` instead."""
    try:
        return ssl.create_default_context(cadata=ca_pem)
    except ssl.SSLError as error:
        raise ArtifactError(
            "the authorities for the image server cannot be read", why="they are not PEM certificates"
        ) from error


class Request:
    """A GET that follows redirects. `open` and reading run in one thread, `abort` in any other.

    Args:
        uri: where the image is.
        headers: beside those that every request has.
        tls: from `trust`.
        allow_http: whether plain HTTP will do.
        timeout_s: how long each step on the network may take.
    """

    def __init__(
        self, uri: str, headers: Mapping[str, str], *, tls: ssl.SSLContext, allow_http: bool, timeout_s: float
    ) -> None:
        self._uri = uri
        # Without `identity` a proxy may compress, and byte ranges would count compressed bytes.
        self._headers = {"User-Agent": "fwsm", "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        self._tls = tls
        self._allow_http = allow_http
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None
        self._response: HTTPResponse | None = None
        self._socket: socket.socket | None = None
        self._aborted = False

    def open(self) -> HTTPResponse:
        """Send it and return the answer, its body unread.

        Raises:
            ArtifactError: it may not be sent there, or leads nowhere.
            DownloadError: the network or TLS failed.
        """
        uri = self._uri
        for _ in range(_MOST_REDIRECTS + 1):
            response = self._send(uri)
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return response
            self.close()
            try:
                target = urljoin(uri, location)
            except ValueError:
                target = location
            if uri.startswith("https:") and not target.startswith("https:"):
                raise ArtifactError(
                    f"{shown(uri)} redirects to {shown(target)}",
                    why="that would leave HTTPS",
                    fix="Let the server redirect to an https address",
                )
            uri = target
        raise ArtifactError(
            f"{shown(self._uri)} redirects more than {_MOST_REDIRECTS} times",
            fix="Give the final address of the image, or mend the server's redirects",
        )

    def read1(self, response: HTTPResponse, most_bytes: int) -> bytes:
        """The next bytes as soon as there are any; empty at the end.

        Raises:
            DownloadError: the network failed.
        """
        with _in_words(self._uri):
            return response.read1(most_bytes, decode_content=False)

    def abort(self) -> None:
        """Make the thread that waits in `open` or `read1` come back; its outcome is worth nothing.

        While a name is resolved, a connection made or hands are shaken, nothing can be done but wait for the timeout.
        """
        self._aborted = True
        if self._socket is not None:
            with suppress(OSError):
                # Not SSLSocket.shutdown: that would take TLS away under a thread that reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection; in the thread that reads."""
        for each in (self._response, self._connection):
            if each is not None:
                each.close()
        # An answer that urllib3 refuses to read keeps the socket, and nobody else knows that answer.
        if self._socket is not None and (descriptor := self._socket.detach()) >= 0:
            os.close(descriptor)

    def _send(self, uri: str) -> HTTPResponse:
        url = self._checked(uri)
        with _in_words(uri):
            connection = self._connection = self._connect_to(url)
            connection.connect()
            self._socket = connection.sock
            if self._aborted:
                raise TimeoutError
            connection.request("GET", url.request_uri, headers=self._headers, preload_content=False)
            self._response = connection.getresponse()
            return self._response

    def _connect_to(self, url: Url) -> HTTPConnection:
        host = (url.host or "").strip("[]")
        if url.scheme == "https":
            return HTTPSConnection(host, url.port or 443, timeout=self._timeout_s, ssl_context=self._tls)
        return HTTPConnection(host, url.port or 80, timeout=self._timeout_s)

    def _checked(self, uri: str) -> Url:
        try:
            url = parse_url(uri)
        except HTTPError:
            url = Url()
        schemes = ("https", "http") if self._allow_http else ("https",)
        if url.scheme not in schemes or not url.host:
            raise ArtifactError(
                f"the image cannot be loaded from {shown(uri)}",
                why=f"its address must begin with {' or '.join(f'{scheme}://' for scheme in schemes)} and name a host",
                fix="Start a new update with such an address",
            )
        return url


@contextmanager
def _in_words(uri: str) -> Iterator[None]:
    """Turn what the network, TLS and HTTP raise into a DownloadError."""
    try:
        yield
    except (HTTPError, HTTPException, OSError, UnicodeError) as error:
        # The original text is left out: urllib3 puts addresses with their query into some.
        raise _explained(error, shown(uri)) from None


def _explained(error: BaseException, where: str) -> DownloadError:
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _untrusted(cause, where)
    broke = f"the connection to {where} failed"
    for cause in chain:
        if isinstance(cause, NameResolutionError | socket.gaierror):
            return InterruptionError(broke, why="its host name cannot be resolved", fix="Check DNS and the network")
        if isinstance(cause, TimeoutError):
            return InterruptionError(broke, why="the server did not answer in time")
        if isinstance(cause, ssl.SSLError):
            return InterruptionError(broke, why=f"TLS: {cause.reason or 'the handshake failed'}")
    for cause in chain:
        if isinstance(cause, OSError) and cause.strerror:
            return InterruptionError(broke, why=cause.strerror)
    return InterruptionError(broke, why="the server closed it in the middle of an answer")


def _untrusted(error: ssl.SSLCertVerificationError, where: str) -> DownloadError:
    if error.verify_code in _WRONG_TIME:
        fix = "Check this device's clock first, then the server's certificate"
    elif error.verify_code in _WRONG_NAME:
        fix = "Use the name that stands in the server's certificate"
    else:
        fix = "Give the authority that signed the server's certificate to the download (ca_pem)"
    return DownloadError(f"the server at {where} is not trusted", why=error.verify_message, fix=fix)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it was raised from or carries; urllib3 does both."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) not in seen:
            seen.add(id(each))
            yield each
            linked = (each.__cause__, each.__context__, *each.args)
            waiting.extend(link for link in linked if isinstance(link, BaseException))
