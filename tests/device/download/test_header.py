"""Header fields: what is read is right, and what cannot be read is nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.device.download.header import (
    ContentRange,
    Validator,
    length_bytes,
    retry_after_s,
    unsatisfied_total_bytes,
)

_NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
_DAY_S = 86_400.0


@given(st.integers(0, 2**62), st.integers(0, 2**40), st.integers(0, 2**40) | st.none())
def test_a_content_range_is_read_back(first: int, more: int, beyond: int | None) -> None:
    """What a server writes by the rules is understood."""
    last = first + more
    total = None if beyond is None else last + 1 + beyond
    text = f"bytes {first}-{last}/{'*' if total is None else total}"
    assert ContentRange.parse(text) == ContentRange(first, last, total)


@given(st.text() | st.from_regex(r"(bytes|items)? ?-?\d*-\d*/(\d*|\*)?.?", fullmatch=True))
def test_any_text_is_a_sound_content_range_or_none(text: str) -> None:
    """No text raises, and what is accepted does not contradict itself."""
    found = ContentRange.parse(text)
    if found is not None:
        assert text.strip().lower().startswith("bytes ")
        assert 0 <= found.first_byte <= found.last_byte
        assert found.total_bytes is None or found.last_byte < found.total_bytes


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "bytes 5-4/10",
        "bytes 0-10/10",
        "bytes */10",
        "items 0-9/10",
        "bytes 0-9",
        "bytes -1-9/10",
        "bytes 0-9/10, 20-29/30",
        "bytes \u0660-\u0669/\u0661\u0660",
        "bytes 0-9/" + "9" * 30,
    ],
)
def test_a_bad_content_range_is_none(text: str | None) -> None:
    """Missing, contradictory, of another unit, for several ranges, or beyond all sizes."""
    assert ContentRange.parse(text) is None


def test_a_416_tells_the_total() -> None:
    """`bytes */N` is the size of the object; anything else tells nothing."""
    assert unsatisfied_total_bytes("bytes */1234") == 1234
    assert unsatisfied_total_bytes("bytes 0-9/10") is None
    assert unsatisfied_total_bytes(None) is None


def test_a_length_counts_only_without_a_transfer_coding() -> None:
    """Beside Transfer-Encoding, and if it is no number, Content-Length is nothing."""
    assert length_bytes({"Content-Length": "12"}) == 12
    assert length_bytes({"Content-Length": "12", "Transfer-Encoding": "chunked"}) is None
    assert length_bytes({"Content-Length": "-1"}) is None
    assert length_bytes({}) is None


def test_a_strong_tag_is_kept_and_goes_into_if_range() -> None:
    """A strong entity tag is preferred to a date."""
    validator = Validator.of({"ETag": '"abc"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"})
    assert validator.if_range == '"abc"'


@pytest.mark.parametrize("tag", ['W/"abc"', "abc", '"a\r\nX: y"', '"a"b"', ""])
def test_a_weak_or_malformed_tag_is_not_kept(tag: str) -> None:
    """A weak tag may stay the same when bytes change, and a malformed one must not go into a request."""
    assert Validator.of({"ETag": tag}) == Validator()


def test_a_date_is_strong_once_the_servers_clock_has_passed_it() -> None:
    """A file changed within the second of the answer may change again without a new date."""
    changed = "Wed, 01 Jan 2025 00:00:00 GMT"
    assert Validator.of({"Last-Modified": changed, "Date": "Wed, 01 Jan 2025 00:00:01 GMT"}).if_range == changed
    assert Validator.of({"Last-Modified": changed, "Date": changed}).if_range is None
    assert Validator.of({"Last-Modified": changed}).if_range is None


def test_validators_contradict_only_where_both_speak() -> None:
    """Without a common kind of validator nothing can be said."""
    date = "Wed, 01 Jan 2025 00:00:00 GMT"
    assert Validator('"a"').contradicts(Validator('"b"'))
    assert not Validator('"a"').contradicts(Validator('"a"'))
    assert not Validator('"a"').contradicts(Validator(None, date))
    assert Validator(None, date).contradicts(Validator(None, "Thu, 02 Jan 2025 00:00:00 GMT"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0.0), ("120", 120.0), ("9" * 400, _DAY_S), ("-5", None), ("1.5", None), ("soon", None), ("", None)],
)
def test_retry_after_in_seconds_is_clamped(text: str, seconds: float | None) -> None:
    """An absurd wish becomes a day, and what is no number of seconds is no wish."""
    assert retry_after_s({"Retry-After": text}, _NOW) == seconds


@pytest.mark.parametrize(("ahead_s", "seconds"), [(60, 60.0), (-60, 0.0), (10**9, _DAY_S)])
def test_retry_after_as_a_date_goes_by_the_servers_clock(ahead_s: int, seconds: float) -> None:
    """The device's own clock may be in 1970; it counts only when the server does not tell its time."""
    at = format_datetime(_NOW + timedelta(seconds=ahead_s), usegmt=True)
    wrong = datetime(1970, 1, 1, tzinfo=UTC)
    assert retry_after_s({"Retry-After": at, "Date": format_datetime(_NOW, usegmt=True)}, wrong) == seconds
    assert retry_after_s({"Retry-After": at}, _NOW) == seconds
