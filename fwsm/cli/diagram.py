"""`fwsm diagram`: the lifecycle that runs, and what became of a device's update, drawn."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from fwsm.cli.extension import extension_option, imported
from fwsm.cli.output import Output, pass_output, written
from fwsm.core.lifecycle import Lifecycle
from fwsm.core.redaction import redacted
from fwsm.diagram.formats import FORMATS, PICTURES, SUFFIXES, TIMELINES, lifecycle, timeline
from fwsm.diagram.gallery import differences, save, write
from fwsm.diagram.graph import Graph
from fwsm.diagram.journey import Journey
from fwsm.diagram.overlay import Overlay
from fwsm.diagram.palette import Theme
from fwsm.diagram.timeline.text import Tone, text
from fwsm.store.logbook import read_logbook

__all__ = ["diagram"]

_FOLDER = "diagrams"
_STALE = 1  # exit code of --check


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice([*FORMATS, "png", "text"]),
    help="What to print; else what the name of --output says, or mermaid, and for a timeline text.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Print into this file.")
@click.option("--db", type=click.Path(path_type=Path), metavar="FILE", help="A device's database, to draw its update.")
@click.option("--current", is_flag=True, help="Light the state in which the update stands.")
@click.option("--history", is_flag=True, help="Write visits, tries and time on states and edges.")
@click.option("--timeline", "timed", is_flag=True, help="Draw the update along time instead.")
@click.option("--update", "update_id", metavar="ID", help="This update, by the beginning of its id; else the newest.")
@click.option(
    "--theme",
    type=click.Choice([theme.value for theme in Theme]),
    default=Theme.AUTO.value,
    show_default=True,
    help="For which page an SVG or PNG is; auto is as the reader's system is, and light for PNG.",
)
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
@extension_option("Draw the lifecycle with")
@pass_output
@click.pass_context
def diagram(
    context: click.Context,
    /,
    output_to: Output,
    *,
    form: str | None,
    output: Path | None,
    db: Path | None,
    current: bool,
    history: bool,
    timed: bool,
    update_id: str | None,
    theme: str,
    write_to: str | None,
    check_in: str | None,
    extension: str | None,
) -> None:
    """Draw the lifecycle of an update, from the table that runs, and what became of one on a device.

    \b
    Examples:
      fwsm diagram --output lifecycle.svg
      fwsm diagram --current --history --db d1/fwsm.db --output d1.png
      fwsm diagram --timeline --db d1/fwsm.db
      fwsm diagram --timeline --db d1/fwsm.db --update 0c8e --output update.svg
      fwsm diagram --write     # diagrams/ and the README's block
      fwsm diagram --check     # in CI: fails with a diff if they are stale
      fwsm diagram --extension mydevice:extension

    Exit codes: 0 done or all fresh; 1 --check found a stale file; 2 wrong use; 11 a file cannot be read or written,
    or there is no such update; 20 the database cannot be read.
    """
    device = current or history or timed
    printing = form is not None or output is not None or device
    if printing + (write_to is not None) + (check_in is not None) > 1:
        raise click.UsageError("--write, --check, and --format with --output exclude each other.")
    if timed and (current or history):
        raise click.UsageError("--timeline and --current or --history exclude each other.")
    if device != (db is not None) or (update_id is not None and db is None):
        raise click.UsageError("--current, --history and --timeline need --db, and --db and --update need one of them.")
    machine = Lifecycle(extension=imported(extension))
    if write_to is not None:
        for path in write(Graph.of(machine), Path(write_to)):
            click.echo(f"written: {path}")
    elif check_in is not None:
        _check(context, Graph.of(machine), Path(check_in))
    else:
        chosen = _format(form, output, timed=timed)
        if theme != Theme.AUTO and chosen not in PICTURES:
            raise click.UsageError(f"--theme is for {' and '.join(PICTURES)}.")
        journey = Journey.of(read_logbook(db, update_id), datetime.now(UTC)) if db else None
        if journey is None or not timed:
            drawn = _of_lifecycle(chosen, machine, journey, Theme(theme), current=current, history=history)
            _deliver(chosen, drawn, output)
        elif chosen == "text" and output is None:
            _tell(output_to, journey)
        else:
            _deliver(chosen, timeline(chosen, journey, machine.states, Theme(theme)), output)


def _of_lifecycle(
    form: str, machine: Lifecycle, journey: Journey | None, theme: Theme, *, current: bool, history: bool
) -> bytes:
    graph = Graph.of(machine)
    if journey is None:
        return lifecycle(form, graph, theme=theme)
    return lifecycle(form, graph.including(journey), Overlay.of(journey, current=current, history=history), theme)


def _format(form: str | None, output: Path | None, *, timed: bool) -> str:
    """The format that was asked for, or that the name of a file promises."""
    known, usual = (TIMELINES, "text") if timed else ((*FORMATS, "png"), "mermaid")
    chosen = form or (SUFFIXES.get(output.suffix.lower()) if output else None) or usual
    if chosen not in known:
        raise click.UsageError(f"This is not drawn as {chosen}. Choose --format {' or '.join(known)}.")
    return chosen


_COLOURS: Final[dict[Tone, dict[str, Any]]] = {
    Tone.PLAIN: {},
    Tone.HEAD: {"bold": True},
    Tone.STATE: {"fg": "cyan"},
    Tone.GOOD: {"fg": "green"},
    Tone.BAD: {"fg": "red"},
    Tone.RESTART: {"fg": "blue"},
    Tone.FAINT: {"dim": True},
}


def _tell(output: Output, journey: Journey) -> None:
    """Print a timeline as text, with colours where there are some, and plain letters where there are no others."""
    ascii_only = not (sys.stdout.encoding or "").lower().replace("-", "").startswith("utf")
    told = text(journey, ascii_only=ascii_only, paint=lambda tone, words: click.style(words, **_COLOURS[tone]))
    output.data({}, told.removesuffix("\n"))


def _deliver(form: str, content: bytes, output: Path | None) -> None:
    """Print it, or save it; a text without what may be secret in it."""
    picture = form == "png"
    content = content if picture else redacted(content.decode()).encode()
    if output is not None:
        save(output, content)
    elif picture and sys.stdout.isatty():
        raise click.UsageError("A PNG is nothing for a terminal; name a file with --output.")
    else:
        with written():
            click.echo(content, nl=False)


def _check(context: click.Context, graph: Graph, folder: Path) -> None:
    stale = differences(graph, folder)
    with written():
        for diff in stale:
            click.echo(diff, nl=False)
    if stale:
        click.echo(f"{len(stale)} stale: run fwsm diagram --write {folder} and commit what it changes.", err=True)
        context.exit(_STALE)
