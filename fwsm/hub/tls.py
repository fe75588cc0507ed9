"""TLS between a socket and a protocol, by way of OpenSSL.

asyncio's own TLS cannot do what IoT Hub does: it either asks for no client certificate, or refuses those that no known
authority has signed. IoT Hub knows a device by the thumbprint of a certificate that the device may have signed
itself, or by an authority that its owner has registered. So this server asks every client for one and takes what comes,
or nothing; that the client holds the key is proved by the handshake, and who it is is decided behind it (see
`admission`). It also keeps no buffers of its own: asyncio's TLS holds 256 KiB a connection, and a hub has thousands of
idle ones.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, cast

from cryptography import x509
from OpenSSL import SSL

from fwsm.hub.shown import NOTHING_SHOWN, ShownCertificate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["CERTIFICATE", "TlsDoor", "tls_context"]

# The name under which a transport tells what certificate the client has shown (`get_extra_info`).
CERTIFICATE = "certificate"

_HANDSHAKE_WITHIN_S = 20.0
# How long a peer may take to close its side after our goodbye before the socket is torn down.
_GOODBYE_WITHIN_S = 2.0

_READ_BYTES = 64 * 1024
_RECORD_BYTES = 16 * 1024
# The largest record with its header, padding and tag.
_SEALED_BYTES = _RECORD_BYTES + 512
# SSL_MODE_RELEASE_BUFFERS of OpenSSL's ssl.h, which pyOpenSSL has no name for: idle connections give buffers back.
_RELEASE_BUFFERS = 0x10

_log = logging.getLogger(__name__)


def tls_context(path: Path) -> SSL.Context:
    """Return the server's side of TLS 1.2 and 1.3; `path` holds its key and certificate in PEM."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION)
    context.set_mode(_RELEASE_BUFFERS)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate_file(str(path))
    context.use_privatekey_file(str(path))
    context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
    return context


class TlsDoor:
    """Wraps the connections of one kind into TLS, and knows those that live.

    Args:
        name: what the log calls it.
        context: the server's side of TLS (see `tls_context`).
        protocol: makes the protocol that reads what was decrypted.
    """

    def __init__(self, name: str, context: SSL.Context, protocol: Callable[[], asyncio.Protocol]) -> None:
        self.name = name
        self.context = context
        self.inner = protocol
        self.live: set[asyncio.Transport] = set()
        # For all connections: OpenSSL has taken it over before the next one is read. A fresh one a read, as asyncio
        # makes it otherwise, costs more than all that is done with a small message.
        self.sealed = memoryview(bytearray(_READ_BYTES))

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new socket."""
        return _TlsConnection(self)

    def transports(self) -> list[asyncio.Transport]:
        """Return the sockets' transports, also of those whose handshake goes on."""
        return list(self.live)


class _TlsConnection(asyncio.Transport, asyncio.Protocol, asyncio.BufferedProtocol):
    """One connection: to the socket a protocol, to the protocol behind it a transport."""

    _raw: asyncio.Transport
    _inner: asyncio.Protocol
    _timer: asyncio.TimerHandle

    def __init__(self, door: TlsDoor) -> None:
        super().__init__()
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._tls = SSL.Connection(door.context)
        self._tls.set_accept_state()
        self._open = False
        self._closing = False
        self._paused = False

    # What the socket calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._raw = cast("asyncio.Transport", transport)
        self._door.live.add(self._raw)
        self._timer = self._loop.call_later(_HANDSHAKE_WITHIN_S, self._raw.abort)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - it is large
        return self._door.sealed

    def buffer_updated(self, nbytes: int) -> None:
        self._take(self._door.sealed[:nbytes])

    def data_received(self, data: bytes) -> None:  # of a door before this one
        self._take(data)

    def eof_received(self) -> None:
        # The socket closes itself now.
        self._closing = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._closing = True
        self._timer.cancel()
        self._door.live.discard(self._raw)
        if self._open:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._open:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._open:
            self._inner.resume_writing()

    # What the protocol behind calls.

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        if name == CERTIFICATE:
            return _shown(self._tls)
        if name == "sslcontext":
            return self._door.context
        return self._raw.get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._inner = cast("asyncio.Protocol", protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._inner

    def is_closing(self) -> bool:
        return self._closing or self._raw.is_closing()

    def is_reading(self) -> bool:
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        self._paused = True
        if not self.is_closing():
            self._raw.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            if not self.is_closing():
                self._raw.resume_reading()
                self._loop.call_soon(self._read)  # what was decrypted but not taken

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_closing():
            return
        sent = self._tls.send(data) if data else 0
        while sent < len(data):  # a record holds no more
            sent += self._tls.send(memoryview(data)[sent:])
        self._flush()

    def get_write_buffer_size(self) -> int:
        return self._raw.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._raw.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._raw.set_write_buffer_limits(high, low)

    def can_write_eof(self) -> bool:
        return False

    def close(self) -> None:
        """Say goodbye, and leave the peer a moment to read it: closing at once would throw unread bytes back at it."""
        if self.is_closing():
            return
        self._closing = True
        self._tls.shutdown()
        self._flush()
        self._raw.resume_reading()
        with contextlib.suppress(OSError):  # the peer was faster
            self._raw.write_eof()
        self._timer.cancel()
        self._timer = self._loop.call_later(_GOODBYE_WITHIN_S, self._raw.abort)

    def abort(self) -> None:
        self._closing = True
        self._raw.abort()

    def _shake_hands(self) -> bool:
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return False
        except SSL.Error as error:
            _log.info("%s: no TLS with a peer: %s", self._door.name, error)
            self._flush()  # the alert
            self._closing = True
            self._raw.close()
            return False
        self._flush()
        self._timer.cancel()
        self._open = True
        self._inner = self._door.inner()
        self._inner.connection_made(self)
        return True

    def _take(self, sealed: bytes | memoryview) -> None:
        if self._closing:
            return
        self._tls.bio_write(sealed)
        if self._open or self._shake_hands():
            self._read()

    def _read(self) -> None:
        """Hand over what can be decrypted, all records in one piece."""
        if self._paused or self._closing:
            return
        records: list[bytes] = []
        ending = None
        try:
            while True:
                records.append(self._tls.recv(_RECORD_BYTES))
        except SSL.WantReadError:
            if not records:
                self._flush()  # what was no data may want an answer, such as a change of keys
        except SSL.ZeroReturnError:
            ending = self.close
        except SSL.Error as error:
            _log.info("%s: a peer broke TLS: %s", self._door.name, error)
            self._flush()
            ending = self.abort
        if records:
            self._inner.data_received(b"".join(records))
        if ending is not None:
            ending()

    def _flush(self) -> None:
        size = _SEALED_BYTES
        while size == _SEALED_BYTES:
            try:
                sealed = self._tls.bio_read(_SEALED_BYTES)
            except SSL.WantReadError:
                return
            size = len(sealed)
            self._raw.write(sealed)


def _shown(tls: SSL.Connection) -> ShownCertificate:
    """Return what the peer has shown. OpenSSL lets through what is not to be read; it proves nothing."""
    try:
        own = tls.get_peer_certificate(as_cryptography=True)
        others = tls.get_peer_cert_chain(as_cryptography=True) or ()
        return NOTHING_SHOWN if own is None else ShownCertificate.of(own, *others)
    except (ValueError, x509.InvalidVersion):
        return NOTHING_SHOWN
