"""Kinds of values that click does not have."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from fwsm.cli.values import Directory, Seconds, Text


@pytest.mark.parametrize("text", ["0.05", "1", "1e3", "31622400"])
def test_seconds_are_a_finite_number(text: str) -> None:
    """From the least that was said to a year."""
    assert Seconds(0.05).convert(text, None, None) == float(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "0.04", "-1", "1e30", "a", ""])
def test_what_nobody_can_wait_for_is_refused(text: str) -> None:
    """Too little, too much, and what is no number."""
    with pytest.raises(click.BadParameter):
        Seconds(0.05).convert(text, None, None)


def test_a_directory_need_not_be_there(tmp_path: Path) -> None:
    """It may be made later; asked for so, it comes back absolute."""
    assert Directory().convert("some/where", None, None) == Path("some/where")
    assert Directory(resolve=True).convert(".", None, None) == Path.cwd()
    (tmp_path / "file").touch()
    with pytest.raises(click.BadParameter, match="is a file"):
        Directory().convert(str(tmp_path / "file"), None, None)


def test_an_empty_path_is_no_directory() -> None:
    """A variable that is not set must not make a board of the working directory."""
    with pytest.raises(click.BadParameter, match="empty"):
        Directory().convert("", None, None)


def test_bytes_that_are_no_text_are_refused() -> None:
    """A database has none, so looking for them would be in vain."""
    assert Text().convert("für", None, None) == "für"
    with pytest.raises(click.BadParameter, match="not UTF-8"):
        Text().convert(os.fsdecode(b"\xff"), None, None)
