from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.timeline.text import WIDTH, Tone, text
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey

WHOLE = """\
Update 0c8e88e7 to 2.0: applyComplete
2026-05-04 12:00:00 to 12:00:50 UTC, 50 s, 2 restarts, 1 reboot, 1 retry,
1 incident, 7 of 9 reports acknowledged

2026-05-04
12:00:00 *   waiting               1.0 s #                    accepted
12:00:01 *   downloading           3.0 s ##                   policy_allowed
12:00:04 * x downloading           5.0 s  ###                 download_failed
             error downloadInterrupted
12:00:09 * @ downloading            11 s    #####             restarted
12:00:12   ! hookFailed: it raised ValueError
12:00:20 *   downloadComplete     0.10 s        ##            download_verified
12:00:20 *   installing            9.9 s         #####        policy_allowed
12:00:30 *   rebooting              15 s             #######  installed
           ^ the device has booted
12:00:45 o @ confirming            5.0 s                   ## restarted
12:00:50 o   applyComplete                                    health_confirmed

* report acknowledged, o not yet, @ the process came back,
x failed, tried again
"""


def test_an_update_is_told_line_by_line() -> None:
    """Each entry with its time, its report, how long it was, a bar that shows when, and what led there."""
    assert text(told(*GOOD, told_up_to=7, incidents=[(12, "it raised ValueError")]), ascii_only=True) == WHOLE


def test_a_clock_that_was_set_is_told() -> None:
    """Between the entries, and above all of them."""
    drawn = text(told(GOOD[0], (-500, Trigger.POLICY_ALLOWED, State.DOWNLOADING), now_s=-400), ascii_only=True)
    assert "\n           ~ the clock was set back by about 8 m 20 s\n" in drawn
    assert "The clock was set meanwhile" in drawn


def test_a_long_wait_is_cut() -> None:
    """The bar says so."""
    rows = ((0.0, ACCEPTED, State.WAITING), *((at + 900_000, *rest) for at, *rest in GOOD[1:]))
    drawn = text(told(*rows), ascii_only=True)
    assert "10 d 10 h ///" in drawn
    assert "/ not to scale" in drawn
    assert "2026-05-14\n" in drawn


def test_what_goes_on_has_another_bar() -> None:
    """It is not at its end."""
    assert ":::" in text(told(*GOOD[:2], now_s=9), ascii_only=True)


def test_colours_change_no_width() -> None:
    """Taken away, the same is left."""
    journey = told(*GOOD, incidents=[(3, "x")])
    seen = set()

    def paint(tone: Tone, words: str) -> str:
        seen.add(tone)
        return f"<{words}>"

    assert text(journey, paint=paint).replace("<", "").replace(">", "").replace(" \n", "\n") == text(journey)
    assert seen == {Tone.HEAD, Tone.STATE, Tone.GOOD, Tone.BAD, Tone.RESTART, Tone.FAINT}


@settings(max_examples=40)
@given(journeys())
def test_any_journey_fits_a_terminal(journey: Journey) -> None:
    """In eighty columns, in plain letters as well."""
    for ascii_only in (True, False):
        drawn = text(journey, ascii_only=ascii_only)
        assert max(map(len, drawn.splitlines())) <= WIDTH
        assert drawn.isascii() or not ascii_only
        assert all(line == line.rstrip() for line in drawn.splitlines())
    assert sum(line[2:3] == ":" for line in drawn.splitlines()) == len(journey.stays) + len(journey.incidents)
