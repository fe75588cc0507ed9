"""The page of the documentation that shows the help of every command: docs/reference/cli.md.

It is written by `python -m fwsm.cli.manual docs/reference/cli.md`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from fwsm.cli import program

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page"]

_WIDTH: Final = 110
_HEAD: Final = """# Commands of the command line

What `--help` says, command by command; written by `python -m fwsm.cli.manual docs/reference/cli.md`.
"""


def page() -> str:
    """Return the page as Markdown."""
    context = click.Context(program, info_name="fwsm", max_content_width=_WIDTH, **program.context_settings)
    return "\n".join([_HEAD, *_sections(program, context)])


def _sections(command: click.Command, context: click.Context) -> Iterator[str]:
    context.terminal_width = _WIDTH
    text = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield f"## `{context.command_path}`\n\n```text\n{text}\n```\n"
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            if found is not None:
                yield from _sections(found, click.Context(found, parent=context, info_name=name))


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
