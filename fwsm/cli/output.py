"""The only printing: data to stdout, talk to stderr.

With `--json` data is one JSON object a line, and nothing else goes to stdout; a failure is such an object too. Colour
and the live bar need a terminal; NO_COLOR turns colour off, FORCE_COLOR on, and no fact is told by colour alone.

Everything passes one gate that takes out secrets: keys, tokens, and user, query and fragment of web addresses, which
devices repeat in reports and messages. Only a command that is there to show a connection string lets its key through.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

import click

from fwsm.cli.progress import Bar, LineBar, RichBar, SilentBar
from fwsm.core.redaction import redacted, without_tails
from fwsm.errors import FwsmError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["Output", "json_option", "pass_output", "written"]


class Output:
    """Where one command speaks.

    Attributes:
        json: whether data is for programs.
    """

    def __init__(self) -> None:
        self.json = False
        self._bar: Bar = SilentBar()
        self._voice: Callable[[int, str], None] | None = None

    def speak_through(self, voice: Callable[[int, str], None]) -> None:
        """Say everything that is no result through `voice`, a logger's `log`, and not to stderr."""
        self._voice = voice

    def data(self, document: Mapping[str, Any], text: str, *, keys: bool = False) -> None:
        """Print a result: the document with `--json`, else the text; with `keys`, connection strings stay whole."""
        line = _json(document) if self.json else text
        with self._bar.aside(), written():
            click.echo(without_tails(line) if keys else redacted(line), color=_color(sys.stdout))

    def say(self, text: str) -> None:
        """Tell a person something that is no result."""
        self._tell(logging.INFO, text)

    def fail(self, error: FwsmError) -> None:
        """Print what happened, why, and what to do next."""
        lines = [click.style("error: ", fg="red", bold=True) + error.what]
        lines += [f"  {label}: {text}" for label, text in (("why", error.why), ("fix", error.fix)) if text]
        self._tell(logging.ERROR, "\n".join(lines))
        shown = {"code": error.code, "what": error.what, "why": error.why, "fix": error.fix}
        self.report(shown | {"exitCode": error.exit_code})

    def report(self, error: Mapping[str, Any]) -> None:
        """Print an error for programs, if data is for programs."""
        if self.json:
            with suppress(FwsmError):  # it may be stdout that failed
                self.data({"event": "error", "error": error}, "")

    @contextmanager
    def bar(self) -> Iterator[Bar]:
        """A bar for one thing that goes from 0 to 100 percent, below whatever else is printed meanwhile."""
        with self._new_bar() as bar:
            self._bar = bar
            try:
                yield bar
            finally:
                self._bar = SilentBar()

    def _tell(self, level: int, text: str) -> None:
        if self._voice is not None:
            self._voice(level, redacted(click.unstyle(text)))
            return
        with self._bar.aside():
            click.echo(redacted(text), err=True, color=_color(sys.stderr))

    def _new_bar(self) -> Bar:
        if self.json:
            return SilentBar()
        if sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
            try:
                return RichBar()
            except ModuleNotFoundError:
                pass  # rich comes with the extra `ui`
        return LineBar(self.say)


pass_output = click.make_pass_decorator(Output, ensure=True)


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --json, which switches its `Output`."""
    return click.option(
        "--json",
        is_flag=True,
        is_eager=True,  # so that an error in another option is told in JSON as well
        expose_value=False,
        callback=_switch,
        help="One JSON object a line on stdout.",
    )(command)


def _switch(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    context.ensure_object(Output).json |= wanted


@contextmanager
def written() -> Iterator[None]:
    """Say so if the results cannot be written; that nobody reads them any more is for `cli.failure`.

    Raises:
        FwsmError: they cannot.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FwsmError(
            "the results cannot be written to where stdout leads", why=error.strerror or "", fix="Lead stdout elsewhere"
        ) from error


def _json(document: Mapping[str, Any]) -> str:
    """In the letters that there are, else in escapes: stdout's own escapes would not be JSON."""
    line = json.dumps(document, ensure_ascii=False)
    try:
        line.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document)
    return line


def _color(stream: TextIO | None) -> bool:
    """Whether colours belong there; None stands for a stream that was closed before the program began."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream is not None and stream.isatty())
