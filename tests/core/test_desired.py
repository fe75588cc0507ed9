"""What of the desired property is news, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.desired import Acknowledgement, Wish
from fwsm.core.twin import wrapped
from fwsm.hub.limits import check_section, check_values
from tests.core.test_request import oddities, payloads

CONTENT = {"fwPackageUri": "https://h/f", "fwVersion": "1"}


def wish(content: object, version: int = 5, told: dict[str, Any] | None = None) -> Wish:
    """It, on a twin."""
    desired = {"iothubDM": {"firmwareUpdate": content}, "$version": version}
    return Wish.on(desired, wrapped({"desired": told}) if told else {})


A = wish(CONTENT)
B = wish(CONTENT | {"fwVersion": "2"})
GONE = wish(None)


@pytest.mark.parametrize(
    ("desired", "content"),
    [
        ({}, None),
        ({"iothubDM": None}, None),
        ({"iothubDM": {}}, None),
        ({"iothubDM": {"other": 1}}, None),
        ({"iothubDM": 5}, 5),
        ({"iothubDM": {"firmwareUpdate": "x"}}, "x"),
        ({"iothubDM": {"firmwareUpdate": CONTENT}}, CONTENT),
    ],
)
def test_what_stands_where_the_section_belongs_is_taken_for_it(desired: dict[str, Any], content: object) -> None:
    """So a wrong type is told to whoever wrote it, and not passed over."""
    assert Wish.on(desired, {}) == Wish(content, 0)


@pytest.mark.parametrize(
    "reported", [{}, {"iothubDM": 5}, {"iothubDM": {"firmwareUpdate": []}}, wrapped({"desired": 1})]
)
def test_a_twin_without_acknowledgement_says_nothing(reported: dict[str, Any]) -> None:
    """Whatever else stands there."""
    assert Wish.on({"$version": 3}, reported) == Wish(None, 3)


def test_an_acknowledgement_is_done_with_unless_it_is_to_be_tried_again() -> None:
    """And once a later command was carried out, it is done with in any case, and says so."""
    assert A.acknowledged(200, "done").again is False
    later = A.acknowledged(503, "not now", again=True)
    assert later.again is True
    text = "a later command was carried out instead"
    assert later.overtaken() == Acknowledgement(A.version, A.digest, 503, text, again=False)


def test_numbers_are_numbers() -> None:
    """A boolean is none, though Python says so; a twin that was tampered with does no harm."""
    assert Wish.on({"$version": True}, wrapped({"desired": {"av": "7", "ac": False}})) == Wish(None, 0)
    assert wish(CONTENT, 5, {"ac": 200, "av": 4, "ad": "x"}) == Wish(CONTENT, 5, 4, 200)


def test_content_is_told_apart_whatever_the_order_of_its_keys() -> None:
    """Hubs keep no order."""
    assert wish(dict(reversed(CONTENT.items()))).digest == A.digest
    assert len({A.digest, B.digest, GONE.digest}) == 3


@given(content=payloads | oddities, before=payloads | oddities, told=payloads)
def test_any_twin_can_be_read(content: object, before: object, told: object) -> None:
    """Whatever stands there, it is told apart from what stood there before, and that it is the same."""
    desired = {"iothubDM": {"firmwareUpdate": content}, "$version": 5}
    now, then = Wish.on(desired, wrapped({"desired": told})), wish(before)
    assert not now.is_news(now.acknowledged(200, ""))
    assert now.is_news(None) in {True, False}
    assert now.is_late(then.acknowledged(200, "")) in {True, False}
    assert now.is_news(then.acknowledged(200, "")) == (now.digest != then.digest)


def test_what_is_no_json_is_all_the_same() -> None:
    """It is refused whatever it is, and must not be refused in a circle."""
    assert wish({"a": {1, 2}}).digest == wish({1: 2, "a": 3}).digest == wish(10**5000).digest != A.digest


@pytest.mark.parametrize(
    ("now", "last", "news"),
    [
        (A, A.acknowledged(200, ""), False),
        (wish(CONTENT, 9), A.acknowledged(200, ""), False),
        (wish(CONTENT, 9), A.acknowledged(400, ""), False),
        (A, A.acknowledged(409, "", again=True), True),
        (A, A.acknowledged(409, "", again=True).overtaken(), False),
        (B, A.acknowledged(200, ""), True),
        (GONE, A.acknowledged(200, ""), True),
        (GONE, GONE.acknowledged(200, ""), False),
        (A, GONE.acknowledged(200, ""), True),
        # a device that knows nothing, for it is new or has lost its database
        (A, None, True),
        (GONE, None, False),
        (wish(CONTENT, 5, {"ac": 200, "av": 5}), None, False),
        (wish(CONTENT, 5, {"ac": 409, "av": 5}), None, True),
        (wish(CONTENT, 6, {"ac": 200, "av": 5}), None, True),
        (wish(None, 6, {"ac": 200, "av": 5}), None, True),
    ],
)
def test_only_what_has_changed_is_news(now: Wish, last: Acknowledgement | None, news: bool) -> None:
    """Delivered again, after whatever, it is none; unless it had to wait."""
    assert now.is_news(last) is news


@pytest.mark.parametrize(
    ("version", "told", "late"),
    [
        (4, {"ac": 200, "av": 4}, True),
        (4, {"ac": 200, "av": 3}, True),
        (5, {"ac": 200, "av": 4}, False),
        (6, {"ac": 200, "av": 5}, False),
        (1, None, False),  # registered anew, and nothing reported yet
        (1, {"ac": 200, "av": 5}, False),  # registered anew, and reported before this was read
    ],
)
def test_a_lower_version_is_late_unless_the_twin_began_anew(
    version: int, told: dict[str, Any] | None, late: bool
) -> None:
    """What has been acted on stood at version 5."""
    assert wish(CONTENT, version, told).is_late(B.acknowledged(200, "")) is late
    assert not wish(CONTENT, version, told).is_late(None)


def test_the_patch_is_that_of_plug_and_play() -> None:
    """Code, version, and words; nothing is acknowledged that is not there."""
    assert A.acknowledged(200, "update u1 was started").patch() == {
        "desired": {"ac": 200, "av": 5, "ad": "update u1 was started"}
    }
    assert GONE.acknowledged(200, "cancelled").patch() == {"desired": None}


@given(text=st.text(st.characters()), version=st.integers(0, 2**31))
def test_the_patch_fits_the_twin(text: str, version: int) -> None:
    """Whatever is said."""
    patch = wrapped(wish(CONTENT, version).acknowledged(400, text * 100).patch())
    check_values("reported", patch)
    check_section("reported", patch)
