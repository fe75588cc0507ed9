from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.journey import Journey, Sign, between_s
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, START, journeys, told


def test_stays_in_one_state_are_one_visit() -> None:
    """The tries and the restarts of a download are its own; the way there is not."""
    journey = told(*GOOD)
    downloading = journey.visits[1]
    assert downloading.state is State.DOWNLOADING
    assert [stay.span_s for stay in downloading.stays] == [3.0, 5.0, 11.0]
    assert (downloading.tries, downloading.count(Sign.RESTART)) == (2, 1)
    confirming = next(visit for visit in journey.visits if visit.state is State.CONFIRMING)
    assert (confirming.tries, confirming.count(Sign.RESTART)) == (1, 0)


def test_signs_tell_what_an_entry_was() -> None:
    """A wait that goes on is no retry, and a reboot is seen by the boot."""
    journey = told(
        (0, ACCEPTED, State.WAITING),
        (1, Trigger.POLICY_DEFERRED, State.WAITING),
        (2, Trigger.POLICY_ALLOWED, State.DOWNLOADING),
        (3, Trigger.DOWNLOAD_FAILED, State.DOWNLOADING),
        (4, Trigger.RESTARTED, State.DOWNLOADING, "boot-2"),
        (5, Trigger.CANCELLED, State.DOWNLOAD_FAILED, "boot-2"),
    )
    assert [stay.sign for stay in journey.stays] == [
        None,
        Sign.DEFERRED,
        None,
        Sign.RETRY,
        Sign.RESTART,
        Sign.COMMAND,
    ]
    assert [stay.rebooted for stay in journey.stays] == [False, False, False, False, True, False]


def test_an_update_that_goes_on_lasts_until_now() -> None:
    """And one that has settled does not."""
    going = told((0, ACCEPTED, State.WAITING), now_s=90)
    assert going.open
    assert going.stays[-1].span_s == 90
    settled = told((0, ACCEPTED, State.WAITING), (1, Trigger.CANCELLED, State.DOWNLOAD_FAILED), now_s=90)
    assert not settled.open
    assert settled.stays[-1].span_s == 0


def test_what_the_hub_has_not_acknowledged_is_pending() -> None:
    """The last ones, for reports go out in order."""
    journey = told(*GOOD, told_up_to=7)
    assert [stay.reported for stay in journey.stays] == [True] * 7 + [False] * 2
    assert journey.pending == 2


def test_a_pruned_journey_says_so() -> None:
    """It does not begin with the request."""
    assert told(*GOOD).whole
    assert told((0, "restored", State.DOWNLOADING)).whole
    assert not told(*GOOD[2:]).whole
    assert not told().whole
    assert told().visits == ()


def test_a_clock_that_was_set_cannot_tell_a_span() -> None:
    """Set back, or set at all: nobody knows how long it was."""
    assert between_s(START, START + timedelta(seconds=5)) == 5
    assert between_s(START, START - timedelta(seconds=5)) is None
    unset = datetime(1970, 1, 1, tzinfo=UTC)
    assert between_s(unset, START) is None
    assert between_s(unset, unset + timedelta(seconds=5)) == 5


@settings(max_examples=40)
@given(journeys())
def test_visits_hold_each_stay_once(journey: Journey) -> None:
    """In order, and two visits that follow each other are to different states."""
    assert tuple(stay for visit in journey.visits for stay in visit.stays) == journey.stays
    states = [visit.state for visit in journey.visits]
    assert all(one is not other for one, other in itertools.pairwise(states))
