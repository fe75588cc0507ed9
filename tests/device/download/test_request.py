"""Requests: where they lead, whom they trust, and what their errors say and keep to themselves."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fwsm.device.download.answer import InterruptionError
from fwsm.device.download.request import Request, shown, trust
from fwsm.errors import ArtifactError, DownloadError
from fwsm.testing.image_faults import Fault, redirect, stall
from fwsm.testing.image_server import ImageServer
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATH = "/fw.bin"


def _request(uri: str, ca_pem: str | None, *, allow_http: bool = False, timeout_s: float = PATIENCE_S) -> Request:
    return Request(uri, {}, tls=trust(ca_pem), allow_http=allow_http, timeout_s=timeout_s)


def _get(request: Request) -> bytes:
    try:
        response = request.open()
        return b"".join(iter(lambda: request.read1(response, 65536), b""))
    finally:
        request.close()


@pytest.fixture
def raw(loopback: Callable[[], str]) -> Iterator[Callable[[bytes], str]]:
    """Return a function that answers one connection with given bytes, and tells the address."""
    threads: list[threading.Thread] = []

    def serve(answer: bytes) -> str:
        listener = socket.create_server((loopback(), 0))
        host, port = listener.getsockname()

        def run() -> None:
            with listener, listener.accept()[0] as connection:
                connection.recv(65536)
                connection.sendall(answer)

        threads.append(threading.Thread(target=run))
        threads[-1].start()
        return f"http://{host}:{port}/f?sig=secret"

    yield serve
    for thread in threads:
        thread.join(PATIENCE_S)


def test_what_is_shown_of_an_address_is_no_secret() -> None:
    """Query, credentials and fragment may open doors; they are never shown."""
    assert shown("https://user:word@host:8443/a/b?sig=secret#x") == "https://host:8443/a/b"
    assert "secret" not in shown("https://host:port?sig=secret")
    assert len(shown("https://host/" + "a" * 10_000)) == 200


@pytest.mark.parametrize(
    "uri", ["http://h/f", "ftp://h/f", "file:///etc/passwd", "https://", "fw.bin", "", "https://[::1/f?sig=secret"]
)
def test_an_address_that_will_not_do_is_refused(uri: str) -> None:
    """Only https, unless plain HTTP has been allowed; no file of this machine, ever."""
    with pytest.raises(ArtifactError, match="must begin with https://") as caught:
        _request(uri, None).open()
    assert type(caught.value) is ArtifactError
    assert "secret" not in str(caught.value)


def test_plain_http_is_possible_where_it_is_allowed(loopback: Callable[[], str]) -> None:
    """Some plants have no TLS; then it takes a setting."""
    with ImageServer(loopback(), {PATH: b"image"}, tls=False) as server:
        assert _get(_request(server.url(PATH), None, allow_http=True)) == b"image"


def test_redirects_are_followed(server: ImageServer, content: bytes) -> None:
    """To relative and absolute addresses."""
    with server.fault("/a", redirect("b", 307)), server.fault("/b", redirect(server.url(PATH), 301)):
        assert _get(_request(server.url("/a?sig=secret"), server.ca_pem)) == content
    assert [request.path for request in server.requests] == ["/a?sig=secret", "/b", PATH]


def test_a_redirect_loop_ends(server: ImageServer) -> None:
    """After five of them it is no use."""
    with server.fault("/a", redirect("/a")), pytest.raises(ArtifactError, match="more than 5 times"):
        _request(server.url("/a"), server.ca_pem).open()
    assert len(server.requests) == 6


@pytest.mark.parametrize("location", ["http://h/f?sig=secret", "file:///etc/passwd", "http://[broken"])
def test_a_redirect_never_leaves_https(server: ImageServer, location: str) -> None:
    """Even where plain HTTP is allowed: who began with HTTPS meant it."""
    request = _request(server.url("/a"), server.ca_pem, allow_http=True)
    with server.fault("/a", redirect(location)), pytest.raises(ArtifactError, match="leave HTTPS") as caught:
        request.open()
    request.close()
    assert "secret" not in str(caught.value)


def test_an_unknown_authority_is_not_trusted(server: ImageServer) -> None:
    """The message names the setting that helps, and time alone does not."""
    with pytest.raises(DownloadError, match="ca_pem") as caught:
        _get(_request(server.url(PATH), None))
    assert not isinstance(caught.value, InterruptionError)
    assert server.requests == ()


def test_a_certificate_for_another_name_is_not_trusted(loopback: Callable[[], str], content: bytes) -> None:
    """A server whose certificate speaks of another address is somebody else."""
    with ImageServer("0.0.0.0", {PATH: content}) as server:
        uri = server.url(PATH).replace("0.0.0.0", loopback())
        with pytest.raises(DownloadError, match="name that stands in"):
            _get(_request(uri, server.ca_pem))


def _expired(address: str) -> tuple[bytes, bytes]:
    """A certificate that ran out in 2001, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2000, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2001, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), plain


