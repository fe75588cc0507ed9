"""The real commands, as a person types them: `python -m fwsm …` in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.hub import Hub

__all__ = ["Ended", "begin", "ended", "fwsm", "operator"]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind.

    Attributes:
        code: its exit code.
        out, err: what it printed.
    """

    code: int
    out: str
    err: str

    @property
    def documents(self) -> list[dict[str, Any]]:
        """What it printed with --json."""
        return [json.loads(line) for line in self.out.splitlines()]

    def explains(self, *words: str) -> bool:
        """Whether it says what is wrong, why, and what to do, in these words among others, and shows no traceback."""
        lines = [line.strip() for line in self.err.splitlines()]
        parts = all(any(line.startswith(part) for line in lines) for part in ("error: ", "why: ", "fix: "))
        return parts and all(word in self.err for word in words) and "Traceback" not in self.out + self.err


def begin(*arguments: object, variables: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a command."""
    return subprocess.Popen(
        [sys.executable, "-m", "fwsm", *map(str, arguments)],
        env={**_clean(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], timeout_s: float = 2 * PATIENCE_S) -> Ended:
    """Wait for the end of a command; one that does not end in time is killed, and that is an error.

    The demo is a command that takes long, and has a patience of its own.
    """
    try:
        out, err = process.communicate(timeout=timeout_s)
    finally:
        process.kill()
    return Ended(process.returncode, out, err)


def fwsm(*arguments: object, variables: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end."""
    return ended(begin(*arguments, variables=variables))


def operator(hub: Hub) -> dict[str, str]:
    """The variables that lead an operator's commands to a hub."""
    return {"FWSM_SERVICE_CONNECTION_STRING": hub.service_connection_string, "FWSM_CA_FILE": f"{hub.ca_path}"}


def _clean() -> dict[str, str]:
    """Our environment without settings of fwsm."""
    return {name: value for name, value in os.environ.items() if not name.startswith("FWSM_")}
