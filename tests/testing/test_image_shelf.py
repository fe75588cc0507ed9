"""The state of an image server: which fault strikes which request, and the log."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.testing.image_faults import Fault, cut, stall
from fwsm.testing.image_shelf import Image, Served, Shelf, asked_span
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

PATH = "/f"


def _shelf() -> Shelf:
    return Shelf({PATH: b"content"}, None)


def _take(shelf: Shelf, path: str = PATH) -> Fault:
    return shelf.take(Served(path, None, None))[2]


def test_faults_strike_in_the_order_in_which_they_were_planned() -> None:
    """When the first has struck as often as it was to, it is the next one's turn."""
    shelf = _shelf()
    with shelf.fault(PATH, cut(1), 1, 1), shelf.fault(PATH, stall(2), 0, None):
        assert [_take(shelf) for _ in range(3)] == [stall(2), cut(1), stall(2)]
    assert _take(shelf) == Fault()


def test_a_fault_strikes_its_own_path_only() -> None:
    """With whatever query."""
    shelf = _shelf()
    with shelf.fault(PATH, cut(1), 0, None):
        assert _take(shelf, "/g") == Fault()
        assert _take(shelf, PATH + "?sig=x") == cut(1)


def test_a_request_gets_what_is_there_when_it_comes() -> None:
    """A replaced image is served from the next request on."""
    shelf = _shelf()
    assert shelf.take(Served(PATH, None, None))[1] == Image(b"content")
    shelf.put(PATH, b"other")
    assert shelf.take(Served(PATH + "?x", None, None))[1] == Image(b"other")
    assert shelf.take(Served("/g", None, None))[1] is None


def test_the_log_grows_and_can_be_waited_for() -> None:
    """Whoever waits is woken by the change, from another thread."""
    shelf = _shelf()
    number, _, _ = shelf.take(Served(PATH, None, None))
    noter = threading.Thread(target=shelf.note, args=(number,), kwargs={"sent_bytes": 7, "ended": True})
    noter.start()
    assert shelf.wait_for(lambda log: log[0].sent_bytes == 7, PATIENCE_S)
    noter.join()
    assert shelf.log() == (Served(PATH, None, None, 0, 7, ended=True),)


def test_a_tag_changes_with_the_content(tmp_path: Path) -> None:
    """Of bytes by what they are, of a file by its size and time."""
    assert Image(b"a").tag == Image(b"a").tag != Image(b"b").tag
    file = tmp_path / "f"
    file.write_bytes(b"a")
    before = Image(file).tag
    assert before == Image(file).tag
    os.utime(file, ns=(1, 1))
    assert Image(file).tag != before


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("bytes=0-", range(100)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=90-1000", range(90, 100)),
        ("bytes=-10", range(90, 100)),
        ("bytes=-1000", range(100)),
        ("bytes=100-", range(100, 100)),
        ("bytes=-0", range(100, 100)),
        ("bytes=20-10", None),
        ("bytes=-", None),
        ("bytes=0-9,20-29", None),
        ("items=0-9", None),
        ("", None),
    ],
)
def test_a_range_field_is_read_by_the_rules(text: str, span: range | None) -> None:
    """From, from to, the last so many; what makes no sense is ignored."""
    assert asked_span(text, 100) == span
