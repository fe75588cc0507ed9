"""A hub for each test, and the program as its users start it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
