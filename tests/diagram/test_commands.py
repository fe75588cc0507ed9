"""The table of commands as a page shows it."""

from __future__ import annotations

import re
from pathlib import Path

from fwsm.core.commands import TABLE, Command, Outcome
from fwsm.diagram.commands import MARKERS, grid

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"


def rows(text: str) -> list[list[str]]:
    """The cells of the lines of a table, without the line below the head."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return [lines[0], *lines[2:]]


def test_every_cell_is_shown_with_its_status() -> None:
    """A row a status, a column a command; nobody waits for an answer to a removal."""
    head, *body = rows(grid().split("\n\n")[0])
    assert head[1:] == [command.value for command in Command]
    shown = {
        (row.strip("`"), command): cell for row, *cells in body for command, cell in zip(Command, cells, strict=True)
    }
    assert shown.keys() == TABLE.keys()
    for (row, command), answer in TABLE.items():
        words = answer.outcome.value
        silent = command is Command.DESIRED_REMOVED or answer.outcome is Outcome.IMPOSSIBLE
        assert shown[row, command] == (words if silent else f"{answer.status} {words}")


def test_every_refusal_is_shown_with_reason_and_fix() -> None:
    """And nothing else is."""
    _head, *body = rows(grid().split("\n\n")[1])
    refusals = {key: answer for key, answer in TABLE.items() if answer.outcome is Outcome.REFUSED}
    assert {(row.strip("`"), Command(command)): (why, fix) for row, command, why, fix in body} == {
        key: (answer.why, answer.fix) for key, answer in refusals.items()
    }


def test_the_page_shows_it_and_explains_each_outcome() -> None:
    """Mend it with fwsm diagram --write."""
    text = PAGE.read_text()
    opening, closing = MARKERS
    assert text[text.index(opening) : text.index(closing)] == f"{opening}\n{grid()}"
    explained = set(re.findall(r"^- \*\*(.+?)\*\*", text, re.MULTILINE))
    assert explained == {outcome.value for outcome in Outcome} - {Outcome.SHOWN.value, Outcome.IMPOSSIBLE.value}
