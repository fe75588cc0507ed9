"""`fwsm diagram`: the lifecycle that runs, drawn."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from fwsm.core.lifecycle import NO_EXTENSION, Extension, Lifecycle
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.gallery import differences, save, write
from fwsm.diagram.graph import Graph
from fwsm.errors import ConfigError

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
@click.option(
    "--extension",
    metavar="MODULE:NAME",
    help="Draw the lifecycle with this extension; the module is imported from here or from what is installed.",
)
@click.pass_context
def diagram(
    context: click.Context,
    *,
    form: str | None,
    output: Path | None,
    write_to: str | None,
    check_in: str | None,
    extension: str | None,
) -> None:
    """Draw the lifecycle of an update, from the table that runs.

    \b
    Examples:
      fwsm diagram --format svg --output lifecycle.svg
      fwsm diagram --write     # diagrams/ and the README's block
      fwsm diagram --check     # in CI: fails with a diff if they are stale
      fwsm diagram --extension mydevice:extension

    Exit codes: 0 done or all fresh; 1 --check found a stale file; 2 wrong use; 11 a file cannot be read or written.
    """  # noqa: D301  # click reads the backspace character
    printing = form is not None or output is not None
    if printing + (write_to is not None) + (check_in is not None) > 1:
        raise click.UsageError("--write, --check, and --format with --output exclude each other.")
    graph = Graph.of(Lifecycle(extension=_imported(extension) if extension else NO_EXTENSION))
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


def _imported(name: str) -> Extension:
    """The extension that a program has under this name."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # it is somebody else's module
        raise ConfigError(
            f"the extension '{name}' cannot be imported",
            why=f"{type(error).__name__}: {error}",
            fix="Name a module and an object in it, like mydevice:extension",
        ) from error
    finally:
        sys.path.remove(str(Path.cwd()))
    if not isinstance(found, Extension):
        raise ConfigError(f"'{name}' is no extension", why=f"it is {type(found).__name__}", fix="Name a fwsm.Extension")
    return found


def _check(context: click.Context, graph: Graph, folder: Path) -> None:
    stale = differences(graph, folder)
    for diff in stale:
        click.echo(diff, nl=False)
    if stale:
        click.echo(f"{len(stale)} stale: run fwsm diagram --write {folder} and commit what it changes.", err=True)
        context.exit(_STALE)
