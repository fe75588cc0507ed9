"""The tutorial: all of its commands, typed one after the other into one shell, do what its text says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

PAGE = Path(__file__).parents[2] / "docs" / "tutorial.md"
ADDRESS = "127.0.0.5"
PATIENCE_S = 360.0


def typed() -> list[str]:
    """Every command of the page, with the lines that go on with it."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    commands: list[str] = []
    for line in "".join(blocks).splitlines():
        if line.startswith("$ "):
            commands.append(line.removeprefix("$ "))
        else:
            assert line.startswith(">"), f"neither a command nor the rest of one: {line}"
            commands[-1] += f"\n{line.removeprefix('>').removeprefix(' ')}"
    return commands


def test_the_tutorial_does_what_it_says(tmp_path: Path, loopback: Callable[[], str]) -> None:
    """An empty directory, the commands as they stand there but for the address, and none of them fails."""
    script = "\n".join(["set -e", *typed()])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FWSM_")}
    with subprocess.Popen(
        ["bash", "-c", script.replace(ADDRESS, loopback())],
        cwd=tmp_path,
        env=clean | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            said, _ = shell.communicate(timeout=PATIENCE_S)
        finally:
            if shell.poll() is None:
                os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, said
    assert "Traceback" not in said
    story = [
        "this device has had no update yet",
        "FirmwareUpdate started",
        "downloading",
        "applyComplete",
        "All of it held",
    ]
    places = [said.find(words) for words in story]
    assert -1 not in places, said
    assert places == sorted(places), said
    assert re.search(r"restarted +downloading", said), said
    assert list(tmp_path.iterdir()) == []
