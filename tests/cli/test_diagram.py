from __future__ import annotations

import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli.diagram import diagram
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.graph import Graph
from fwsm.diagram.overlay import PLAIN
from fwsm.errors import ConfigError, StoreError
from fwsm.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result


def _run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(diagram, [str(argument) for argument in arguments])


@pytest.mark.parametrize("form", FORMATS)
def test_format_is_printed(form: str) -> None:
    """Standard output is the format, byte for byte."""
    done = _run("--format", form)
    assert (done.exit_code, done.stdout) == (0, FORMATS[form](Graph.of(Lifecycle()), PLAIN))


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


def test_the_name_of_the_file_tells_the_format(tmp_path: Path) -> None:
    """Unless another one is asked for; a strange name is Mermaid."""
    for name, beginning in {"x.svg": b"<svg", "x.PNG": b"\x89PNG", "x.dot": b"digraph", "x.strange": b"---"}.items():
        assert _run("--output", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_bytes().startswith(beginning)
    assert _run("--output", tmp_path / "x.svg", "--format", "json").exit_code == 0
    assert (tmp_path / "x.svg").read_bytes().startswith(b"{")


def test_a_png_goes_through_a_pipe() -> None:
    """Byte for byte."""
    assert _run("--format", "png").stdout_bytes.startswith(b"\x89PNG")


# -- of a device -------------------------------------------------------------------------------------------------------


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A device whose update is loading."""
    now = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1.0, "boot-1")
    update = Update(id="abc-1", request=Request("https://h/f"), state=State.WAITING, boot_id="boot-1")
    with Store(tmp_path / "state") as store:
        store.accept(update, now)
        Lifecycle([store.advance]).fire(update, Trigger.POLICY_ALLOWED, Facts(now=now))
    return tmp_path / "state" / "fwsm.db"


@pytest.mark.parametrize(
    ("form", "lit", "counted"),
    [
        ("mermaid", "class downloading here", "waiting<br/>1"),
        ("dot", 'fillcolor="#b6e3ff"', "waiting\\n1"),
        ("svg", 'class="state here open"', 'class="pill fact"'),
        ("md", "It stands in **`downloading`**", "| `waiting` | 1 |"),
        ("json", '"current"', '"visits"'),
    ],
)
def test_a_device_is_drawn(db: Path, form: str, lit: str, counted: str) -> None:
    """With its state lit, its history, or both."""
    both = _run("--current", "--history", "--db", db, "--format", form)
    assert both.exit_code == 0
    assert lit in both.stdout
    assert counted in both.stdout
    assert lit not in _run("--history", "--db", db, "--format", form, "--update", "abc").stdout
    assert counted not in _run("--current", "--db", db, "--format", form).stdout


def test_a_theme_is_for_pictures(db: Path) -> None:
    """A text has none."""
    assert "#0d1117" in _run("--current", "--db", db, "--format", "svg", "--theme", "dark").stdout
    refused = _run("--current", "--db", db, "--theme", "dark")
    assert refused.exit_code == 2
    assert "svg and png" in refused.stderr


@pytest.mark.parametrize("arguments", [["--current"], ["--history"], ["--db", "x"], ["--update", "x"]])
def test_a_device_needs_a_database_and_what_to_show(arguments: list[str]) -> None:
    """One without the other is wrong use."""
    done = _run(*arguments)
    assert done.exit_code == 2
    assert "--db" in done.stderr


def test_a_database_that_cannot_be_read_is_told(tmp_path: Path, db: Path) -> None:
    """With what to name instead."""
    missing = _run("--current", "--db", tmp_path / "nowhere")
    assert isinstance(missing.exception, StoreError)
    unknown = _run("--current", "--db", db, "--update", "zzz")
    assert isinstance(unknown.exception, ConfigError)


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
