"""Reads one answer in a thread of its own.

A name that does not resolve, a handshake that hangs and a server that goes silent all block inside the system, where
no stop event reaches. So the reading thread may hang, and the thread that asked for it never waits longer than it
said. A pump that is closed is cut from its socket and left to end by itself: it owns nothing else.

The two share one buffer. While the caller hashes and writes, it fills; the caller then takes all of it. So pieces are
large when the network is fast, and nothing that came waits for more to come when it is slow.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from fwsm.device.download.answer import Head

if TYPE_CHECKING:
    from fwsm.device.download.request import Request

__all__ = ["Pump"]

_READ_BYTES: Final = 64 * 1024  # a TLS record has 16 KiB, so more brings nothing
_PIECE_BYTES: Final = 512 * 1024  # worth waking the caller for
_MOST_BYTES: Final = 1024 * 1024  # bounds the memory when the disk is slower than the network


class Pump:
    """The answer to one request. Everything but the reading happens in the caller's thread."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._changed = threading.Condition()
        self._head: Head | None = None
        self._buffer = bytearray()
        self._error: Exception | None = None
        self._ended = False
        self._closed = False
        # A daemon: a program must be able to end while a name is being resolved.
        self._thread = threading.Thread(target=self._run, name="fwsm-pump", daemon=True)
        self._thread.start()

    def head(self, timeout_s: float) -> Head | None:
        """Status and header fields; None if they have not come within `timeout_s`.

        Raises:
            ArtifactError: the request failed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._head or self._ended, timeout_s)
            if self._head is None and self._error is not None:
                raise self._error
            return self._head

    def take(self, timeout_s: float) -> bytearray | None:
        """What has come since the last call, waiting up to `timeout_s` for a large piece; None at the end.

        Raises:
            ArtifactError: the transfer failed; all that came before has been taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._buffer) >= _PIECE_BYTES, timeout_s)
            piece, self._buffer = self._buffer, bytearray()
            self._changed.notify_all()
            if piece or not self._ended:
                return piece
            if self._error is not None:
                raise self._error
            return None

    def close(self) -> None:
        """Stop reading; returns at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._request.abort()

    def _run(self) -> None:
        error: Exception | None = None
        try:
            self._read()
        except Exception as caught:  # noqa: BLE001 - raised again in the caller's thread, bugs included
            error = caught
        finally:
            self._request.close()
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()

    def _read(self) -> None:
        response = self._request.open()
        with self._changed:
            self._head = Head(response.status, response.headers)
            self._changed.notify_all()
        while data := self._request.read1(response, _READ_BYTES):
            with self._changed:
                self._buffer += data
                if len(self._buffer) >= _PIECE_BYTES:
                    self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed or len(self._buffer) < _MOST_BYTES)
                if self._closed:
                    return
