"""One device in its process, as its operator sees it, and what can be done to it on the way."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING, Any, Self

from fwsm.device.download.checkpoint import Record
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.errors import FwsmError
from fwsm.service.presence import HubAway, HubBack
from fwsm.service.trigger import requested, trigger
from fwsm.service.watch import Snapshot, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from fwsm.core.update import State, Update
    from fwsm.service.client import Client
    from fwsm.service.section import Section
    from fwsm.service.watch import Event
    from fwsm.testing.image_server import ImageServer, Served
    from fwsm.testing.process import DeviceProcess
    from fwsm.testing.rehearsal.telling import Teller

__all__ = ["Player", "digest_of"]

_WATCHED_EVERY_S = 0.25
_LOOK_AGAIN_S = 0.1
_LOOK_INTO_LOG = "Run it again with --keep DIR and look into the device's device.log there"


class Player:
    """One device; a context manager that leaves no process behind.

    Args:
        name: of the device.
        process: its process.
        client: its operator's.
        server: where it loads from, under `path`.
        size_bytes: of the image there.
        patience_s: how long each thing that is waited for may take.
        teller: told what happens.

    Attributes:
        name: of the device.
        process: its process.
        path: of its image on the server; each device has its own, so that the server's log tells them apart.
        killed_in: in which state it died, each time.
        lost_bytes: what the power cuts took from the part file: it had been written and not synced.
    """

    def __init__(
        self,
        name: str,
        process: DeviceProcess,
        *,
        client: Client,
        server: ImageServer,
        size_bytes: int,
        patience_s: float,
        teller: Teller,
    ) -> None:
        self.name = name
        self.process = process
        self.path = f"/{name}/firmware.img"
        self.killed_in: list[State] = []
        self.lost_bytes = 0
        self._client = client
        self._server = server
        self._size_bytes = size_bytes
        self._patience_s = patience_s
        self._teller = teller
        self._changed = threading.Condition()
        self._sections: list[dict[str, Any]] = []
        self._watching_failed: Exception | None = None
        self._watcher: threading.Thread | None = None
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self  # without having started anything, so that whatever breaks in, `__exit__` is sure to come

    def __exit__(self, *_: object) -> None:
        self._over.set()  # what the watcher sees from now on is our own clearing up
        self.process.__exit__()

    def start(self) -> None:
        """Start its process."""
        self.process.start()
        self.say("device", f"started as process {self.process.pid}")

    # -- what is seen of it ------------------------------------------------------------------------------------------

    @property
    def last(self) -> dict[str, Any]:
        """The section on its twin, as its operator saw it last; empty if never."""
        with self._changed:
            return self._sections[-1] if self._sections else {}

    @property
    def requests(self) -> Sequence[Served]:
        """What it has asked the image server for."""
        return self._own(self._server.requests)

    @property
    def board(self) -> Board:
        """Its board; to be looked at."""
        return Board(self.process.slots_dir, disk=Disk())

    def say(self, who: str, text: str, section: dict[str, Any] | None = None) -> None:
        """Tell what happens to it."""
        self._teller.say(who, text, self.name, section)

    # -- what its operator does --------------------------------------------------------------------------------------

    def trigger(self, digest: str) -> None:
        """Start its update, and watch it from now on.

        Raises:
            FwsmError: the device did not take the request.
        """
        answer = trigger(self._client, self.name, requested(self._server.url(self.path), digest))
        answer.require_accepted()
        self.say("operator", f"method firmwareUpdate answered {answer.status}: {answer.text}")
        self._watcher = threading.Thread(target=self._watch, args=(answer.update_id,), daemon=True)
        self._watcher.start()

    def await_half(self) -> None:
        """Wait until half of the image is loaded.

        By the server's account: of a small image the device reports nothing before it has all of it.
        """
        half = self._size_bytes / 2
        loaded = self._server.wait_for(
            lambda log: sum(request.sent_bytes for request in self._own(log)) >= half, self._patience_s
        )
        self._require(loaded, "load half of the image")

    def await_answered(self, count: int) -> Served:
        """Wait until the server has answered so many of its requests, well or not; the last of these."""
        answered = self._server.wait_for(
            lambda log: sum(request.ended for request in self._own(log)) >= count, self._patience_s
        )
        self._require(answered, f"ask the image server {count} times")
        return self.requests[count - 1]

    def await_reported(self, *statuses: str, substatus: str | None = None) -> None:
        """Wait until its operator has seen one of these statuses, now or before; with the substatus, if one is given.

        Raises:
            FwsmError: it was not in time, or the watching failed.
        """

        def seen(section: dict[str, Any]) -> bool:
            return section.get("status") in statuses and substatus in {None, section.get("substatus")}

        with self._changed:
            in_time = self._changed.wait_for(
                lambda: self._watching_failed is not None or any(map(seen, self._sections)), self._patience_s
            )
        self._require(in_time, f"report {' or '.join(statuses)}")

    def await_settled(self) -> None:
        """Wait until its operator has seen the end of the update."""
        if self._watcher is not None:
            self._watcher.join(self._patience_s)
        self.await_reported("applyComplete", "applyFailed", "downloadFailed")

    def await_recorded(self, holds: Callable[[Update], bool], what: str) -> None:
        """Wait until the device's own database says so, whether a hub is there or not."""
        end, pause, known = time.monotonic() + self._patience_s, threading.Event(), False
        while not known and time.monotonic() < end:
            update = self.process.update()
            known = update is not None and holds(update)
            pause.wait(0 if known else _LOOK_AGAIN_S)
        self._require(known, what)

    # -- what befalls it ---------------------------------------------------------------------------------------------

    def kill(self, when: str) -> None:
        """SIGKILL, and start it again."""
        state = self._die()
        self.say("demo", f"SIGKILL {when}; its database says '{state}'")
        self._start_again()

    def cut_power(self, when: str) -> None:
        """Take the plug out of the whole device, and put it in again.

        The process is gone, what it had not synced of the image is gone, and the boot loader boots what it finds.
        """
        state = self._die()
        lost_bytes = self._forget_unsynced()
        self.lost_bytes += lost_bytes
        slot = self.board.power_cycle()
        gone = f"; {lost_bytes / 1024:.0f} KiB that were not synced are gone" if lost_bytes else ""
        self.say("demo", f"power cut {when}; its database says '{state}'{gone}; slot {slot} boots")
        self._start_again()

    def _die(self) -> State:
        self.process.kill()
        update = self.process.update()
        assert update is not None  # noqa: S101  # it was stored before the method was answered
        self.killed_in.append(update.state)
        return update.state

    def _start_again(self) -> None:
        self.process.start()
        self.say("device", f"started again as process {self.process.pid}")

    def _forget_unsynced(self) -> int:
        """Cut the half-loaded file back to what its record says was synced; how many bytes that took."""
        lost_bytes = 0
        for part in (self.process.state_dir / "artifacts").glob("*.part"):
            record = Record.read(part.with_name(f"{part.name}.json"), Disk())
            safe_bytes, size_bytes = (record.safe_bytes if record else 0), part.stat().st_size
            if size_bytes > safe_bytes:
                with part.open("r+b") as file:
                    file.truncate(safe_bytes)
                lost_bytes += size_bytes - safe_bytes
        return lost_bytes

    # -- watching ----------------------------------------------------------------------------------------------------

    def _watch(self, update_id: str | None) -> None:
        try:
            for event in watch(
                self._client,
                self.name,
                update_id=update_id,
                interval_s=_WATCHED_EVERY_S,
                timeout_s=self._patience_s * 2,
            ):
                if self._over.is_set():
                    return
                self._note(event)
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits for what is watched
            with self._changed:
                self._watching_failed = error
                self._changed.notify_all()

    def _note(self, event: Event) -> None:
        match event:
            case HubAway():
                self.say("operator", "the hub does not answer")
            case HubBack(away_s):
                self.say("operator", f"the hub answers again, after {away_s:.0f} s")
            case Snapshot(section):
                with self._changed:
                    self._sections.append(section.document)
                    self._changed.notify_all()
                self.say("operator", _told(section), section.document)

    def _own(self, log: Sequence[Served]) -> list[Served]:
        return [request for request in log if request.path == self.path]

    def _require(self, in_time: bool, what: str) -> None:
        with self._changed:
            failed = self._watching_failed
        if failed is not None:
            raise failed
        if not in_time:
            raise FwsmError(f"{self.name} did not {what} within {self._patience_s:g} s", fix=_LOOK_INTO_LOG)


def digest_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(section: Section) -> str:
    parts = [section.status, section.substatus, section.reason]
    if section.status == "downloading" and section.percent is not None:
        parts.append(f"{section.percent} %")
    if section.resumed:
        parts.append(f"(came back {_often(section.resumed)})")
    if section.error:  # on the way its first words are enough
        parts.append(f"- {section.error if section.settled else section.error.partition(': ')[0]}")
    return "twin: " + " ".join(part for part in parts if part)


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")
