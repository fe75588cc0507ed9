"""The clients that others made, each as a command: unmodified, in an environment where it was installed as it comes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from fwsm.hub import Hub
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["NODE", "PYTHON_2_14", "PYTHON_2_15", "PYTHON_SERVICE", "Client", "full_hub", "running"]

_HERE = Path(__file__).parent
_ENVIRONMENTS = _HERE.parent.parent / ".venv" / "clients"
_NODE_MODULES = _HERE / "node" / "node_modules" / ".package-lock.json"  # npm writes it at its end

# Where packages are installed: by .ci/install-tools, except for the SDK that the product itself needs.
PYTHON_2_14 = "azure-iot-device 2.14"
PYTHON_2_15 = "azure-iot-device-2.15.0rc1"
PYTHON_SERVICE = "azure-iot-hub-2.7.0"
NODE = "node"


@dataclass(frozen=True)
class Client:
    """A program on an SDK.

    Attributes:
        home: the environment in which it runs.
        program: its file, from this folder.
        transport: `mqtt` or `websocket`, for a device.
    """

    home: str
    program: str
    transport: str = "mqtt"

    @property
    def name(self) -> str:
        """What a test is called after it."""
        return f"{self.home}-{Path(self.program).stem}-{self.transport}".replace(" ", "-")

    def command(self, missing: Callable[[str], NoReturn], tool: Callable[[str], str]) -> list[str]:
        """Return what starts it; what this machine lacks for it goes to `missing`."""
        return [self._interpreter(missing, tool), f"{_HERE / self.program}"]

    def _interpreter(self, missing: Callable[[str], NoReturn], tool: Callable[[str], str]) -> str:
        if self.home == PYTHON_2_14:
            return sys.executable
        if self.home == NODE:
            return tool("node") if _NODE_MODULES.exists() else missing("Node SDK")
        environment = _ENVIRONMENTS / self.home
        return f"{environment / 'bin' / 'python'}" if (environment / ".stamp").exists() else missing(self.home)


@contextlib.contextmanager
def full_hub(address: str, *, https: bool) -> Iterator[Hub]:
    """Run a hub; with `https` its REST and WebSocket are at 443, which some clients dial whatever they are told."""
    hub = Hub(address, rest_port=443 if https else 8443)
    if https and os.geteuid() != 0:
        pytest.skip("port 443 takes root")
    with hub:
        yield hub


@contextlib.contextmanager
def running(command: list[str], variables: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program that ends with its standard input, which is at the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=_clean() | variables, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        )
    with process:
        try:
            yield process
            process.communicate(timeout=PATIENCE_S)
        finally:
            process.kill()


def _clean() -> dict[str, str]:
    """Our environment without proxies, and without what would measure coverage in programs that are not ours."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith("COVERAGE")
    }
