from __future__ import annotations

from datetime import timedelta

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import Failure, State
from fwsm.diagram.graph import Graph, Way
from fwsm.diagram.overlay import PLAIN, Overlay, counted
from fwsm.diagram.tally import Passed, Spent
from fwsm.errors import Kind
from fwsm.store.history import ACCEPTED
from tests.diagram.journeys import GOOD, LIFECYCLE, START, told

EDGES = {(edge.source, edge.target): edge for edge in Graph.of(LIFECYCLE).edges}


def test_where_an_update_stands_is_told_in_words() -> None:
    """Since when, which try, what for, and what went wrong."""
    journey = told(
        (0, ACCEPTED, State.WAITING),
        (5, Trigger.POLICY_DEFERRED, State.WAITING),
        now_s=65,
        attempt=3,
        reason="outside\nthe window",
        until=START + timedelta(hours=9),
        failure=Failure("downloadInterrupted", "…", Kind.TRANSIENT),
    )
    overlay = Overlay.of(journey, current=True, history=False)
    assert overlay.caption == "Update 0c8e88e7 to 2.0, as of 2026-05-04 12:01:05 UTC"
    assert overlay.here is not None
    assert overlay.here.words == (
        "since 2026-05-04 12:00:00 UTC (1 m 5 s)",
        "try 3",
        "waits: outside the window",
        "until 2026-05-04 21:00:00 UTC",
        "error downloadInterrupted",
    )


def test_of_a_pruned_history_only_the_state_is_known() -> None:
    """There is nothing else to say."""
    overlay = Overlay.of(told(version=None), current=True, history=True)
    assert overlay.caption.startswith("Update 0c8e88e7, as of")
    assert overlay.here is not None
    assert (overlay.here.state, overlay.here.words) == (State.WAITING, ())
    assert overlay.lights(State.WAITING)
    assert not overlay.missed(State.WAITING)
    assert overlay.missed(State.DOWNLOADING)


def test_edges_tell_how_they_were_taken() -> None:
    """How often, after how long, in which way."""
    overlay = Overlay.of(told(*GOOD), current=False, history=True)
    again = EDGES[State.DOWNLOADING, State.DOWNLOADING]
    assert overlay.taken(again) == "2\N{MULTIPLICATION SIGN} 8.0 s"
    assert overlay.followed(again, Way.RESTART)
    assert overlay.followed(again, Way.FACT)
    failed = EDGES[State.DOWNLOADING, State.DOWNLOAD_FAILED]
    assert overlay.taken(failed) == ""
    assert not overlay.followed(failed, Way.COMMAND)
    assert overlay.passed(State.ROLLING_BACK) is None
    assert overlay.missed(State.ROLLING_BACK)
    assert not overlay.missed(State.DOWNLOADING)


def test_the_plain_lifecycle_tells_nothing_of_a_device() -> None:
    """Nothing is lit, nothing is missed."""
    assert not any(PLAIN.lights(state) or PLAIN.missed(state) or PLAIN.passed(state) for state in State)
    assert not any(PLAIN.taken(edge) for edge in EDGES.values())


def test_what_was_done_in_a_state_is_counted_in_two_lines_at_most() -> None:
    """Tries and restarts only where there were more than the visit itself."""
    assert counted(Passed(1, 1, 0, Spent())) == ("1\N{MULTIPLICATION SIGN}",)
    assert counted(Passed(2, 2, 0, Spent(4.2))) == ("2\N{MULTIPLICATION SIGN} 4.2 s",)
    assert counted(Passed(1, 3, 1, Spent(60))) == ("1\N{MULTIPLICATION SIGN} 1 m", "3 tries, 1 restart")
    assert counted(Passed(1, 1, 2, Spent(60)))[1] == "2 restarts"
