"""What an HTTP answer means for a part that is half loaded. Pure: status and header fields in, a verdict out.

The rule behind all of it: bytes are put behind those on disk only when the answer itself says that they belong
there and to the same version of the object. In doubt the download starts over; it never appends in hope.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fwsm.device.download.header import (
    ContentRange,
    Validator,
    length_bytes,
    retry_after_s,
    unsatisfied_total_bytes,
)
from fwsm.errors import ArtifactError, ArtifactForbiddenError, ArtifactMissingError, DownloadError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

__all__ = ["Asked", "Body", "Head", "InterruptionError", "StartOver", "Whole", "judge"]

_OK, _PARTIAL, _UNSATISFIABLE = 200, 206, 416
_FORBIDDEN: Final = frozenset({401, 403})
_MISSING: Final = frozenset({404, 410})
_TIME_HELPS: Final = frozenset({408, 425, 429})  # 4xx that speak of the moment, not of the request


class InterruptionError(DownloadError):
    """The transfer broke off in a way that may be over within seconds."""


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header fields of an answer; the fields can be looked up in any case."""

    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, and what is known of the object so far.

    Attributes:
        where: the address as it may be shown.
        first_byte: where the range began that was asked for; 0 if the whole was asked for.
        total_bytes: size of the object as the part's record has it; None if unknown.
        validator: the version of the object that the part belongs to.
    """

    where: str
    first_byte: int = 0
    total_bytes: int | None = None
    validator: Validator = field(default_factory=Validator)


@dataclass(frozen=True, slots=True)
class Body:
    """A body to be taken.

    Attributes:
        first_byte: where it belongs: behind what is on disk, or at 0, which throws away what is on disk.
        end_byte: where it ends, not included; None if the server does not say.
        total_bytes: size of the whole object; None if unknown.
        validator: the version of the object that it belongs to.
    """

    first_byte: int
    end_byte: int | None
    total_bytes: int | None
    validator: Validator


@dataclass(frozen=True, slots=True)
class Whole:
    """There is nothing behind the bytes on disk: they are the whole object."""


@dataclass(frozen=True, slots=True)
class StartOver:
    """The bytes on disk cannot be gone on from: ask for the whole.

    Attributes:
        why: what does not fit.
    """

    why: str


def judge(head: Head, asked: Asked, now: datetime) -> Body | Whole | StartOver:
    """Say what to do with an answer.

    Raises:
        ArtifactError: a leaf of it that fits; a DownloadError when it is worth another try.
    """
    if head.status == _OK:
        return _whole_body(head, asked)
    if head.status == _PARTIAL:
        return _partial_body(head, asked)
    if head.status == _UNSATISFIABLE and asked.first_byte:
        return _beyond_the_end(head, asked)
    raise _refusal(head, asked, now)


def _whole_body(head: Head, asked: Asked) -> Body:
    _check_content(head, asked)
    length = length_bytes(head.headers)
    if length is None and "Transfer-Encoding" not in head.headers:
        # Not for ever: the head itself may have been cut.
        raise InterruptionError(
            f"{asked.where} does not say how long the image is",
            why="so its end cannot be told from a cut",
            fix="Serve the image with Content-Length",
        )
    if length == 0:
        raise DownloadError(f"the image at {asked.where} is empty", fix="Check what the server serves there")
    return Body(0, length, length, Validator.of(head.headers))


def _partial_body(head: Head, asked: Asked) -> Body | StartOver:
    if head.headers.get("Content-Type", "").lower().startswith("multipart/"):
        return _reject(asked, "it sent several ranges although one was asked for")
    _check_content(head, asked)
    sent = ContentRange.parse(head.headers.get("Content-Range"))
    if sent is None:
        return _reject(asked, "it sent a part without saying which")
    if not asked.first_byte or sent.first_byte != asked.first_byte:
        return _reject(asked, f"it sent bytes from {sent.first_byte} on where {asked.first_byte} was asked for")
    validator = Validator.of(head.headers)
    if asked.validator.contradicts(validator):
        return StartOver("the file on the server has been replaced")
    if None not in (sent.total_bytes, asked.total_bytes) and sent.total_bytes != asked.total_bytes:
        return StartOver(f"the file on the server had {asked.total_bytes} bytes and has {sent.total_bytes} now")
    return Body(sent.first_byte, sent.last_byte + 1, sent.total_bytes or asked.total_bytes, validator)


def _reject(asked: Asked, why: str) -> StartOver:
    """Refuse an answer to a range; without a range there is nothing left to ask for."""
    if asked.first_byte:
        return StartOver(why)
    raise DownloadError(f"the answer of {asked.where} makes no sense", why=why, fix="Check the server and any proxy")


def _beyond_the_end(head: Head, asked: Asked) -> Whole | StartOver:
    total = unsatisfied_total_bytes(head.headers.get("Content-Range"))
    if total == asked.first_byte:
        return Whole()
    return StartOver(f"the server has no byte {asked.first_byte}")


def _check_content(head: Head, asked: Asked) -> None:
    coding = head.headers.get("Content-Encoding", "identity").strip().lower()
    if coding not in {"", "identity"}:
        raise DownloadError(
            f"{asked.where} sent the image with the content coding {coding!r}",
            why="an uncompressed transfer was asked for; perhaps a proxy compresses on the way",
            fix="Switch compression off for this path",
        )
    # Before a part is touched: a portal's page must not cost the bytes that are on disk.
    if head.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise DownloadError(
            f"{asked.where} answered with a web page in place of the image",
            why="often a login page of the network or of a proxy",
            fix="Check the device's way to the server; if it is the image, serve it as application/octet-stream",
        )


def _refusal(head: Head, asked: Asked, now: datetime) -> ArtifactError:
    said = f"{asked.where} answered {head.status}"
    wait_s = retry_after_s(head.headers, now)
    if head.status in _MISSING:
        return ArtifactMissingError(
            said, why="the server does not have the image", fix="Check fwPackageUri and start a new update"
        )
    if head.status in _FORBIDDEN:
        return ArtifactForbiddenError(
            said,
            why="it does not give us the image; a signed URL may have expired",
            fix="Start a new update with a fresh URL; with the same sha256 the bytes loaded so far are used again",
        )
    if wait_s is not None and head.status >= 400:  # noqa: PLR2004 - client and server errors
        return DownloadError(said, why=f"it asks for {wait_s:.0f} s of patience", retry_after_s=wait_s)
    if head.status >= 500 or head.status in _TIME_HELPS:  # noqa: PLR2004 - server errors
        return InterruptionError(said, why="it cannot serve the image just now")
    if head.status >= 400:  # noqa: PLR2004 - client errors
        return ArtifactError(said, why="it does not accept the request", fix="Check fwPackageUri and the server's log")
    return DownloadError(said, why="an image comes with 200 or 206", fix="Check the server and any proxy")
