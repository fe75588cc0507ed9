"""The table of commands as Markdown: a row a status, a column a command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.commands import TABLE, Command, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fwsm.core.commands import Answer

__all__ = ["MARKERS", "grid"]

MARKERS: Final = ("<!-- fwsm:commands -->", "<!-- /fwsm:commands -->")
"""What stands around it on the page."""

# Nobody waits for an answer to these.
_SILENT: Final = (Command.DESIRED_REMOVED,)


def grid() -> str:
    """The table, and below it why something is refused."""
    rows = list(dict.fromkeys(row for row, _ in TABLE))
    lines = [("", *(command.value for command in Command)), ("---",) * (len(Command) + 1)]
    lines += [(_name(row), *(_cell(TABLE[row, command], command) for command in Command)) for row in rows]
    refusals = [
        (_name(row), command.value, answer.why, answer.fix)
        for (row, command), answer in TABLE.items()
        if answer.outcome is Outcome.REFUSED
    ]
    why = [("", "refused", "reason", "fix"), ("---",) * 4, *refusals]
    return f"{_lines(lines)}\n{_lines(why)}"


def _lines(rows: Sequence[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def _name(row: str) -> str:
    return row if " " in row else f"`{row}`"


def _cell(answer: Answer, command: Command) -> str:
    if answer.outcome is Outcome.IMPOSSIBLE or command in _SILENT:
        return answer.outcome.value
    return f"{answer.status} {answer.outcome.value}"
