"""The header fields that a resumed download stands on (RFC 9110). Pure.

A field that cannot be read is treated as missing: it is the caller who knows whether it may be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ContentRange", "Validator", "length_bytes", "retry_after_s", "unsatisfied_total_bytes"]

# Nineteen digits hold every size that a file can have; int() of more only costs time.
_RANGE: Final = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19}|\*)", re.ASCII | re.IGNORECASE)
_UNSATISFIED: Final = re.compile(r"bytes \*/(\d{1,19})", re.ASCII | re.IGNORECASE)
_DIGITS: Final = re.compile(r"\d{1,19}", re.ASCII)
_STRONG_TAG: Final = re.compile(r'"[\x21\x23-\x7e]*"', re.ASCII)

# A server that asks for more than a day is mistaken or does not mean us.
_LONGEST_WAIT_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class ContentRange:
    """Which bytes an answer holds (RFC 9110, 14.4).

    Attributes:
        first_byte, last_byte: both included, counted from 0.
        total_bytes: size of the whole; None if the server does not know it.
    """

    first_byte: int
    last_byte: int
    total_bytes: int | None

    @classmethod
    def parse(cls, text: str | None) -> ContentRange | None:
        """Read a field; None if it is missing, malformed, of another unit, or contradicts itself."""
        match = _RANGE.fullmatch(text.strip()) if text else None
        if match is None:
            return None
        first, last = int(match[1]), int(match[2])
        total = None if match[3] == "*" else int(match[3])
        if first > last or (total is not None and last >= total):
            return None
        return cls(first, last, total)


def unsatisfied_total_bytes(text: str | None) -> int | None:
    """The total in the Content-Range of a 416 (`bytes */1234`); None if there is none."""
    match = _UNSATISFIED.fullmatch(text.strip()) if text else None
    return int(match[1]) if match else None


def length_bytes(headers: Mapping[str, str]) -> int | None:
    """The Content-Length; None if it is missing, malformed, or without meaning beside a Transfer-Encoding."""
    text = headers.get("Content-Length", "").strip()
    return int(text) if _DIGITS.fullmatch(text) and "Transfer-Encoding" not in headers else None


@dataclass(frozen=True, slots=True)
class Validator:
    """What tells one version of an object from another. Only what is strong is kept (RFC 9110, 8.8).

    Attributes:
        tag: a strong entity tag, with its quotes.
        modified: a Last-Modified that is strong because the server's own clock was already past that second.
    """

    tag: str | None = None
    modified: str | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Validator:
        """The validators of an answer."""
        modified = headers.get("Last-Modified", "").strip()
        changed_at, answered_at = _date(modified), _date(headers.get("Date"))
        settled = (
            changed_at is not None and answered_at is not None and answered_at - changed_at >= timedelta(seconds=1)
        )
        return cls.stored(headers.get("ETag", "").strip(), modified if settled else None)

    @classmethod
    def stored(cls, tag: object, modified: object) -> Validator:
        """What was kept of it, as far as it still looks like a validator: it goes into a request again."""
        return cls(
            tag if isinstance(tag, str) and _STRONG_TAG.fullmatch(tag) else None,
            modified if isinstance(modified, str) and modified.isascii() and _date(modified) is not None else None,
        )

    @property
    def if_range(self) -> str | None:
        """What to put into If-Range; None if there is nothing strong."""
        return self.tag or self.modified

    def contradicts(self, other: Validator) -> bool:
        """Whether the two cannot belong to the same version."""
        if self.tag and other.tag:
            return self.tag != other.tag
        return bool(self.modified and other.modified and self.modified != other.modified)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the server asks us to wait, from nothing to a day; None if it does not say (RFC 9110, 10.2.3).

    A date is measured against the server's own Date, and only without one against `now`, which may be wrong by years.
    """
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        # A float, since a number of any length may come.
        return min(float(text), _LONGEST_WAIT_S)
    at = _date(text)
    if at is None:
        return None
    return min(max((at - (_date(headers.get("Date")) or now)).total_seconds(), 0.0), _LONGEST_WAIT_S)


def _date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
