from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
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


def test_a_png_without_its_extra_says_what_to_install() -> None:
    """With an exit code of its own kind, and nothing on standard output."""
    program = "import sys; sys.modules['resvg_py'] = None; from fwsm.cli import main; main()"
    command = [sys.executable, "-c", program, "diagram", "--format", "png"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (11, "")
    assert "pip install 'fwsm[png]'" in done.stderr


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


def test_a_timeline_is_told(db: Path) -> None:
    """As text, without colours where there is no terminal."""
    done = _run("--timeline", "--db", db)
    assert done.exit_code == 0
    assert done.stdout.startswith("Update abc-1: downloading\n")
    assert "\x1b" not in done.stdout
    assert "policy_allowed" in done.stdout


def test_a_timeline_has_colours_and_other_letters_where_it_may(db: Path) -> None:
    """NO_COLOR wins, and a terminal without UTF-8 is given letters that it has."""
    command = [sys.executable, "-m", "fwsm", "diagram", "--timeline", "--db", str(db)]

    def told(**environment: str) -> str:
        clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
        return subprocess.run(command, env=clean | environment, capture_output=True, check=True).stdout.decode()

    assert "\x1b[1mUpdate abc-1" in told(FORCE_COLOR="1", PYTHONIOENCODING="utf-8")
    assert "\x1b" not in told(FORCE_COLOR="1", NO_COLOR="1")
    assert told(PYTHONIOENCODING="ascii").isascii()


@pytest.mark.parametrize(
    ("name", "beginning"), [("t.svg", b"<svg"), ("t.png", b"\x89PNG"), ("t.json", b"{"), ("t", b"Upd")]
)
def test_a_timeline_goes_into_a_file(db: Path, tmp_path: Path, name: str, beginning: bytes) -> None:
    """In the format that its name promises; text if it promises none."""
    assert _run("--timeline", "--db", db, "--output", tmp_path / name).exit_code == 0
    assert (tmp_path / name).read_bytes().startswith(beginning)


def test_a_timeline_gives_no_secret_away(tmp_path: Path) -> None:
    """A message may quote a signed address."""
    now = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1.0, "boot-1")
    with Store(tmp_path) as store:
        store.accept(Update(id="u", request=Request("https://h/f"), state=State.WAITING, boot_id="boot-1"), now)
        store.note("hookFailed", "cannot load https://h/f?sig=geheim", now, "u")
    for form in ("text", "svg", "json"):
        done = _run("--timeline", "--db", tmp_path / "fwsm.db", "--format", form)
        assert "https://h/f" in done.stdout
        assert "geheim" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--timeline", "--current"], "exclude each other"),
        (["--timeline", "--format", "dot"], "Choose --format text or svg"),
        (["--timeline", "--output", "x.md"], "not drawn as md"),
        (["--current", "--format", "text"], "not drawn as text"),
        (["--timeline", "--theme", "dark"], "svg and png"),
    ],
)
def test_what_cannot_be_drawn_so_is_told(db: Path, arguments: list[str], message: str) -> None:
    """With what can."""
    done = _run("--db", db, *arguments)
    assert done.exit_code == 2
    assert message in done.stderr


@pytest.mark.parametrize("arguments", [["--current"], ["--timeline"], ["--history"], ["--db", "x"], ["--update", "x"]])
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


def test_the_commands_of_the_page_do_what_it_says(db: Path, tmp_path: Path) -> None:
    """Each is run as it stands there, on a database of that name."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "diagrams.md"
    (block,) = re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "fwsm.db").write_bytes(db.read_bytes())
    with contextlib.chdir(tmp_path):
        for line in block.splitlines():
            words = shlex.split(line.replace("/var/lib/fwsm/", "").replace("0c8e88e7", "abc"))
            assert words[:3] == ["$", "fwsm", "diagram"]
            done = _run(*words[3:])
            assert done.exit_code == 0, line
            assert "--output" not in words or Path(words[-1]).stat().st_size > 1000


# -- an extended lifecycle ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["mermaid", "dot", "md", "json", "svg"])
def test_an_extended_lifecycle_is_drawn(extended: str, form: str) -> None:
    """With its steps."""
    done = _run("--extension", extended, "--format", form)
    assert done.exit_code == 0
    assert "backingUp" in done.stdout
    assert "step_done" in done.stdout
    assert str(Path.cwd()) not in sys.path
