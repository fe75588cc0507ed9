"""An update on this machine, from the operator's trigger to the proved image, with a device that is killed on the way.

Everything in it is real: the hub with its TLS and tokens, the image server, the device in a process of its own on the
real SDK, SIGKILL, the operator over REST. It tells what happens as it happens, and at the end what held.
"""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fwsm.core.update import State
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.errors import FwsmError
from fwsm.hub import Hub
from fwsm.service.client import Client
from fwsm.service.sas import SharedAccess
from fwsm.service.transport import Transport
from fwsm.service.trigger import requested, trigger
from fwsm.service.watch import Snapshot, watch
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.service.section import Section

__all__ = ["Check", "Moment", "Rehearsal"]

_DEVICE = "demo-device"
_LOAD_S = 5.0  # how long the download takes without a kill: long enough to be killed in, short enough to watch
_CONNECTS_WITHIN_S = 20.0
_SETTLES_WITHIN_S = 90.0
_LOOK_INTO_LOG = "Run it again with --keep DIR and look into device/device.log there"
# What one kill may cost: what the server had sent and the device had not made safe yet.
_LOADED_AGAIN_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened.

    Attributes:
        at_s: seconds since the beginning.
        who: "hub", "server", "device", "operator" or "demo".
        text: what happened.
        section: the reported section, when the device's twin has changed.
    """

    at_s: float
    who: str
    text: str
    section: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Something that must hold.

    Attributes:
        what: the claim.
        held: whether it did.
        detail: the figures behind it.
    """

    what: str
    held: bool
    detail: str


