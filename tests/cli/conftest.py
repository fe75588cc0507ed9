"""A hub for each test, the program as its users start it, and an extension as they write it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def hub(loopback: Callable[[], str]) -> Iterator[Hub]:
    """Return a running hub that forgets everything when it stops."""
    with Hub(loopback()) as hub:
        yield hub


def _hear_ctrl_c() -> None:
    """Let a program hear SIGINT also when the tests run in the background of a shell, which has them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts `fwsm` with arguments and extra environment; nothing survives the test."""
    processes: list[subprocess.Popen[str]] = []

    def started(*arguments: object, env: dict[str, str] | None = None, **options: Any) -> subprocess.Popen[str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FWSM_")}
        streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        command = [sys.executable, "-m", "fwsm", *map(str, arguments)]
        process = subprocess.Popen(
            command,
            text=True,
            env=clean | (env or {}),
            preexec_fn=_hear_ctrl_c,  # noqa: PLW1509 - it takes no lock
            **streams,
        )
        processes.append(process)
        return process

    yield started
    for process in processes:
        process.kill()
        process.communicate()


_MODULE = """
from fwsm import Extension, State, Step

extension = Extension(steps=(Step("backingUp", State.INSTALLING, lambda update, stop: None),))
other = 5
"""


@pytest.fixture
def extended(tmp_path: Path) -> Iterator[str]:
    """The name of an extension that a module in the current directory has."""
    name = f"device_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(_MODULE)
    with contextlib.chdir(tmp_path):
        yield f"{name}:extension"
