"""The program as a whole: what it knows, and how quickly it says so."""

from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from fwsm.cli import COMMANDS, program
from tests.patience import PATIENCE_S


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_there(name: str) -> None:
    """Each name leads to a command whose help begins with a sentence, and which --help of the program lists."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)
    assert CliRunner().invoke(program, [name, "--help"]).exit_code == 0
    assert COMMANDS[name][1] in CliRunner().invoke(program, ["--help"]).output


def test_help_begins_with_examples() -> None:
    """A reader sees what to type before the options."""
    text = CliRunner().invoke(program, ["--help"]).output
    assert text.index("fwsm demo") < text.index("Options:")


@pytest.mark.parametrize("group", ["job", "hub", "hub authority", "hub device", "hub fault", "device", "config"])
def test_the_commands_of_a_group_are_told_in_full(group: str) -> None:
    """On a terminal of 80 columns no line of the list ends in the middle of a sentence."""
    text = CliRunner().invoke(program, [*group.split(), "--help"], terminal_width=80).output
    assert "..." not in text.partition("Commands:")[2]


def test_help_imports_no_command() -> None:
    """What is not used is not loaded: help is there at once, and needs no optional package."""
    code = "import sys; from fwsm.cli import program; program(['--help'], standalone_mode=False); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"urllib3", "sqlalchemy", "azure.iot.device", "starlette", "rich", "transitions"}


def test_version_is_told() -> None:
    """The version is that of the installed package."""
    assert "version 0." in CliRunner().invoke(program, ["--version"]).output


def test_unknown_command_is_a_usage_error() -> None:
    """Exit code 2."""
    result = CliRunner().invoke(program, ["updtae"])
    assert result.exit_code == 2
    assert "No such command 'updtae'" in result.stderr
