"""`fwsm diagram`: the lifecycle that runs, drawn."""

from __future__ import annotations

from pathlib import Path

import click

from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.gallery import differences, save, write
from fwsm.diagram.graph import Graph

__all__ = ["diagram"]

_FOLDER = "diagrams"
_STALE = 1  # exit code of --check


@click.command()
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="What to print; mermaid if nothing is said.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Print into this file.")
@click.option(
    "--write",
    "write_to",
    is_flag=False,
    flag_value=_FOLDER,
    metavar="[DIR]",
    help=f"Write all formats into DIR (else {_FOLDER}/) and the block of the README.md beside it.",
)
@click.option(
    "--check",
    "check_in",
    is_flag=False,
    flag_value=_FOLDER,
    metavar="[DIR]",
    help=f"Compare with what --write would write; exit code {_STALE} and a diff for each stale file.",
)
@click.pass_context
def diagram(
    context: click.Context, form: str | None, output: Path | None, write_to: str | None, check_in: str | None
) -> None:
    """Draw the lifecycle of an update, from the table that runs.

    \b
    Examples:
      fwsm diagram --format svg --output lifecycle.svg
      fwsm diagram --write     # diagrams/ and the README's block
      fwsm diagram --check     # in CI: fails with a diff if they are stale

    Exit codes: 0 done or all fresh; 1 --check found a stale file; 2 wrong use; 11 a file cannot be read or written.
    """  # noqa: D301  # click reads the backspace character
    printing = form is not None or output is not None
    if printing + (write_to is not None) + (check_in is not None) > 1:
        raise click.UsageError("--write, --check, and --format with --output exclude each other.")
    graph = Graph.of(Lifecycle())
    if write_to is not None:
        for path in write(graph, Path(write_to)):
            click.echo(f"written: {path}")
    elif check_in is not None:
        _check(context, graph, Path(check_in))
    else:
        text = FORMATS[form or "mermaid"](graph)
        if output is None:
            click.echo(text, nl=False)
        else:
            save(output, text)


def _check(context: click.Context, graph: Graph, folder: Path) -> None:
    stale = differences(graph, folder)
    for diff in stale:
        click.echo(diff, nl=False)
    if stale:
        click.echo(f"{len(stale)} stale: run fwsm diagram --write {folder} and commit what it changes.", err=True)
        context.exit(_STALE)
