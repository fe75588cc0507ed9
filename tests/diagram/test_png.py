from __future__ import annotations

import struct

from fwsm.diagram.formats import lifecycle
from fwsm.diagram.graph import Graph
from fwsm.diagram.palette import Theme
from fwsm.diagram.png import rendered
from tests.diagram.journeys import LIFECYCLE

TEXT = '<text y="15" font-family="{font}">{word}</text>'
SMALL = f'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20">{TEXT}</svg>'


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_a_picture_has_two_dots_for_each_unit() -> None:
    """Sharp on today's screens."""
    assert _size(rendered(SMALL.format(font="sans-serif", word="x"))) == (120, 40)


def test_letters_are_drawn_in_both_kinds_of_type() -> None:
    """With the fonts that come along, and the machine's for what these cannot write."""
    empty = rendered(SMALL.format(font="sans-serif", word=""))
    drawn = {rendered(SMALL.format(font=font, word="Wi")) for font in ("sans-serif", "monospace")}
    assert len(drawn | {empty}) == 3
    assert _size(rendered(SMALL.format(font="sans-serif", word="更新"))) == (120, 40)


def test_the_lifecycle_is_light_unless_dark_is_asked_for() -> None:
    """A PNG cannot be as the reader's system is."""
    graph = Graph.of(LIFECYCLE)
    auto, light, dark = (lifecycle("png", graph, theme=theme) for theme in Theme)
    assert auto == light != dark
    assert _size(dark) == (2400, 2112)
