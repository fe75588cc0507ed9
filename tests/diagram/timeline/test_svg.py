from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.palette import Theme
from fwsm.diagram.timeline.svg import LEGEND, text
from fwsm.errors import ConfigError
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, LIFECYCLE, journeys, told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.diagram.journey import Journey

SVG = "{http://www.w3.org/2000/svg}"
ORDER = LIFECYCLE.states
LONG = ((0.0, ACCEPTED, State.WAITING), *((at + 900_000, *rest) for at, *rest in GOOD[1:]))


def _root(journey: Journey, theme: Theme = Theme.AUTO) -> ET.Element:
    return ET.fromstring(text(journey, ORDER, theme))


def _kinds(root: ET.Element, kind: str) -> list[ET.Element]:
    return [each for each in root.iter() if kind in (each.get("class") or "").split()]


def _words(root: ET.Element) -> list[str]:
    return [word.text or "" for word in root.iter(f"{SVG}text")]


def test_the_picture_is_described_for_those_who_do_not_see_it() -> None:
    """Its title and description say what happened, and every bar and mark says it again."""
    root = _root(told(*GOOD))
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Update 0c8e88e7 to 2.0: applyComplete"
    assert "downloading from 2026-05-04 12:00:01 UTC, 19 s" in (root.findtext(f"{SVG}desc") or "")
    assert all(each.findtext(f"{SVG}title") for kind in ("bar", "mark", "line") for each in _kinds(root, kind))


def test_signs_that_occur_are_explained() -> None:
    """And no others."""
    root = _root(told(*GOOD, told_up_to=7))
    said = {words for words in LEGEND.values() if words in _words(root)}
    assert said == {
        "the process came back",
        "the device booted",
        "failed, tried again",
        "acknowledged",
        "not acknowledged",
    }
    assert "not to scale" not in _words(root)


def test_what_is_drawn_wider_than_it_is_is_told() -> None:
    """A reader who measures it is not misled; where all is to scale there is nothing to tell."""
    assert "drawn wider if under 0.68 s" in _words(_root(told(*GOOD)))
    plain = told(GOOD[0], (30.0, Trigger.POLICY_ALLOWED, State.DOWNLOADING), now_s=90)
    assert not any(words.startswith("drawn wider") for words in _words(_root(plain)))


def test_a_report_that_is_pending_is_hollow() -> None:
    """It is no matter of colour."""
    root = _root(told(*GOOD, told_up_to=7))
    assert [mark[1].get("class") for mark in _kinds(root, "reported")] == ["told"] * 7
    assert [mark[1].get("class") for mark in _kinds(root, "pending")] == ["untold"] * 2


def test_a_cut_says_how_long_it_was() -> None:
    """Above the zigzag."""
    root = _root(told(*LONG))
    (gap,) = _kinds(root, "cut")
    assert _words(gap) == ["10 d 10 h"]
    assert "not to scale" in _words(root)
    set_back = _root(told(GOOD[0], (-500, Trigger.POLICY_ALLOWED, State.DOWNLOADING), now_s=-400))
    assert _words(_kinds(set_back, "cut")[0]) == ["clock set"]
    assert _kinds(set_back, "band")[0].findtext(f"{SVG}title") == "the clock was set back by about 8 m 20 s"


def test_an_update_that_goes_on_ends_now() -> None:
    """With a bar that is not whole, and a line that says so."""
    root = _root(told(*GOOD[:3], now_s=60))
    assert "now" in _words(root)
    assert len(_kinds(root, "open")) == 1
    assert "now" not in _words(_root(told(*GOOD)))


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
def test_a_theme_can_be_fixed(theme: Theme) -> None:
    """For programs that know no media rules."""
    drawn = text(told(*GOOD), ORDER, theme)
    assert "prefers-color-scheme" not in drawn
    assert ("#0d1117" in drawn) == (theme is Theme.DARK)
    assert "prefers-color-scheme:dark" in text(told(*GOOD), ORDER)


def test_every_class_has_a_rule() -> None:
    """Nothing is drawn black because its name is misspelt."""
    journey = told(*LONG[:4], (900_030, Trigger.CANCELLED, State.DOWNLOAD_FAILED), incidents=[(3, "x")], told_up_to=2)
    drawn = text(journey, ORDER)
    sheet = drawn.partition("<style>")[2].partition("</style>")[0]
    groups = {"mark", "key", "cut", "bar", *(mark.value for mark in LEGEND), "good", "bad", "open"}
    used = {name for each in _root(journey).iter() for name in (each.get("class") or "").split()}
    assert {name for name in used - groups if f".{name}" not in sheet} == set()


def test_nothing_can_be_drawn_of_nothing() -> None:
    """The whole history was pruned."""
    with pytest.raises(ConfigError):
        text(told(), ORDER)


@settings(max_examples=30)
@given(journeys())
def test_any_journey_can_be_drawn(journey: Journey) -> None:
    """As well-formed XML that stands alone, on a page of which nothing sticks out."""
    root = _root(journey)
    assert "href" not in text(journey, ORDER)
    _, _, width, height = map(float, (root.get("viewBox") or "").split())
    for x, y in _places(root):
        assert 0 <= x <= width
        assert 0 <= y <= height


def _places(root: ET.Element) -> Iterator[tuple[float, float]]:
    for each in root.iter():
        if each.get("x") is not None:
            x, y = float(each.get("x", "")), float(each.get("y", ""))
            yield x, y
            yield x + float(each.get("width", 0)), y + float(each.get("height", 0))
            if each.tag == f"{SVG}text" and "count" in (each.get("class") or ""):
                half = len(each.text or "") * 6.2 / (1 if "left" in (each.get("class") or "") else 2)
                yield x + half, y
