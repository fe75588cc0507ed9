from __future__ import annotations

import subprocess
import sys

import pytest

from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.formats import FORMATS, TIMELINES, timeline
from fwsm.diagram.graph import Graph
from fwsm.diagram.overlay import PLAIN
from fwsm.diagram.palette import Theme
from tests.diagram.journeys import GOOD, LIFECYCLE, told
from tests.patience import PATIENCE_S

PROGRAM = """
import sys
from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.graph import Graph
from fwsm.diagram.overlay import PLAIN
sys.stdout.buffer.write("".join(text(Graph.of(Lifecycle()), PLAIN) for text in FORMATS.values()).encode())
"""


@pytest.mark.parametrize("name", FORMATS)
def test_text_ends_with_one_newline(name: str) -> None:
    """Each format is a text file of whole lines without blanks at their ends."""
    text = FORMATS[name](Graph.of(Lifecycle()), PLAIN)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not [line for line in text.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize("seed", ["0", "1", "4711"])
def test_output_does_not_depend_on_the_hash_seed(seed: str) -> None:
    """Sets in the table do not shuffle what is drawn."""
    here = "".join(text(Graph.of(Lifecycle()), PLAIN) for text in FORMATS.values())
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )
    assert done.stdout.decode() == here


@pytest.mark.parametrize("form", TIMELINES)
def test_a_timeline_has_its_formats(form: str) -> None:
    """Each ends as its kind of file does."""
    beginnings = {"text": b"Update ", "svg": b"<svg ", "png": b"\x89PNG", "json": b"{"}
    content = timeline(form, told(*GOOD), LIFECYCLE.states)
    assert content.startswith(beginnings[form])
    assert form == "png" or content.endswith(b"\n")


def test_a_png_has_a_page_of_its_own() -> None:
    """Light, unless dark is asked for."""
    auto, light, dark = (timeline("png", told(*GOOD), LIFECYCLE.states, theme) for theme in Theme)
    assert auto == light != dark
