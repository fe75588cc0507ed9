"""`--extension`: the lifecycle of a program of somebody's own."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fwsm.cli.extension import extension_option, imported
from fwsm.core.lifecycle import NO_EXTENSION
from fwsm.errors import ConfigError


def test_it_is_imported_from_here(extended: str) -> None:
    """The current directory is looked into for as long as that takes."""
    assert [step.name for step in imported(extended).steps] == ["backingUp"]
    assert str(Path.cwd()) not in sys.path


def test_without_a_name_the_lifecycle_is_the_built_in_one() -> None:
    """Nothing is added."""
    assert imported(None) is NO_EXTENSION


def test_the_option_says_what_it_is_for() -> None:
    """To draw, or to explain."""
    command = extension_option("Draw with")(click.command("show")(lambda: None))
    assert "Draw with this extension" in CliRunner().invoke(command, ["--help"]).stdout


def test_a_module_that_ends_the_program_is_told(extended: str) -> None:
    """It does not end the command without a word, and with a code of its own."""
    module = f"{extended.partition(':')[0]}_ending"
    Path(f"{module}.py").write_text("raise SystemExit(5)")
    with pytest.raises(ConfigError, match="SystemExit: 5"):
        imported(f"{module}:extension")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:extension", "ModuleNotFoundError"),
        ("{module}:nothing", "AttributeError"),
        ("{module}", "AttributeError"),
        ("{module}:other", "it is int"),
    ],
)
def test_what_is_no_extension_is_told(extended: str, name: str, message: str) -> None:
    """Why, and how to name one."""
    with pytest.raises(ConfigError, match=message) as caught:
        imported(name.format(module=extended.partition(":")[0]))
    assert caught.value.fix