def test_an_expired_certificate_points_to_the_clock(loopback: Callable[[], str], tmp_path: Path) -> None:
    """On a device it is the clock that is wrong more often than the server."""
    address = loopback()
    certificate, key = _expired(address)
    (tmp_path / "server.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with socket.create_server((address, 0)) as listener:

        def shake_hands() -> None:
            with listener.accept()[0] as connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=shake_hands)
        thread.start()
        uri = f"https://{address}:{listener.getsockname()[1]}/f"
        with pytest.raises(DownloadError, match=r"expired.*clock first") as caught:
            _get(_request(uri, certificate.decode()))
        thread.join(PATIENCE_S)
    assert not isinstance(caught.value, InterruptionError)


def test_bad_authorities_are_an_error() -> None:
    """What is no PEM is said at once, not at the first download."""
    with pytest.raises(ArtifactError, match="not PEM"):
        trust("no certificate")


def test_a_refused_connection_says_so(loopback: Callable[[], str]) -> None:
    """Nobody listens there."""
    with pytest.raises(InterruptionError, match="Connection refused"):
        _request(f"https://{loopback()}:1/f?sig=secret", None).open()


def test_a_silent_server_is_a_timeout(server: ImageServer) -> None:
    """No step on the network takes longer than it may."""
    request = _request(server.url(PATH), server.ca_pem, timeout_s=0.1)
    with server.fault(PATH, stall()), pytest.raises(InterruptionError, match="in time"):
        _get(request)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_a_broken_answer_is_an_interruption(raw: Callable[[bytes], str], answer: bytes) -> None:
    """Whatever a server or a cut line makes of HTTP comes out as one kind of error, without the secret."""
    with pytest.raises(InterruptionError) as caught:
        _get(_request(raw(answer), None, allow_http=True))
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_query_is_never_logged(raw: Callable[[bytes], str], caplog: pytest.LogCaptureFixture) -> None:
    """Not at the lowest level, and not when urllib3 complains about header fields."""
    caplog.set_level(logging.DEBUG)
    uri = raw(b"HTTP/1.1 200 OK\r\nno colon\r\nContent-Length: 2\r\n\r\nab")
    _get(_request(uri, None, allow_http=True))
    assert "secret" not in caplog.text


def test_only_harmless_fields_are_sent(loopback: Callable[[], str]) -> None:
    """No cookie, no credentials, and no compression."""
    listener = socket.create_server((loopback(), 0))
    received: list[bytes] = []

    def run() -> None:
        with listener, listener.accept()[0] as connection:
            received.append(connection.recv(65536))

    thread = threading.Thread(target=run)
    thread.start()
    host, port = listener.getsockname()
    with pytest.raises(InterruptionError):
        _request(f"http://user:word@{host}:{port}/f", None, allow_http=True).open()
    thread.join(PATIENCE_S)
    names = {line.partition(b":")[0].lower() for line in received[0].split(b"\r\n")[1:] if line}
    assert names == {b"host", b"user-agent", b"accept", b"accept-encoding"}
    assert b"identity" in received[0]


def test_aborting_frees_a_thread_that_reads(server: ImageServer) -> None:
    """Long before its timeout."""
    request = _request(server.url(PATH), server.ca_pem, timeout_s=3600.0)
    outcome: list[object] = []

    def read() -> None:
        try:
            outcome.append(_get(request))
        except DownloadError as error:
            outcome.append(error)

    with server.fault(PATH, stall(1000)):
        thread = threading.Thread(target=read)
        thread.start()
        assert server.wait_for(lambda log: bool(log) and log[0].sent_bytes == 1000)
        request.abort()
        thread.join(PATIENCE_S)
    assert len(outcome) == 1


def test_a_status_that_looks_like_a_redirect_but_leads_nowhere_is_an_answer(server: ImageServer) -> None:
    """It is judged like any other."""
    with server.fault(PATH, Fault(status=302, body=b"")):
        request = _request(server.url(PATH), server.ca_pem)
        assert request.open().status == 302
        request.close()
