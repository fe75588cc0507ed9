"""The picture: SVG that is valid, plays without a script, and shows what the terminal showed."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from docs.recording.__main__ import PICTURE, SIZE
from docs.recording.capture import Size, Written, capture
from docs.recording.drawing import draw
from docs.recording.screen import frames

SVG = "{http://www.w3.org/2000/svg}"
PROGRAM = r"""if True:
    for number, colour in enumerate((32, 31, 0)):
        print(f"\x1b[{colour}mline <{number}> & more\x1b[0m")
"""


def texts(document: str) -> list[list[str]]:
    """The words of each picture of an SVG, row by row."""
    root = ET.fromstring(document)
    rows = {
        f"#{row.get('id')}": " ".join(text.text or "" for text in row) for row in root.iterfind(f"{SVG}defs/{SVG}g")
    }
    strip = root.find(f"{SVG}svg/{SVG}g")
    assert strip is not None
    return [[rows[use.get("href", "")] for use in picture] for picture in strip]


def test_a_small_program_becomes_a_picture_that_plays() -> None:
    """Picture by picture in its colours, each at its time; the last one stands for whoever wants no motion."""
    size = Size(30, 4)
    ran = capture([sys.executable, "-c", PROGRAM], size)
    said = "".join(written.text for written in ran.written).splitlines(keepends=True)
    paced = replace(ran, written=tuple(Written(at_s, line) for at_s, line in zip((0.1, 0.2, 0.3), said, strict=True)))
    shown = frames(paced, prompt="$ it")
    drawn = draw(shown, size, title="a <title>", story="a story")
    lines = [f"line <{number}> & more" for number in range(3)]
    assert texts(drawn) == [["$ it", *lines[:count]] for count in range(3)] + [lines]
    assert re.search(r'class="green">line &lt;0&gt;', drawn)
    assert re.search(r'class="red">line &lt;1&gt;', drawn)
    stops = [float(stop) for stop in re.findall(r"([\d.]+)%\{transform:translateY", drawn)]
    assert len(stops) == len(shown) + 1
    assert stops == sorted(stops)
    assert (stops[0], stops[-1]) == (0, 100)
    assert "prefers-reduced-motion" in drawn
    assert "<script" not in drawn


def test_the_picture_of_the_readme_is_small_and_whole() -> None:
    """What `make recording` has left: below 300 KB, of the size that it makes, from the command to the verdict."""
    drawn = PICTURE.read_text()
    assert len(drawn.encode()) < 300_000
    pictures = texts(drawn)
    assert pictures[0] == ["$ fwsm demo"]
    assert all(len(picture) <= SIZE.rows for picture in pictures)
    assert re.fullmatch(r"All of it held, (\d+) of \1, in \d+ s\.", pictures[-1][-1])
    assert sum("SIGKILL" in line for line in {line for picture in pictures for line in picture}) == 2
    root = Path(__file__).parents[2]
    assert f"({PICTURE.relative_to(root)})" in (root / "README.md").read_text()
