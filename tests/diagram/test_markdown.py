from __future__ import annotations

import re

from fwsm.core.lifecycle import TABLE, Lifecycle, Trigger
from fwsm.core.update import State
from fwsm.diagram.graph import Graph
from fwsm.diagram.markdown import text
from fwsm.diagram.overlay import Overlay
from tests.diagram.journeys import GOOD, told

TEXT = text(Graph.of(Lifecycle()))


def _grid(heading: str) -> list[list[str]]:
    lines = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert set(rows[1]) == {"---"}
    assert {len(row) for row in rows} == {len(rows[0])}
    return rows[2:]


def test_table_has_every_row() -> None:
    """Each row of the table is a line, with guards, next state and effects."""
    said = sorted((row[1], row[0], row[3], row[2]) for row in _grid("The table"))
    assert said == sorted(
        (
            f"`{row.trigger}`",
            f"`{row.source}`",
            f"`{row.target}`" if row.target else "*unchanged*",
            ", ".join(f"`{guard.__name__}`" for guard in row.guards),
        )
        for row in TABLE
    )


def test_tables_stand_apart_from_the_text_before() -> None:
    """GitHub only takes a table that follows an empty line."""
    for match in re.finditer(r"(?m)^\| --- ", TEXT):
        before = TEXT[: match.start()].splitlines()
        assert before[-2] == ""


def test_table_says_what_the_twin_shows() -> None:
    """The twin's column has status, substatus and the error that the row names."""
    (row,) = (row for row in _grid("The table") if row[0] == "`applying.rebooting`" and row[3] == "`applyFailed`")
    assert row[4:] == ["restart + 1, old firmware runs", "`applyFailed` / `rolledBack`, error `bootFellBack`"]


def test_each_state_says_what_it_does_when_the_process_comes_back() -> None:
    """Each state has a section with as many numbered lines as it has restart rows, the last without a condition."""
    sections = TEXT.partition("## When the process comes back")[2].partition("\n## Guards")[0].split("\n### ")[1:]
    assert {section.partition("\n")[0] for section in sections} == {f"`{state}`" for state in State}
    for section in sections:
        lines = [line for line in section.splitlines() if re.match(r"\d+\. ", line)]
        rows = [row for row in TABLE if row.trigger is Trigger.RESTARTED and section.startswith(f"`{row.source}`\n")]
        assert len(lines) == len(rows)
        for line, row in zip(lines, rows, strict=True):
            assert all(f"`{guard.__name__}`" in line for guard in row.guards)
            assert (f"`{row.target}`" if row.target else "nothing changes") in line
        assert re.match(r"\d+\. (Always|Otherwise): ", lines[-1])


def test_every_guard_is_explained() -> None:
    """Each guard of the table is there with the sentence that it says of itself."""
    said = {row[0].strip("`"): row[1] for row in _grid("Guards")}
    assert said == {guard.__name__: guard.__doc__ for row in TABLE for guard in row.guards}


def test_a_device_comes_first() -> None:
    """Where it stands, its states and its edges; the pages beside it are somewhere else."""
    journey = told(*GOOD, version="2|0 <b>")
    drawn = text(Graph.of(Lifecycle()), Overlay.of(journey, current=True, history=True))
    assert drawn.startswith("# Update 0c8e88e7 to 2\\|0 \\<b\\>, as of 2026-05-04 12:00:50 UTC\n\nIt stands in")
    assert "| `downloading` | 1 | 2 | 1 | 19 s |\n" in drawn
    assert "| `downloading` | `downloadComplete` | 1 | 11 s |\n" in drawn
    assert "lifecycle.svg" not in drawn
    assert drawn.index("| from | to |") < drawn.index("# The lifecycle of an update") < drawn.index("## The table")


def test_a_device_of_which_little_is_known() -> None:
    """Only where it stands."""
    drawn = text(Graph.of(Lifecycle()), Overlay.of(told(), current=True, history=True))
    assert "It stands in **`waiting`**.\n" in drawn
    assert "| from | to |" not in drawn
