from __future__ import annotations

from datetime import timedelta

import pytest

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.timeline.story import (
    clock_words,
    facts,
    folded,
    headline,
    incident_words,
    remarks,
    require_stays,
    short,
)
from fwsm.errors import ConfigError
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, START, told


def test_a_journey_is_told_in_facts() -> None:
    """When, how long, what happened on the way, and what the hub knows."""
    journey = told(*GOOD, told_up_to=7, incidents=[(3, "x")])
    assert headline(journey) == "Update 0c8e88e7 to 2.0: applyComplete"
    assert facts(journey) == (
        "2026-05-04 12:00:00 to 12:00:50 UTC",
        "50 s",
        "2 restarts",
        "1 reboot",
        "1 retry",
        "1 incident",
        "7 of 9 reports acknowledged",
    )
    assert remarks(journey) == ()


def test_what_goes_on_is_told_until_now() -> None:
    """With the date, if that is another one."""
    said = facts(told((0, ACCEPTED, State.WAITING), now_s=86400))
    assert said[:2] == ("2026-05-04 12:00:00 to 2026-05-05 12:00:00 UTC", "1 d so far")


def test_a_reader_is_warned() -> None:
    """Of what is not there, and of a clock that was set."""
    journey = told((0, Trigger.POLICY_ALLOWED, State.DOWNLOADING), (-3, Trigger.DOWNLOAD_FAILED, State.DOWNLOADING))
    assert [remark.split()[1] for remark in remarks(journey)] == ["beginning", "clock"]
    assert "≥" not in facts(told(*GOOD))[1]


def test_a_history_without_entries_cannot_be_drawn() -> None:
    """With what still can."""
    with pytest.raises(ConfigError, match=r"nothing is left .*--current"):
        require_stays(told())


def test_the_clock_tells_how_it_was_set() -> None:
    """Back or forward, and by about how much."""
    stay = told((0, ACCEPTED, State.WAITING)).stays[0]
    assert clock_words(stay, START - timedelta(hours=1)) == "the clock was set back by about 1 h"
    assert clock_words(stay, START + timedelta(days=2)) == "the clock was set forward by about 2 d"


def test_words_are_folded_into_lines() -> None:
    """With commas between facts, and none behind a sentence."""
    assert folded(("one", "two", "three"), 9) == ["one, two,", "three"]
    assert folded(("One.", "Two."), 20) == ["One. Two."]
    assert folded(("One.", "Two."), 5) == ["One.", "Two."]
    assert folded((), 5) == []


def test_names_are_short_and_fit_for_a_line() -> None:
    """A child of `applying` goes by its own name; a message is one line."""
    assert short(State.INSTALLING) == "installing"
    assert short(State.WAITING) == "waiting"
    assert incident_words("hookFailed", "a\nb") == "hookFailed: a b"
    assert len(incident_words("hookFailed", "x" * 900)) == 200
