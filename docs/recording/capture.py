"""Runs a program in a real terminal of a fixed size, and keeps what it writes and when."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Capture", "Size", "Written", "capture"]

_PIECE_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Size:
    """Of a terminal, in characters."""

    columns: int
    rows: int


@dataclass(frozen=True, slots=True)
class Written:
    """Something that the program has written: when, in seconds from its start, and what, as the terminal gets it."""

    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Capture:
    """A program's whole output, and its exit code; -N if it was ended by the signal N."""

    size: Size
    written: tuple[Written, ...]
    code: int


def capture(command: Sequence[str], size: Size, variables: Mapping[str, str] | None = None) -> Capture:
    """Run a program to its end.

    Raises:
        OSError: it cannot be started.
    """
    ours, its = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", size.rows, size.columns, 0, 0))
            began_s = time.monotonic()
            process = subprocess.Popen(
                command,
                stdin=its,
                stdout=its,
                stderr=its,
                start_new_session=True,
                env=_clean() | {"TERM": "xterm-256color", "PYTHONUNBUFFERED": "1", **(variables or {})},
            )
        finally:
            os.close(its)
        with process:
            written = tuple(Written(at_s - began_s, text) for at_s, text in _texts(terminal.fileno()))
    return Capture(size, written, process.returncode)


def _clean() -> dict[str, str]:
    """Our environment without what would change the size, take the colours away, or set the program up otherwise."""
    unwanted = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"}
    return {name: value for name, value in os.environ.items() if name not in unwanted and not name.startswith("FWSM_")}


def _texts(terminal: int) -> Iterator[tuple[float, str]]:
    """What comes out, and when; no character is cut in two."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with suppress(OSError):  # Linux says so when nobody holds the other end any more
        while piece := os.read(terminal, _PIECE_BYTES):
            yield time.monotonic(), decoder.decode(piece)
