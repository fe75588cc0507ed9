"""Verdicts on answers: every status, and every way in which a range can be wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from urllib3 import HTTPHeaderDict

from fwsm.device.download.answer import Asked, Body, Head, InterruptionError, StartOver, Whole, judge
from fwsm.device.download.header import Validator
from fwsm.errors import ArtifactError, ArtifactForbiddenError, ArtifactMissingError, DownloadError

_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_ALL = Asked("https://h/f")
_REST = Asked("https://h/f", 100, 300, Validator('"a"'))


def _judge(status: int, asked: Asked = _REST, **fields: str) -> Body | Whole | StartOver:
    headers = HTTPHeaderDict({name.replace("_", "-"): text for name, text in fields.items()})
    return judge(Head(status, headers), asked, _NOW)


def test_a_200_is_the_whole_from_its_beginning() -> None:
    """Whatever was asked for, a 200 begins at the first byte."""
    body = Body(0, 300, 300, Validator('"b"'))
    assert _judge(200, _ALL, Content_Length="300", ETag='"b"') == body
    assert _judge(200, _REST, Content_Length="300", ETag='"b"') == body


def test_a_chunked_200_has_no_known_end() -> None:
    """The chunks say where it ends."""
    assert _judge(200, _ALL, Transfer_Encoding="chunked") == Body(0, None, None, Validator())


def test_a_200_without_any_length_is_refused() -> None:
    """Its end could not be told from a cut."""
    with pytest.raises(InterruptionError, match="how long"):
        _judge(200, _ALL)


def test_an_empty_image_is_refused() -> None:
    """Nothing is not an image."""
    with pytest.raises(DownloadError, match="empty"):
        _judge(200, _ALL, Content_Length="0")


def test_a_matching_206_is_the_rest() -> None:
    """The part that was asked for, of the version that is on disk."""
    assert _judge(206, Content_Range="bytes 100-299/300", ETag='"a"') == Body(100, 300, 300, Validator('"a"'))


def test_a_206_may_be_shorter_than_asked() -> None:
    """A server may limit ranges; the next request asks for the next one."""
    body = _judge(206, Content_Range="bytes 100-149/300")
    assert body == Body(100, 150, 300, Validator())


def test_a_206_without_a_total_keeps_the_known_one() -> None:
    """A star says nothing new."""
    body = _judge(206, Content_Range="bytes 100-299/*")
    assert body == Body(100, 300, 300, Validator())


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "without saying which"),
        ({"Content_Range": "items 100-299/300"}, "without saying which"),
        ({"Content_Range": "bytes 299-100/300"}, "without saying which"),
        ({"Content_Range": "bytes 0-299/300"}, "from 0 on where 100"),
        ({"Content_Range": "bytes 101-299/300"}, "from 101 on where 100"),
        ({"Content_Range": "bytes 100-399/400"}, "300 bytes and has 400"),
        ({"Content_Range": "bytes 100-299/300", "ETag": '"b"'}, "replaced"),
        ({"Content_Range": "bytes 100-299/300", "Content_Type": "multipart/byteranges; boundary=x"}, "several ranges"),
    ],
)
def test_a_206_that_does_not_fit_means_starting_over(fields: dict[str, str], why: str) -> None:
    """Bytes of another place or version are never appended."""
    verdict = _judge(206, _REST, **fields)
    assert isinstance(verdict, StartOver)
    assert why in verdict.why


def test_a_206_that_nobody_asked_for_is_an_error() -> None:
    """Without a range there is nothing simpler left to ask for."""
    with pytest.raises(DownloadError, match="makes no sense"):
        _judge(206, _ALL, Content_Range="bytes 0-299/300")


def test_a_416_at_the_end_means_that_all_is_here() -> None:
    """A part whose total was unknown may have been complete."""
    assert _judge(416, Content_Range="bytes */100") == Whole()


@pytest.mark.parametrize("fields", [{}, {"Content_Range": "bytes */50"}, {"Content_Range": "bytes */300"}])
def test_any_other_416_means_starting_over(fields: dict[str, str]) -> None:
    """The object is shorter than the part, or the server does not say."""
    assert isinstance(_judge(416, _REST, **fields), StartOver)


@pytest.mark.parametrize("status", [200, 206])
def test_a_compressed_body_is_refused(status: int) -> None:
    """Its bytes are not the image's."""
    with pytest.raises(DownloadError, match="gzip"):
        _judge(status, Content_Encoding="gzip", Content_Length="3")


@pytest.mark.parametrize("status", [200, 206])
def test_a_web_page_is_refused_before_it_costs_anything(status: int) -> None:
    """A captive portal is over some time; until then the part is left alone."""
    with pytest.raises(DownloadError, match="web page"):
        _judge(status, Content_Type="Text/HTML; charset=utf-8", Content_Length="3")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, ArtifactForbiddenError),
        (403, ArtifactForbiddenError),
        (404, ArtifactMissingError),
        (410, ArtifactMissingError),
        (400, ArtifactError),
        (407, ArtifactError),
        (416, ArtifactError),
        (408, InterruptionError),
        (429, InterruptionError),
        (500, InterruptionError),
        (503, InterruptionError),
        (204, DownloadError),
        (304, DownloadError),
    ],
)
def test_every_other_status_is_an_error_of_its_kind(status: int, error: type[ArtifactError]) -> None:
    """What time heals is tried again soon, what an operator must mend says so."""
    with pytest.raises(ArtifactError, match=str(status)) as caught:
        _judge(status, _ALL)
    assert type(caught.value) is error


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_for_patience_gets_it(status: int) -> None:
    """The wait goes to the lifecycle, and nothing is tried again before."""
    with pytest.raises(DownloadError) as caught:
        _judge(status, Retry_After="90")
    assert caught.value.retry_after_s == 90.0
    assert not isinstance(caught.value, InterruptionError)
