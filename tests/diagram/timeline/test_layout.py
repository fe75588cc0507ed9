"""Measures the picture: words lie on nothing, and everything is on the page."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from hypothesis import given, settings

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram.geometry import Box
from fwsm.diagram.timeline.layout import RIGHT, TOP, WIDTH, Layout
from fwsm.diagram.timeline.parts import Shape
from tests.diagram.journeys import GOOD, LIFECYCLE, journeys, told

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey

ORDER = LIFECYCLE.states


def test_states_have_lanes_in_the_order_of_the_lifecycle() -> None:
    """With what was done there; then the reports, and the incidents if there are any."""
    layout = Layout.of(told(*GOOD, told_up_to=7, incidents=[(3, "x")]), ORDER)
    assert [lane.name for lane in layout.lanes] == [
        "waiting",
        "downloading",
        "downloadComplete",
        "installing",
        "rebooting",
        "confirming",
        "applyComplete",
        "reports",
        "incidents",
    ]
    assert layout.lanes[1].sums == ("19 s", "2 tries, 1 restart")
    assert layout.lanes[-2].sums == ("7 acknowledged", "2 pending")
    assert [lane.name for lane in Layout.of(told(*GOOD), ORDER).lanes][-1] == "reports"


def test_a_strange_state_has_a_lane_too() -> None:
    """Behind the state from which it was entered."""
    strange = (
        *GOOD[:5],
        (20.1, Trigger.POLICY_ALLOWED, "applying.backingUp"),
        (31, Trigger.STEP_DONE, State.INSTALLING),
    )
    names = [lane.name for lane in Layout.of(told(*strange, now_s=40), ORDER).lanes]
    assert names == ["waiting", "downloading", "downloadComplete", "backingUp", "installing", "reports"]
    pruned = told((0, Trigger.STEP_FAILED, "applying.backingUp"), (1, Trigger.STEP_DONE, State.INSTALLING), now_s=2)
    assert [lane.name for lane in Layout.of(pruned, ORDER).lanes] == ["backingUp", "installing", "reports"]


def test_every_event_has_its_mark() -> None:
    """Tries, restarts, reboots, reports, incidents, and the end."""
    layout = Layout.of(told(*GOOD, told_up_to=7, incidents=[(3, "x")]), ORDER)
    shapes = [mark.shape for mark in layout.marks]
    assert {shape: shapes.count(shape) for shape in Shape if shape in shapes} == {
        Shape.RESTART: 2,
        Shape.RETRY: 1,
        Shape.REBOOT: 1,
        Shape.REPORTED: 7,
        Shape.PENDING: 2,
        Shape.INCIDENT: 1,
        Shape.GOOD: 1,
    }


def test_a_bar_lasts_as_long_as_the_visit() -> None:
    """The next one begins below its end, and the way there is drawn."""
    layout = Layout.of(told(*GOOD), ORDER)
    assert len(layout.bars) == 6  # where it has settled it stays, and that is no time of the update's
    assert [bar.box.right for bar in layout.bars[:-1]] == [bar.box.left for bar in layout.bars[1:]]
    assert [link.box.left for link in layout.links[:-1]] == [bar.box.left for bar in layout.bars[1:]]
    assert layout.now is None
    assert not any(bar.open for bar in layout.bars)


def test_what_goes_on_ends_now() -> None:
    """And is no whole bar yet."""
    layout = Layout.of(told(*GOOD[:3], now_s=60), ORDER)
    assert layout.now == layout.bars[-1].box.right
    assert layout.bars[-1].open


def test_marks_that_are_many_are_small() -> None:
    """So they do not hide each other."""
    rows = [*GOOD[:2], *((2.0 + n, Trigger.DOWNLOAD_FAILED, State.DOWNLOADING) for n in range(100))]
    marks = [mark for mark in Layout.of(told(*rows), ORDER).marks if mark.shape is Shape.RETRY]
    assert len(marks) == 100
    assert all(0.3 < mark.scale < 0.6 for mark in marks)


@settings(max_examples=40)
@given(journeys())
def test_words_lie_on_nothing(journey: Journey) -> None:
    """Not on each other, on ways, on marks; and what is on the page is wholly on it."""
    layout = Layout.of(journey, ORDER)
    page = Box(0, 0, WIDTH, layout.height)
    ways = [link.box for link in layout.links]
    words = [word.box for word in layout.words]
    assert not any(one.meets(other) for one, other in combinations(words, 2))
    assert not any(word.meets(way) for word in words for way in ways)
    assert all(page.holds(box) for box in (*words, *(bar.box for bar in layout.bars)))
    assert all(word.right < RIGHT for word in words)
    times = [Box(tick.at - 32, 0, tick.at + 32, 1) for tick in layout.ticks]  # ten characters, the longest there are
    assert not any(one.meets(other) for one, other in combinations(times, 2))
    assert all(TOP - 12 < mark.at.y < layout.floor for mark in layout.marks)
    assert all(lane.y < layout.floor for lane in layout.lanes)
    assert all(len(line) <= 20 for lane in layout.lanes for line in lane.sums)
