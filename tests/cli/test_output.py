"""The only printing."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.progress import LineBar, SilentBar
from fwsm.errors import DeviceOfflineError
from tests.patience import PATIENCE_S

_ERROR = DeviceOfflineError("d1 is offline", why="no power", fix="Plug it in")


def _run(action: Any, *options: str, **environment: str) -> Result:
    """Run a command that does `action` with its output."""

    @click.command()
    @json_option
    @pass_output
    def command(output: Output) -> None:
        action(output)

    clean: dict[str, str | None] = {"NO_COLOR": None, "FORCE_COLOR": None}
    return CliRunner().invoke(command, options, env={**clean, **environment})


def test_data_goes_to_stdout_and_talk_to_stderr() -> None:
    """A pipe gets the result and nothing else."""
    result = _run(lambda output: (output.data({"a": 1}, "one"), output.say("hello")))
    assert (result.stdout, result.stderr) == ("one\n", "hello\n")


def test_json_is_one_object_a_line() -> None:
    """Each result is a line that parses by itself, in plain UTF-8."""
    result = _run(lambda output: (output.data({"a": "ä\n"}, "one"), output.data({"a": 2}, "two")), "--json")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [{"a": "ä\n"}, {"a": 2}]
    assert "ä" in result.stdout


def test_everything_passes_the_gate() -> None:
    """No way of speaking shows the query of an address, or a key."""
    uri = "https://h/fw?sig=secret SharedAccessKey=secret"
    error = DeviceOfflineError(uri, why=uri, fix=uri)
    for options in ((), ("--json",)):
        result = _run(lambda output: (output.data({"u": uri}, uri), output.say(uri), output.fail(error)), *options)
        assert "secret" not in result.output
        assert "https://h/fw" in result.stdout


def test_what_is_there_to_show_a_connection_string_shows_its_key() -> None:
    """Only where a command says so."""
    string = "HostName=h;SharedAccessKey=c2Vj"
    result = _run(lambda output: (output.data({}, string), output.data({}, string, keys=True)))
    assert result.stdout == f"HostName=h;SharedAccessKey=[redacted]\n{string}\n"


def test_failure_with_json_is_an_object_on_stdout_too() -> None:
    """A program reads code and exit code; a person still reads stderr."""
    result = _run(lambda output: output.fail(_ERROR), "--json")
    assert json.loads(result.stdout) == {
        "event": "error",
        "error": {
            "code": "deviceOffline",
            "what": "d1 is offline",
            "why": "no power",
            "fix": "Plug it in",
            "exitCode": 5,
        },
    }
    assert result.stderr.startswith("error: d1 is offline\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_results_that_cannot_be_written_are_an_error_in_words(options: tuple[str, ...]) -> None:
    """A full disk behind stdout is no bug of ours."""
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "fwsm", "trigger", "d1", "--uri", "ftp://h/fw", *options]
        if not options:
            command = [sys.executable, "-m", "fwsm", "diagram"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=PATIENCE_S)
    assert ended.returncode == (2 if options else 1)
    assert "Traceback" not in ended.stderr
    assert "error: " in ended.stderr
    if not options:
        assert "the results cannot be written to where stdout leads" in ended.stderr
        assert "No space left on device" in ended.stderr


def test_letters_that_stdout_does_not_have_are_written_as_escapes(tmp_path: Path) -> None:
    """In help, in results, and for programs; a name of a file may be no text at all."""

    def said(*arguments: str | bytes, encoding: str = "ascii") -> str:
        environ = os.environ | {"PYTHONIOENCODING": encoding, "FWSM_CONNECTION_STRING": "", "XDG_CONFIG_HOME": "/x"}
        command = [sys.executable, "-m", "fwsm", *arguments]
        ended = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=60)
        assert ended.returncode in {0, 11}
        assert b"should not have happened" not in ended.stderr
        return ended.stdout.decode("ascii")

    assert "\\u2026" in said("device", "run", "--help", encoding="latin-1")
    file = bytes(tmp_path) + b"/\xff\xfc.toml"
    Path(os.fsdecode(file)).write_text("soak_s = 1")
    assert r"\udcff\udcfc.toml" in said("config", "show", "--config", file, encoding="utf-8")
    unit = said("device", "unit", "--config", "/etc/für.toml", "--json")
    assert "/etc/für.toml" in json.loads(unit)["unit"]


@pytest.mark.parametrize("closed", ["<&- >&-", "2>&-"])
def test_a_closed_stream_is_not_missed(closed: str) -> None:
    """As some service managers start programs."""
    command = f"{shlex.quote(sys.executable)} -m fwsm diagram {closed}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("environment", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour_follows_the_environment(environment: dict[str, str], colored: bool) -> None:
    """Without a terminal there is none unless it is forced, and NO_COLOR wins."""
    result = _run(lambda output: output.fail(_ERROR), **environment)
    assert ("\x1b[" in result.stderr) is colored


def test_bar_fits_where_it_is_shown() -> None:
    """For a program there is no bar, for a log there are lines."""
    found: list[object] = []

    def look(output: Output) -> None:
        with output.bar() as bar:
            found.append(bar)

    look(Output())
    _run(look, "--json")
    assert [type(bar) for bar in found] == [LineBar, SilentBar]
