"""`fwsm hub run` in a process of its own, on a directory, to be killed and started again; and its owner."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

from fwsm.service import Client, Transport
from fwsm.service.sas import SharedAccess
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["HubProcess"]


class HubProcess:
    """One hub that knows one device; a context manager that leaves no process behind.

    Attributes:
        card: what it says of itself: keys, connection strings, and the file of its authority.
        client, transport: of its owner.
    """

    def __init__(self, address: str, directory: Path, device_id: str, environment: dict[str, str]) -> None:
        self._command = [sys.executable, "-m", "fwsm", "hub", "run", "--json", "--address", address]
        self._command += ["--state", f"{directory / 'hub'}", "--device", device_id]
        self.log = directory / "hub.log"
        self.device_id = device_id
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self.card: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.start()
        access = SharedAccess.parse(self.card["ownerConnectionString"])
        self.transport = Transport(access, ca_file=self.card["caPath"])
        self.client = Client(self.transport)
        return self

    def __exit__(self, *_: object) -> None:
        self.transport.close()
        self._end(signal.SIGTERM)

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; returns when it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the hub did not start: {self.log.read_text()}"
        self.card = json.loads(line)

    def kill_and_start(self) -> None:
        """SIGKILL, and a new process on the same directory."""
        self._end(signal.SIGKILL)
        self.start()

    def break_something(self, fault: dict[str, Any]) -> None:
        """Order a fault."""
        self._ask("POST", "faults", fault)

    def mend_everything(self) -> None:
        """Forget all faults that were ordered."""
        self._ask("DELETE", "faults")

    def disconnect(self) -> None:
        """Cut the device off; it may come again at once."""
        self._ask("POST", f"devices/{self.device_id}/disconnect")

    def expire(self) -> None:
        """Let the device's token end now."""
        self._ask("POST", f"devices/{self.device_id}/expireToken")

    def _ask(self, method: str, path: str, body: object = None) -> None:
        reply = self.transport.send(method, f"/$fwsm/{path}", body=body)
        assert reply.status < 300, reply

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(PATIENCE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
