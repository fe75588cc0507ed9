"""The page that shows the help of every command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fwsm.cli import COMMANDS

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page as a program of its own writes it: a command that was run alone before keeps other options of help."""
    path = tmp_path_factory.mktemp("manual") / "cli.md"
    subprocess.run([sys.executable, "-m", "fwsm.cli.manual", path], check=True, cwd=_PAGE.parents[2])
    return path.read_text()


def test_page_is_fresh(written: str) -> None:
    """What stands there is what `--help` says; python -m fwsm.cli.manual docs/reference/cli.md writes it again."""
    assert _PAGE.read_text() == written


def test_examples_keep_their_lines(written: str) -> None:
    """Each example stands on a line of its own; the mark that click wants for that is not shown."""
    assert "\\b" not in written
    assert "\n  Examples:\n    fwsm device run" in written


def test_page_has_every_command(written: str) -> None:
    """Down to those of the groups."""
    for name in (*COMMANDS, "job watch", "hub device add", "device run"):
        assert f"\n## `fwsm {name}`\n" in written
