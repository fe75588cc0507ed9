"""What an image server serves, what it is to do wrong, and what it has done: the state that its threads share."""

from __future__ import annotations

import hashlib
import io
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from fwsm.testing.image_faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Image", "Served", "Shelf", "asked_span"]

_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Served:
    """One request and what became of it.

    Attributes:
        path: with its query.
        range, if_range: these header fields; None without.
        status: of the answer; 0 before there is one.
        sent_bytes: how many bytes of a body have gone out; grows while the answer is under way.
        ended: whether the answer is over, well or not.
    """

    path: str
    range: str | None
    if_range: str | None
    status: int = 0
    sent_bytes: int = 0
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Image:
    """Something to be served: bytes, or a file."""

    content: bytes | Path

    def open(self) -> BinaryIO:
        """Open it for reading."""
        return io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")

    @property
    def tag(self) -> str:
        """A strong entity tag. That of a file goes by its size and time, so that a large one need not be read."""
        if isinstance(self.content, bytes):
            return f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'
        status = self.content.stat()
        return f'"{status.st_size:x}-{status.st_mtime_ns:x}"'


def asked_span(text: str, total: int) -> range | None:
    """Which bytes a Range field asks for; empty if there are none, None for the whole.

    A field that cannot be read, or asks for several ranges, is ignored (RFC 9110, 14.2).
    """
    match = _RANGE.fullmatch(text)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(0, total - int(match[2])), total)
    first = int(match[1])
    if not match[2]:
        return range(first, total)
    return range(first, min(int(match[2]) + 1, total)) if first <= int(match[2]) else None


@dataclass(eq=False)
class _Planned:
    """A fault that waits for its requests."""

    path: str
    fault: Fault
    skip: int
    times: int | None

    def strikes(self) -> bool:
        """Whether the request that has just come is one of its own."""
        if self.skip:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Shelf:
    """Images, faults and the log; everything may be called by any thread.

    Attributes:
        bytes_per_s: the speed of each answer; None for no bound.
        closing: set when the server ends; whoever waits, waits on it.
    """

    def __init__(self, files: Mapping[str, bytes | Path], bytes_per_s: float | None) -> None:
        self.bytes_per_s = bytes_per_s
        self.closing = threading.Event()
        self._images = {path: Image(content) for path, content in files.items()}
        self._log: list[Served] = []
        self._faults: list[_Planned] = []
        self._changed = threading.Condition()

    def put(self, path: str, content: bytes | Path) -> None:
        """Add an image, or replace one."""
        with self._changed:
            self._images[path] = Image(content)

    @contextmanager
    def fault(self, path: str, fault: Fault, skip: int, times: int | None) -> Iterator[None]:
        """Plan a fault, while the context lasts."""
        planned = _Planned(path, fault, skip, times)
        with self._changed:
            self._faults.append(planned)
        try:
            yield
        finally:
            with self._changed:
                self._faults.remove(planned)

    def log(self) -> Sequence[Served]:
        """Every request so far, in the order in which they came."""
        with self._changed:
            return tuple(self._log)

    def wait_for(self, holds: Callable[[Sequence[Served]], bool], timeout_s: float) -> bool:
        """Wait until the log is as wished; False if it was not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: holds(tuple(self._log)), timeout_s)

    def take(self, served: Served) -> tuple[int, Image | None, Fault]:
        """Log a request: its number, what it asks for, and what is to go wrong with it."""
        path = served.path.partition("?")[0]
        with self._changed:
            self._log.append(served)
            self._changed.notify_all()
            planned = next((each for each in self._faults if each.path == path and each.strikes()), None)
            return len(self._log) - 1, self._images.get(path), planned.fault if planned else Fault()

    def note(self, number: int, **changes: Any) -> None:
        """Log what becomes of a request."""
        with self._changed:
            self._log[number] = replace(self._log[number], **changes)
            self._changed.notify_all()
