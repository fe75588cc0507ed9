"""A device in a process of its own, to be killed.

What a kill shows, and what it does not: SIGKILL ends the program between any two instructions, so it shows that the
order of commits and side effects is right. The kernel keeps what was written, so it does not show that syncs are where
they must be; `fwsm.testing.power` is for that.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from fwsm.errors import StoreError
from fwsm.store import HistoryRow, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fwsm.core.update import Update

__all__ = ["DeviceProcess"]

_STOPS_WITHIN_S = 30.0


class DeviceProcess:
    """`fwsm device run` as a child process; a context manager that leaves no process behind.

    Args:
        directory: holds the state, the slots and the log of this device.
        connection_string: the device's.
        ca_file: PEM file with every authority it has to trust.
        settings: further settings by their names in `fwsm.config.DeviceConfig`, as the environment takes them.
    """

    def __init__(
        self, directory: Path, connection_string: str, ca_file: Path, settings: Mapping[str, str] | None = None
    ) -> None:
        self.state_dir = directory / "state"
        self.slots_dir = directory / "board"
        self.log = directory / "device.log"
        self._environment = os.environ | {
            "FWSM_CONNECTION_STRING": connection_string,
            "FWSM_CA_FILE": str(ca_file),
            "FWSM_STATE_DIR": str(self.state_dir),
            "FWSM_SLOTS_DIR": str(self.slots_dir),
            "PYTHONUNBUFFERED": "1",
        }
        self._environment |= {f"FWSM_{name.upper()}": value for name, value in (settings or {}).items()}
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.running:
            self.kill()

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process id; it stays the same over a simulated reboot."""
        assert self._process is not None  # noqa: S101  # only after start
        return self._process.pid

    def start(self, under: Sequence[str] = ()) -> None:
        """Start it, again if it has ended.

        Args:
            under: a program with arguments that runs it and leaves its place to it: `strace -D …`, `prlimit …`.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own program, under one that a test names
                [*under, sys.executable, "-m", "fwsm", "device", "run"],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        assert self._process is not None  # noqa: S101
        self._process.kill()
        self._process.wait(_STOPS_WITHIN_S)

    def terminate(self) -> int:
        """SIGTERM, as systemd stops a service; the exit status."""
        assert self._process is not None  # noqa: S101
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(_STOPS_WITHIN_S)

    def wait(self, timeout_s: float) -> int:
        """Wait for it to end by itself; the exit status."""
        assert self._process is not None  # noqa: S101
        return self._process.wait(timeout_s)

    def update(self) -> Update | None:
        """The newest update as its database has it at this moment; None if there is none yet."""
        try:
            with Store(self.state_dir, read_only=True) as store:
                return store.latest()
        except StoreError:  # not made yet
            return None

    def history(self) -> list[HistoryRow]:
        """All entries into states, oldest first."""
        with Store(self.state_dir, read_only=True) as store:
            return store.history()
