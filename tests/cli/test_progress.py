"""The bar that never runs backwards."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.cli.progress import Bar, LineBar, SilentBar
from tests.patience import PATIENCE_S


class _Drawn(Bar):
    """Remembers what it was told to draw."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn: list[tuple[int, str]] = []

    def _draw(self, percent: int, label: str) -> None:
        self.drawn.append((percent, label))


@given(st.lists(st.integers(-50, 150), min_size=1))
def test_bar_never_runs_backwards(percents: list[int]) -> None:
    """Whatever it is shown, the bar stays or grows, between 0 and 100."""
    with _Drawn() as bar:
        for percent in percents:
            bar.show(percent, "x")
    drawn = [percent for percent, _ in bar.drawn]
    assert drawn == sorted(drawn)
    assert 0 <= drawn[0] <= drawn[-1] <= 100


def test_log_gets_a_line_each_ten_percent() -> None:
    """A log is not flooded, and a jump is one line."""
    lines: list[str] = []
    with LineBar(lines.append) as bar:
        for percent in (0, 5, 12, 19, 20, 5, 55, 59, 100):
            bar.show(percent, "loading")
    assert lines == [" 12 %  loading", " 20 %  loading", " 55 %  loading", "100 %  loading"]


def test_silent_bar_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """A program that reads JSON is not disturbed."""
    with SilentBar() as bar:
        bar.show(50, "x")
    assert capfd.readouterr() == ("", "")


_ON_TERMINAL = """
import sys
if sys.argv[1] == "plain":
    sys.modules["rich"] = None  # what an import of a package that is not installed comes to
from fwsm.cli.output import Output
out = Output()
with out.bar() as bar:
    for percent in (10, 45, 30, 90):
        bar.show(percent, "loading [1/2]")
    out.data({}, "a result")
    out.say("a remark")
"""


def _on_terminal(kind: str) -> tuple[str, str]:
    """Run the script with stderr on a terminal; return what came there, and on stdout."""
    master, slave = os.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [sys.executable, "-c", _ON_TERMINAL, kind],
        stdout=subprocess.PIPE,
        stderr=slave,
        text=True,
        env=environment | {"TERM": "xterm-256color", "COLUMNS": "100"},
    ) as process:
        os.close(slave)
        drawn = _read_to_end(master)
        data, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, drawn
    return drawn, data


def test_terminal_gets_a_live_bar_that_is_cleared_away() -> None:
    """On a terminal rich draws; the data goes to stdout untouched, and the cursor comes back at the end."""
    pytest.importorskip("rich")
    drawn, data = _on_terminal("live")
    assert data == "a result\n"
    percents = [int(text) for text in re.findall(r"(\d+)%", drawn)]
    assert percents == sorted(percents)
    assert percents[-1] == 90
    assert "loading [1/2]" in drawn
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")
    # What is printed while the bar is there begins on a line that the bar has left.
    before = drawn[: drawn.index("a remark")]
    assert before.endswith("\x1b[2K")
    assert before.rindex("\x1b[?25h") > before.rindex("loading")


def test_terminal_without_rich_gets_lines() -> None:
    """The extra is optional: the same facts come as plain lines."""
    drawn, data = _on_terminal("plain")
    assert data == "a result\n"
    assert drawn.split("\r\n") == [
        " 10 %  loading [1/2]",
        " 45 %  loading [1/2]",
        " 90 %  loading [1/2]",
        "a remark",
        "",
    ]


def _read_to_end(master: int) -> str:
    data = b""
    with os.fdopen(master, "rb", buffering=0) as file:
        try:
            while chunk := file.read(65536):
                data += chunk
        except OSError:  # Linux reports the end of a terminal's other side as EIO
            pass
    return data.decode()