class Rehearsal:
    """One run.

    Args:
        directory: where everything goes; kept.
        image: the firmware image.
        address: an address of 127.0.0.0/8 for hub and image server.
        tell: called with each moment, from any thread, one at a time.
    """

    def __init__(self, directory: Path, image: Path, address: str, tell: Callable[[Moment], None]) -> None:
        self._directory = directory
        self._image = image
        self._size_bytes = image.stat().st_size
        self._address = address
        self._tell = tell
        self._begin = time.monotonic()
        self._lock = threading.Lock()
        self._changed = threading.Condition()
        self._sections: list[dict[str, Any]] = []
        self._watching_failed: Exception | None = None

    def run(self) -> list[Check]:
        """Play it, and say what held.

        Raises:
            FwsmError: it could not be played to its end; the message says why.
            Exception: what `tell` has raised.
        """
        with ExitStack() as stack:
            hub = stack.enter_context(Hub(self._address))
            self._say("hub", f"an IoT Hub listens on {self._address}, MQTT over TLS on port 8883")
            server = stack.enter_context(
                ImageServer(self._address, {"/firmware.img": self._image}, bytes_per_s=self._size_bytes / _LOAD_S)
            )
            self._say("server", f"serves {self._image.name}, {self._size_bytes / 2**20:.1f} MiB, over HTTPS")
            device = DeviceProcess(
                self._directory / "device",
                hub.add_device(_DEVICE).connection_string,
                self._authorities(hub, server),
                {"delay_s": "1", "progress_every_s": "0.5", "soak_s": "2", "check_every_s": "0.5", "retry_base_s": "1"},
            )
            client = stack.enter_context(
                Client(Transport(SharedAccess.parse(hub.service_connection_string), ca_file=hub.ca_path))
            )
            stack.enter_context(device)
            self._say("device", f"started as process {device.pid}")
            hub.wait_reachable(_DEVICE, _CONNECTS_WITHIN_S)
            self._say("device", "is connected and listens to direct methods")
            kills = self._update(client, server, device)
            reported = [part["status"] for part in map(_section, hub.reports(_DEVICE)) if "status" in part]
            return self._checks(server, device, kills, reported)

    def _update(self, client: Client, server: ImageServer, device: DeviceProcess) -> list[State]:
        digest = _sha256(self._image)
        answer = trigger(client, _DEVICE, requested(server.url("/firmware.img"), digest))
        answer.require_accepted()
        self._say("operator", f"method firmwareUpdate answered {answer.status}: {answer.text}")
        watcher = threading.Thread(target=self._watch, args=(client, answer.update_id), daemon=True)
        watcher.start()
        self._await_half(server)
        killed_in = [self._kill(device, "in the middle of the download")]
        self._await(lambda section: section.get("status") == "applying", "status applying")
        killed_in.append(self._kill(device, "while it applies the image"))
        self._await(lambda section: section.get("status") in {"applyComplete", "applyFailed"}, "a settled update")
        watcher.join(_CONNECTS_WITHIN_S)
        return killed_in

    def _kill(self, device: DeviceProcess, when: str) -> State:
        device.kill()
        update = device.update()
        state = update.state if update else State.WAITING
        self._say("demo", f"SIGKILL {when}; its database says '{state}'")
        device.start()
        self._say("device", f"started again as process {device.pid}")
        return state

    def _watch(self, client: Client, update_id: str | None) -> None:
        try:
            for event in watch(client, _DEVICE, update_id=update_id, interval_s=0.25, timeout_s=_SETTLES_WITHIN_S):
                if isinstance(event, Snapshot):
                    self._note(event.section)
        except Exception as error:  # noqa: BLE001  # raised again by whoever waits for what is watched
            with self._changed:
                self._watching_failed = error
                self._changed.notify_all()

    def _note(self, section: Section) -> None:
        with self._changed:
            self._sections.append(section.document)
            self._changed.notify_all()
        self._say("operator", _told(section), section.document)

    def _await_half(self, server: ImageServer) -> None:
        # By the server's account: of a small image the device reports nothing before it has all of it.
        half = self._size_bytes / 2
        if not server.wait_for(lambda log: sum(request.sent_bytes for request in log) >= half, _SETTLES_WITHIN_S):
            raise FwsmError(
                f"the device did not load half of the image within {_SETTLES_WITHIN_S:g} s", fix=_LOOK_INTO_LOG
            )
        self._check_watching()

    def _await(self, holds: Callable[[dict[str, Any]], bool], what: str) -> None:
        def over() -> bool:
            return self._watching_failed is not None or any(map(holds, self._sections))

        with self._changed:
            in_time = self._changed.wait_for(over, _SETTLES_WITHIN_S)
        self._check_watching()
        if not in_time:
            raise FwsmError(f"the device did not report {what} within {_SETTLES_WITHIN_S:g} s", fix=_LOOK_INTO_LOG)

    def _check_watching(self) -> None:
        if self._watching_failed is not None:
            raise self._watching_failed

    def _checks(
        self, server: ImageServer, device: DeviceProcess, killed_in: list[State], reported: list[str]
    ) -> list[Check]:
        last = self._sections[-1]
        board = Board(device.slots_dir, disk=Disk())
        pointer = board.status()
        slot, image = _sha256(board.slot_path(pointer.booted)), _sha256(self._image)
        sent_bytes = sum(request.sent_bytes for request in server.requests)
        again_bytes = sent_bytes - self._size_bytes
        statuses = list(dict.fromkeys(reported))
        asked = ", ".join(request.range or "all" for request in server.requests)
        return [
            Check("the update ended in applyComplete", last.get("status") == "applyComplete", str(last.get("status"))),
            Check(
                "the device was killed while downloading and while applying",
                killed_in[0] is State.DOWNLOADING and killed_in[1].status == "applying",
                ", ".join(killed_in),
            ),
            Check(
                "it went on, and did not load again what it had",
                len(server.requests) > 1 and again_bytes <= min(_LOADED_AGAIN_BYTES, self._size_bytes // 4),
                f"asked for {asked}; {again_bytes / 1024:.0f} of {sent_bytes / 1024:.0f} KiB were sent twice",
            ),
            Check("the slot that runs holds the image, byte for byte", slot == image, f"slot {pointer.booted}: {slot}"),
            Check("the new slot is the one that boots from now on", pointer.settled, f"primary {pointer.primary}"),
            Check(
                "the hub was told every status, in order",
                statuses == list(_ORDER) and sorted(reported, key=_ORDER.index) == reported,
                " > ".join(statuses),
            ),
            Check(
                "the twin says how often the device came back",
                last.get("resumed", 0) >= len(killed_in),
                f"resumed {last.get('resumed')}",
            ),
        ]

    def _authorities(self, hub: Hub, server: ImageServer) -> Path:
        path = self._directory / "authorities.pem"
        path.write_text(hub.ca_pem + server.ca_pem, encoding="ascii")
        return path

    def _say(self, who: str, text: str, section: dict[str, Any] | None = None) -> None:
        with self._lock:
            self._tell(Moment(time.monotonic() - self._begin, who, text, section))


_ORDER = ("waiting", "downloading", "downloadComplete", "applying", "applyComplete")


def _told(section: Section) -> str:
    parts = [section.status, section.substatus, section.reason]
    if section.status == "downloading" and section.percent is not None:
        parts.append(f"{section.percent} %")
    if section.resumed:
        parts.append(f"(came back {_often(section.resumed)})")
    return "twin: " + " ".join(part for part in parts if part)


def _often(times: int) -> str:
    return {1: "once", 2: "twice"}.get(times, f"{times} times")


def _section(patch: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = patch.get("iothubDM", {}).get("firmwareUpdate", {})
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
