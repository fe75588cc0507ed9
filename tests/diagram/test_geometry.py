from __future__ import annotations

from fwsm.diagram.geometry import Box, Point, rounded, segments


def test_boxes_meet_when_they_share_room() -> None:
    """Overlapping boxes meet; boxes that only touch do not."""
    box = Box(0, 0, 10, 10)
    assert box.meets(Box(9, 9, 20, 20))
    assert not box.meets(Box(10, 0, 20, 10))
    assert not box.meets(Box(0, 10, 10, 20))


def test_line_meets_the_box_it_runs_through() -> None:
    """A line through a box meets it; one along its border or up to it does not."""
    box = Box(0, 0, 10, 10)
    through, along, up_to = Box(-5, 5, 15, 5), Box(-5, 10, 15, 10), Box(10, 5, 20, 5)
    assert box.meets(through)
    assert not box.meets(along)
    assert not box.meets(up_to)


def test_lines_meet_where_they_cross() -> None:
    """Two lines that cross meet; two that run side by side do not."""
    level, upright = Box(0, 5, 10, 5), Box(5, 0, 5, 10)
    assert level.meets(upright)
    assert not level.meets(Box(0, 6, 10, 6))


def test_box_around_a_point_has_it_in_the_middle() -> None:
    """Size and middle are as asked."""
    box = Box.around(Point(50, 20), 40, 10)
    assert box == Box(30, 15, 70, 25)
    assert (box.middle, box.width, box.height) == (Point(50, 20), 40, 10)


def test_box_holds_what_lies_inside() -> None:
    """A box holds itself and smaller ones inside, and none that sticks out."""
    box = Box(0, 0, 10, 10)
    assert box.holds(box)
    assert box.holds(Box(1, 1, 9, 9))
    assert not box.holds(Box(1, 1, 9, 11))


def test_segments_are_the_straight_pieces() -> None:
    """A bent line falls into pieces, whichever way it runs."""
    assert segments((Point(10, 0), Point(10, 5), Point(0, 5))) == (Box(10, 0, 10, 5), Box(0, 5, 10, 5))


def test_corner_is_a_curve() -> None:
    """The curve starts and ends one radius from the corner, which is its control point."""
    path = rounded((Point(0, 0), Point(100, 0), Point(100, 100)), 16)
    assert path == "M0 0L84 0Q100 0 100 16L100 100"


def test_short_side_is_shared_by_its_corners() -> None:
    """Between two near corners each curve takes half of the way."""
    path = rounded((Point(0, 0), Point(100, 0), Point(100, 10), Point(0, 10)), 16)
    assert path == "M0 0L84 0Q100 0 100 5L100 5Q100 10 84 10L0 10"
