"""When the whole section is said again, and how much of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.resend import editions, lacks
from fwsm.core.twin import section
from fwsm.core.update import Failure, Progress, Request, State, Update
from fwsm.errors import Kind

UPDATE = Update(
    id="u1", request=Request("https://images.example/fw.img"), state=State.DOWNLOADING, boot_id="b", attempt=2
)
SECTION = section(UPDATE)
SHOWN = {name: value for name, value in SECTION.items() if value is not None}


def test_a_twin_that_shows_all_lacks_nothing() -> None:
    """What is absent is as good as null, and what others keep there is theirs."""
    assert not lacks(SHOWN, SECTION)
    assert not lacks(SHOWN | {"colour": "red"}, SECTION)


@pytest.mark.parametrize(
    "seen",
    [
        {},
        None,
        "text",
        [1],
        SHOWN | {"status": "waiting"},
        SHOWN | {"reason": "delay"},
        {name: value for name, value in SHOWN.items() if name != "attempt"},
    ],
)
def test_a_twin_that_shows_something_else_lacks_something(seen: object) -> None:
    """A value that is missing, another one, or one that should be gone."""
    assert lacks(seen, SECTION)


def test_what_is_not_known_is_not_missed() -> None:
    """A twin has no nulls, in objects neither: a download of unknown length that has ended shows its bytes alone."""
    ended = replace(UPDATE, state=State.DOWNLOAD_FAILED, progress=Progress(5))
    wanted = section(ended)
    seen = {name: value for name, value in wanted.items() if value is not None} | {"progress": {"bytes": 5}}
    assert not lacks(seen, wanted)
    assert lacks(seen | {"progress": {"bytes": 5, "percent": 50}}, wanted)
    assert lacks(seen | {"progress": None}, wanted)
    assert lacks(seen | {"progress": 5}, wanted)


def test_what_others_keep_in_our_objects_is_theirs() -> None:
    """It could not be taken away by saying ours again."""
    assert not lacks(SHOWN | {"error": None}, SECTION)
    failed = section(replace(UPDATE, failure=Failure("link", "gone", Kind.TRANSIENT)))
    seen = {name: value for name, value in failed.items() if value is not None}
    assert not lacks(seen | {"error": failed["error"] | {"at": 1}}, failed)


def test_a_part_without_a_status_can_be_compared() -> None:
    """A device that has had no update may have acknowledged a desired property."""
    told = {"desired": {"ac": 400, "av": 3, "ad": "no"}}
    assert lacks({}, told)
    assert not lacks(told, told)


def test_nobody_but_the_download_knows_how_far_it_is() -> None:
    """In any other state the progress is part of the record."""
    seen = SHOWN | {"progress": {"bytes": 5, "totalBytes": 9, "percent": 55}}
    assert not lacks(seen, SECTION)
    waiting = section(replace(UPDATE, state=State.WAITING))
    assert lacks(seen | {"status": "waiting"}, waiting)


def test_shorter_editions_stand_for_the_whole() -> None:
    """Each has every name, so that nothing old stays on the twin; the last keeps how the update stands and why."""
    failure = Failure("installFailed", "m" * 900, Kind.PERMANENT)
    failed = replace(UPDATE, state=State.APPLY_FAILED, failure=failure, rolled_back=True, progress=Progress(5, 9))
    whole, short, vital = editions(section(failed))
    assert whole == section(failed)
    assert set(whole) == set(short) == set(vital)
    assert short["error"] == {"code": "installFailed", "message": "m" * 99 + "…"}
    assert short["progress"] == whole["progress"]
    assert {name: value for name, value in vital.items() if value is not None} == {
        "updateId": "u1",
        "status": "applyFailed",
        "substatus": "rolledBack",
        "error": {"code": "installFailed", "message": None},
    }


def test_a_refused_part_is_said_in_fewer_words() -> None:
    """What moves the status on stays in it, and nothing comes in that was not there."""
    error = {"code": "link", "message": "m" * 900}
    assert editions({"status": "downloadFailed", "attempt": 2, "error": error, "reason": "r" * 120}) == (
        {"status": "downloadFailed", "attempt": 2, "error": error, "reason": "r" * 120},
        {
            "status": "downloadFailed",
            "attempt": 2,
            "error": {"code": "link", "message": "m" * 99 + "…"},
            "reason": "r" * 99 + "…",
        },
        {"status": "downloadFailed", "attempt": None, "error": {"code": "link", "message": None}, "reason": None},
    )
    assert editions({"error": None, "attempt": 2})[-1] == {"error": None, "attempt": None}
    assert editions({"desired": {"ac": 409, "av": 7, "ad": "a" * 900}})[-1] == {
        "desired": {"ac": 409, "av": 7, "ad": None}
    }


def test_no_edition_is_there_twice() -> None:
    """What was refused is not sent once more."""
    assert editions({"status": "waiting"}) == ({"status": "waiting"},)
    assert len(editions(SECTION)) == 2


def counted_bytes(value: Any) -> int:
    """How IoT Hub counts a section: keys and texts in UTF-8, 8 for a number, 4 for a boolean, nothing for null."""
    match value:
        case dict():
            return sum(len(name.encode()) + counted_bytes(part) for name, part in value.items())
        case str():
            return len(value.encode())
        case bool():
            return 4
        case int() | float():
            return 8
        case _:
            return 0


TEXTS = st.text(max_size=5000) | st.sampled_from(["ä" * 5000, "\u0001" * 5000, "😀" * 5000, '"\\' * 3000])


@given(
    said=st.tuples(TEXTS, TEXTS, st.none() | TEXTS),
    version=st.none() | st.text(max_size=128),
    path=st.text(alphabet="abc/%20", max_size=1900),
    state=st.sampled_from(State),
)
def test_a_section_is_far_below_what_a_twin_holds(
    said: tuple[str, str, str | None], version: str | None, path: str, state: State
) -> None:
    """Whatever failed and whoever says so: 32 KB for all reported properties, 4 KB for a value."""
    code, message, reason = said
    update = Update(
        id="0" * 36,
        request=Request(f"https://images.example/{path}", version=version),
        state=state,
        boot_id="b",
        failure=Failure(code, message, Kind.PERMANENT),
        reason=reason,
        progress=Progress(2**62, 2**62),
    )
    told = {
        "desired": {"ac": 400, "av": 2**31, "ad": "😀" * 1000},
        "incident": {"code": "storeDamaged", "at": "0" * 24},
    }
    whole, *shorter = editions(section(update) | told)
    short, vital = shorter[0], shorter[-1]
    assert counted_bytes(whole) < 12 * 1024
    assert all(len(text.encode()) <= 4096 for text in (whole["fwPackageUri"], whole["error"]["message"]))
    assert counted_bytes(short) < 2048
    assert counted_bytes(vital) < 512
    assert json.loads(json.dumps(whole)) == whole
