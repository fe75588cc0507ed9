"""What an image server can do wrong, by name.

Each function gives a `Fault` for `ImageServer.fault`. A fault is a value that says where an answer departs from the
right one, so they can be combined or made up: `Fault(headers={"ETag": None}, ignores_range=True)`.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Fault",
    "compressed",
    "cut",
    "endless",
    "multipart",
    "no_ranges",
    "portal",
    "redirect",
    "refusal",
    "stall",
    "truncated",
    "wrong_range",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How an answer departs from the right one.

    Attributes:
        status: in place of the right one.
        headers: in place of the right fields or beside them; None takes a field away.
        body: in place of the right one, whole.
        ignores_range: send the whole, with 200.
        ignores_if_range: send the range of whatever there is now.
        resets_after_bytes: reset the connection after so many bytes of the body.
        ends_after_bytes: end the connection in good order after so many bytes of the body.
        silent_after_bytes: send nothing more after so many bytes of the body, and keep the connection.
        endless: send the body again and again, chunked, without an end.
    """

    status: int | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    body: bytes | None = None
    ignores_range: bool = False
    ignores_if_range: bool = False
    resets_after_bytes: int | None = None
    ends_after_bytes: int | None = None
    silent_after_bytes: int | None = None
    endless: bool = False


def cut(after_bytes: int) -> Fault:
    """The connection is reset; what the client had not read by then is lost as well."""
    return Fault(resets_after_bytes=after_bytes)


def truncated(after_bytes: int) -> Fault:
    """The body is too short, and the connection ends as if all were well."""
    return Fault(ends_after_bytes=after_bytes)


def stall(after_bytes: int = 0) -> Fault:
    """The server goes silent in the middle of the body."""
    return Fault(silent_after_bytes=after_bytes)


def no_ranges() -> Fault:
    """The server knows no ranges: 200 and the whole, always."""
    return Fault(ignores_range=True, headers={"Accept-Ranges": None})


def wrong_range(content_range: str | None) -> Fault:
    """The Content-Range says something else than what was asked for, or is missing."""
    return Fault(headers={"Content-Range": content_range})


def multipart() -> Fault:
    """An answer in the form for several ranges, although one was asked for."""
    return Fault(headers={"Content-Type": "multipart/byteranges; boundary=b", "Content-Range": None})


def refusal(status: int, *, retry_after: str | None = None) -> Fault:
    """An error status, with Retry-After in seconds or as a date."""
    return Fault(status=status, body=b"no\n", headers={"Retry-After": retry_after})


def compressed(content: bytes) -> Fault:
    """The content gzipped, as a proxy might do it unasked."""
    return Fault(ignores_range=True, body=gzip.compress(content), headers={"Content-Encoding": "gzip"})


def redirect(location: str, status: int = 302) -> Fault:
    """Elsewhere."""
    return Fault(status=status, body=b"", headers={"Location": location})


def portal() -> Fault:
    """The login page of a network, with 200."""
    return Fault(
        ignores_range=True, body=b"<html>Please log in</html>", headers={"Content-Type": "text/html", "ETag": None}
    )


def endless() -> Fault:
    """A body without an end."""
    return Fault(ignores_range=True, endless=True)
