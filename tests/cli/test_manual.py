"""The page that shows the help of every command."""

from __future__ import annotations

from pathlib import Path

from fwsm.cli import COMMANDS
from fwsm.cli.manual import page

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_page_is_fresh() -> None:
    """What stands there is what `--help` says; python -m fwsm.cli.manual docs/reference/cli.md writes it again."""
    assert _PAGE.read_text() == page()


def test_page_has_every_command() -> None:
    """Down to those of the groups."""
    text = page()
    for name in (*COMMANDS, "job watch", "hub device add", "device run"):
        assert f"\n## `fwsm {name}`\n" in text
