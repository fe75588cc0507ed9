"""How commands end when they cannot go on, and the page that documents it."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import fwsm.errors
from fwsm.cli import program
from fwsm.cli.failure import BUG, INTERRUPTED, READER_GONE, reported_failures
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.errors import DeviceOfflineError, FwsmError

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "exit-codes.md"


def _end(error: BaseException, *options: str, **environment: str) -> Result:
    """Run a command that ends with `error`."""

    @click.command()
    @json_option
    @pass_output
    def command(output: Output) -> None:
        with reported_failures(output):
            raise error

    return CliRunner().invoke(command, options, env={"FWSM_DEBUG": None, **environment})


def test_error_is_told_as_what_why_and_fix() -> None:
    """Each on its line on stderr, nothing on stdout, and the error's own exit code."""
    result = _end(DeviceOfflineError("d1 is offline", why="no power", fix="Plug it in"))
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr == "error: d1 is offline\n  why: no power\n  fix: Plug it in\n"


def test_what_is_not_known_takes_no_line() -> None:
    """An error without a cause or a cure is one line."""
    assert _end(FwsmError("oh")).stderr == "error: oh\n"


def test_bug_is_one_short_message() -> None:
    """What nobody foresaw shows no traceback unless it is asked for."""
    result = _end(ZeroDivisionError("division by zero"))
    assert result.exit_code == BUG == 1
    assert result.stderr.splitlines() == [
        "error: this should not have happened",
        "  why: ZeroDivisionError: division by zero",
        "  fix: Run it again with FWSM_DEBUG=1 and report what you see",
    ]


def test_bug_is_shown_whole_to_who_wants_to_see_it() -> None:
    """FWSM_DEBUG=1 brings the traceback."""
    assert "Traceback (most recent call last)" in _end(ZeroDivisionError("x"), FWSM_DEBUG="1").stderr


def test_bug_is_an_object_too() -> None:
    """A program that reads JSON learns of a bug as of any error."""
    result = _end(ZeroDivisionError("x"), "--json")
    assert result.stdout.startswith('{"event": "error", "error": {"code": "error", "what": "this should not')


def test_interruption_has_the_code_of_the_shells() -> None:
    """Ctrl-C is 128 + SIGINT."""
    result = _end(KeyboardInterrupt())
    assert (result.exit_code, result.stderr) == (INTERRUPTED, "interrupted\n")


def test_clicks_own_exceptions_pass() -> None:
    """A usage error is shown as click shows it."""
    result = _end(click.UsageError("not so"))
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: not so\n")


def test_what_was_typed_is_quoted_without_its_secrets() -> None:
    """Whoever reads over the shoulder."""
    result = _end(click.UsageError("bad value 'https://h/fw?sig=geheim'"))
    assert result.stderr.endswith("Error: bad value 'https://h/fw'\n")


@pytest.mark.parametrize(
    "line",
    [
        "diagram --no-such --json",
        "watch --json",
        "device nonsense --json",
        "nonsense --json",
        "--json --nonsense",
        "hub run --json --port x",
    ],
)
def test_wrong_use_is_an_object_for_programs(line: str) -> None:
    """Wherever on the line --json stands; the rest is for people, as ever."""
    result = CliRunner().invoke(program, line.split())
    (document,) = [json.loads(text) for text in result.stdout.splitlines()]
    assert result.exit_code == document["error"]["exitCode"] == 2
    assert document["error"]["code"] == "usage"
    assert document["error"]["what"]


def test_page_lists_every_error_with_its_code() -> None:
    """The table of the page is the table of the error tree."""
    tree: dict[int, set[str]] = {}
    for name in fwsm.errors.__all__:
        value: Any = getattr(fwsm.errors, name)
        if issubclass(value, FwsmError):
            tree.setdefault(value.exit_code, set()).add(value.code)
    rows = re.findall(r"^\| (\d+) \| [^|]+ \| (.+) \|$", _PAGE.read_text(), re.MULTILINE)
    assert {int(code): set(re.findall(r"`(\w+)`", errors)) for code, errors in rows} == tree


@pytest.mark.parametrize("code", [0, 2, 128 + signal.SIGHUP, INTERRUPTED, READER_GONE, 128 + signal.SIGTERM])
def test_page_lists_the_codes_without_an_error(code: int) -> None:
    """What ends a command without an error of ours is documented too."""
    assert re.search(rf"^\| {code} \| [^|]+ \|$", _PAGE.read_text(), re.MULTILINE)
