"""A device to be killed, and all that can be seen of it from outside: process, twin, database, board."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any, Self

from fwsm.core.twin import section
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.errors import DeviceOfflineError, DeviceTimeoutError, HubError
from fwsm.store import Store
from fwsm.testing.process import DeviceProcess
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fwsm.core.update import State, Update
    from fwsm.hub import Hub
    from fwsm.testing.image_server import ImageServer

__all__ = ["Unit"]

_LOOK_AGAIN_S = 0.02
_QUICK = {"progress_every_s": "0.1", "retry_base_s": "0.2", "check_every_s": "0.1"}


class Unit:
    """One device; a context manager that leaves no process behind.

    Args:
        name: of the device; the hub must not know it yet.
        hub: where it lives.
        server: where it loads from.
        directory: for all its files.
        image: what it is to be updated to.
        settings: further settings of all its lives, by their names in `fwsm.config.DeviceConfig`.
    """

    def __init__(
        self, name: str, hub: Hub, server: ImageServer, directory: Path, image: bytes, **settings: str
    ) -> None:
        self.name = name
        self.hub = hub
        path = f"/{name}.img"
        server.put(path, image)
        self.payload = {
            "fwPackageUri": server.url(path),
            "fwPackageCheckValue": hashlib.sha256(image).hexdigest(),
        }
        self._image = image
        self._directory = directory
        self._settings = _QUICK | settings
        self._connection_string = hub.add_device(name).connection_string
        directory.mkdir()
        self._ca_file = directory / "authorities.pem"
        self._ca_file.write_text(hub.ca_pem + server.ca_pem)
        self.process = self._with({})

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.__exit__()

    # -- its lives ---------------------------------------------------------------------------------------------------

    def start(self, under: Sequence[str] = (), **settings: str) -> None:
        """Begin a life with these settings beside those of all lives; returns when it can be reached."""
        self.process = self._with(settings)
        self.process.start(under)
        self.await_fact(lambda: self._reachable() or not self.process.running, "device that can be reached")
        assert self.process.running or under, self.process.log.read_text()

    def twin_process(self) -> DeviceProcess:
        """Another process on the directories of this one; a context manager."""
        process = self._with({})
        process.log = self._directory / "second.log"
        return process

    def trigger(self, patience_s: float = PATIENCE_S) -> bool:
        """Ask for the update; whether the device has taken it, which it cannot if it dies in doing so."""
        try:
            answer = self.hub.call_method(self.name, "firmwareUpdate", self.payload, response_timeout_s=patience_s)
        except (DeviceOfflineError, DeviceTimeoutError):
            return False
        assert answer.status == 200, answer
        return True

    def kill(self) -> State:
        """SIGKILL, and tell in which state the device died."""
        self.process.kill()
        return self.update.state

    def await_death(self) -> State:
        """Wait for somebody else to kill it, and tell in which state it died."""
        assert self.process.wait(PATIENCE_S) == -signal.SIGKILL
        return self.update.state

    def await_death_or_report(self, status: str) -> State | None:
        """Like `await_death`, unless it gets so far as to report `status`; None then."""
        self.await_fact(lambda: not self.process.running or self.told.get("status") == status, f"death or {status}")
        return None if self.process.running else self.await_death()

    # -- what it says of itself --------------------------------------------------------------------------------------

    @property
    def update(self) -> Update:
        """Its newest update, as its database has it."""
        update = self.process.update()
        assert update is not None
        return update

    @property
    def log_of_database(self) -> Path:
        """Where SQLite writes what it commits; the agent's thread syncs it at each commit, and nobody else does."""
        return self.process.state_dir / "fwsm.db-wal"

    @property
    def told(self) -> dict[str, Any]:
        """The section on its twin; empty before the first report."""
        reported = self.hub.twin(self.name)["properties"]["reported"]
        found: dict[str, Any] = reported.get("iothubDM", {}).get("firmwareUpdate", {})
        return found

    def await_told(self, **fields: Any) -> None:
        """Wait until the twin shows these fields."""
        self.await_fact(lambda: fields.items() <= self.told.items(), f"{fields} on the twin")

    def await_fact(self, fact: Callable[[], bool], what: str) -> None:
        """Wait until something holds, whether the device runs or not."""
        end = time.monotonic() + PATIENCE_S
        while not fact():
            log = self.process.log.read_text()
            assert time.monotonic() < end, f"no {what} within {PATIENCE_S:g} s; the twin shows {self.told}\n{log}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_LOOK_AGAIN_S)

    # -- what must hold at the end -----------------------------------------------------------------------------------

    def check(self, state: State) -> None:
        """It settled in `state`, told everything in order, and has a board that boots a whole image."""
        self.await_fact(lambda: not self._unreported(), "end of the reports")
        assert self.update.state is state, self.update
        self._check_reports()
        self._check_board(updated=state.value == "applyComplete")
        assert "Traceback" not in self.process.log.read_text()

    def _check_reports(self) -> None:
        said: list[str] = []
        seen: dict[str, Any] = {}
        for report in self.hub.reports(self.name):
            seen |= report["iothubDM"]["firmwareUpdate"]
            said.append(f"{seen['status']}.{seen['substatus']}" if seen["status"] == "applying" else seen["status"])
        entered = [row.state.value for row in self.process.history()]
        assert _without_repeats(said) == _without_repeats(entered), f"{said} was said of {entered}"
        assert self.told == {name: value for name, value in section(self.update).items() if value is not None}

    def _check_board(self, *, updated: bool) -> None:
        board = Board(self.process.slots_dir, disk=Disk())
        pointer = board.status()
        assert pointer.settled
        assert board.whole(pointer, pointer.booted)
        assert pointer.booted == ("b" if updated else "a")
        if updated:
            slot = board.slot_path("b").read_bytes()
            assert hashlib.sha256(slot).hexdigest() == hashlib.sha256(self._image).hexdigest()

    def _unreported(self) -> bool:
        with Store(self.process.state_dir, read_only=True) as store, contextlib.closing(store.outbox()) as outbox:
            return bool(outbox.pending())

    def _reachable(self) -> bool:
        with contextlib.suppress(HubError):
            self.hub.wait_reachable(self.name, _LOOK_AGAIN_S)
            return True
        return False

    def _with(self, settings: dict[str, str]) -> DeviceProcess:
        return DeviceProcess(self._directory, self._connection_string, self._ca_file, self._settings | settings)


def _without_repeats(names: list[str]) -> list[str]:
    return [name for name, _ in itertools.groupby(names)]
