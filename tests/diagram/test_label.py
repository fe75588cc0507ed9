from __future__ import annotations

from fwsm.core.guards import attempts_left, cause_transient
from fwsm.core.lifecycle import Row, Trigger
from fwsm.core.update import State
from fwsm.diagram.geometry import Point
from fwsm.diagram.graph import Edge, Way
from fwsm.diagram.label import Align, Label, Line, Spot

EDGE = Edge(
    State.DOWNLOADING,
    State.DOWNLOADING,
    (
        Row(
            Trigger.DOWNLOAD_FAILED,
            State.DOWNLOADING,
            State.DOWNLOADING,
            guards=(cause_transient, attempts_left),
        ),
        Row(Trigger.RESTARTED, State.DOWNLOADING, State.DOWNLOADING),
    ),
)


def test_guards_stand_below_their_trigger() -> None:
    """Each trigger and each guard has a line; guards are in smaller type, in brackets."""
    label = Label.of(EDGE, Spot(Point(0, 0)))
    assert label.lines == (
        Line("download_failed", Way.FACT),
        Line("[cause_transient,", Way.FACT, guard=True),
        Line(" attempts_left]", Way.FACT, guard=True),
        Line("restarted", Way.RESTART),
    )
    assert label.lines[1].size < label.lines[0].size


def test_label_grows_from_its_spot() -> None:
    """The spot is the corner that stays: left or right, top or bottom."""
    below, above = (
        Label.of(EDGE, Spot(Point(100, 50))).box,
        Label.of(EDGE, Spot(Point(100, 50), Align.RIGHT, up=True)).box,
    )
    assert (below.left, below.top) == (100, 50)
    assert (above.right, above.bottom) == (100, 50)
    assert (below.width, below.height) == (above.width, above.height)


def test_box_is_as_wide_as_the_widest_line() -> None:
    """No line is wider than its label, and a sign before a line counts."""
    label = Label.of(EDGE, Spot(Point(0, 0)))
    assert label.box.width == max(line.width for line in label.lines)
    marked, plain = Line("restarted", Way.RESTART), Line("restarted", Way.FACT)
    assert marked.marked
    assert marked.width > plain.width


def test_lines_stand_inside_the_box() -> None:
    """Baselines run down the box and end above its bottom."""
    label = Label.of(EDGE, Spot(Point(0, 10)))
    baselines = [baseline for _, baseline in label.placed()]
    assert baselines == sorted(baselines)
    assert label.box.top < baselines[0]
    assert baselines[-1] < label.box.bottom
