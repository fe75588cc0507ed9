from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli.diagram import diagram
from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.graph import Graph
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(diagram, [str(argument) for argument in arguments])


@pytest.mark.parametrize("form", FORMATS)
def test_format_is_printed(form: str) -> None:
    """Standard output is the format, byte for byte."""
    done = _run("--format", form)
    assert (done.exit_code, done.stdout) == (0, FORMATS[form](Graph.of(Lifecycle())))


def test_mermaid_is_printed_if_nothing_is_said() -> None:
    """The plain command prints what most pages can show."""
    assert _run().stdout == _run("--format", "mermaid").stdout


def test_output_goes_into_a_file(tmp_path: Path) -> None:
    """The file has what would have been printed, and nothing is printed."""
    file = tmp_path / "new" / "life.svg"
    done = _run("--format", "svg", "--output", file)
    assert (done.exit_code, done.output) == (0, "")
    assert file.read_text(encoding="utf-8") == _run("--format", "svg").stdout


def test_check_passes_after_write(tmp_path: Path) -> None:
    """What has just been written is fresh."""
    written = _run("--write", tmp_path / "d")
    assert written.exit_code == 0
    assert written.stdout.count("written: ") == len(FORMATS)
    checked = _run("--check", tmp_path / "d")
    assert (checked.exit_code, checked.output) == (0, "")


def test_check_fails_on_a_stale_file_with_a_diff(tmp_path: Path) -> None:
    """Exit code 1, the diff on standard output, what to do on standard error."""
    _run("--write", tmp_path / "d")
    with (tmp_path / "d" / "lifecycle.md").open("a", encoding="utf-8") as file:
        file.write("by hand\n")
    checked = _run("--check", tmp_path / "d")
    assert checked.exit_code == 1
    assert "\n-by hand\n" in checked.stdout
    assert checked.stderr == f"1 stale: run fwsm diagram --write {tmp_path / 'd'} and commit what it changes.\n"


def test_folder_can_be_left_out(tmp_path: Path) -> None:
    """Without a name both commands mean diagrams/ in the current folder."""
    with contextlib.chdir(tmp_path):
        assert _run("--check").exit_code == 1
        assert "written: diagrams/lifecycle.svg\n" in _run("--write").stdout
        assert _run("--check").exit_code == 0
    assert (tmp_path / "diagrams" / "lifecycle.svg").exists()


@pytest.mark.parametrize(
    "arguments",
    [["--write", "d", "--check", "d"], ["--write", "d", "--format", "svg"], ["--check", "d", "--output", "x"]],
)
def test_modes_exclude_each_other(arguments: list[str]) -> None:
    """Two things at once is wrong use and says so."""
    done = _run(*arguments)
    assert done.exit_code == 2
    assert "exclude each other" in done.stderr


# -- an extended lifecycle ---------------------------------------------------------------------------------------------

_MODULE = """
from fwsm import Extension, State, Step

extension = Extension(steps=(Step("backingUp", State.INSTALLING, lambda update, stop: None),))
other = 5
"""


@pytest.fixture
def module(tmp_path: Path) -> Iterator[str]:
    """The name of a module in the current directory."""
    name = f"device_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(_MODULE)
    with contextlib.chdir(tmp_path):
        yield name


@pytest.mark.parametrize("form", ["mermaid", "dot", "md", "json"])
def test_an_extended_lifecycle_is_drawn(module: str, form: str) -> None:
    """With its steps."""
    done = _run("--extension", f"{module}:extension", "--format", form)
    assert done.exit_code == 0
    assert "backingUp" in done.stdout
    assert "step_done" in done.stdout
    assert str(Path.cwd()) not in sys.path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:extension", "ModuleNotFoundError"),
        ("{module}:nothing", "AttributeError"),
        ("{module}", "AttributeError"),
        ("{module}:other", "it is int"),
    ],
)
def test_what_is_no_extension_is_told(module: str, name: str, message: str) -> None:
    """Why, and how to name one."""
    done = _run("--extension", name.format(module=module))
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)
    assert done.exception.fix
