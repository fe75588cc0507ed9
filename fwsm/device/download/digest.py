"""Reads a file and hashes it, in pieces, so that it can be broken off."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO

__all__ = ["Digest"]

_PIECE_BYTES: Final = 1024 * 1024


class Digest:
    """A SHA-256 that knows how many bytes have gone into it.

    Attributes:
        bytes: how many.
    """

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = hashlib.sha256()

    def add(self, data: bytes | bytearray | memoryview) -> None:
        """Go on with these bytes."""
        self._hash.update(data)
        self.bytes += len(data)

    def add_file(self, file: FileIO, most_bytes: int, check: Callable[[], None]) -> None:
        """Go on with a file from where it stands, up to its end or `most_bytes`; `check` may raise between pieces."""
        buffer = memoryview(bytearray(min(_PIECE_BYTES, most_bytes)))
        while most_bytes > 0:
            check()
            count = file.readinto(buffer[:most_bytes]) or 0
            if not count:
                return
            self.add(buffer[:count])
            most_bytes -= count

    @property
    def sha256(self) -> str:
        """64 lower-case hex digits."""
        return self._hash.hexdigest()
