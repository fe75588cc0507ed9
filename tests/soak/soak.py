"""One device over many updates, and after each of them the truth: database, twin and slots agree, and are right."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fwsm.cli.unit import service_unit
from fwsm.core.update import State
from fwsm.device.durable import Disk
from fwsm.device.installers.bootloader import Board
from fwsm.errors import FwsmError
from fwsm.store import Store
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess
from tests.soak.hubprocess import HubProcess
from tests.soak.plan import Act, Content, Round, Strike, plan
from tests.soak.upkeep import Reading, at_rest, growth

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.core.update import Update

__all__ = ["Soak", "Untrue"]

_NAME = "soak"
_PATIENCE_S = 120.0
_LOOK_AGAIN_S = 0.05
_BYTES_PER_S = 512 * 1024
_SICK, _WELL = b"SICK", b"WELL"
# A file that is here after the first updates belongs here; one that is here only later has been forgotten.
_SETTLED_AFTER = 2


class Untrue(AssertionError):  # noqa: N818  # what it says is the finding
    """Something that the device says is not so, or it said nothing in time."""


class Soak:
    """One run.

    Args:
        directory: for all files; empty.
        address: of 127.0.0.0/8, for hub and image server.
        seed: of everything that is drawn.
        updates: how many.
        say: told what happens, a line at a time.

    Attributes:
        ends: how often an image of which worth came to which end.
        acts: how often the device and the hub were struck, and how.
        device_readings, hub_readings: what each costs after each update.
    """

    def __init__(self, directory: Path, address: str, seed: int, updates: int, say: Callable[[str], None]) -> None:
        self._directory = directory
        self._temporary = directory / "tmp"
        self._seed = seed
        self._rounds = plan(seed, updates, _NAME)
        self._say = say
        self._hub = HubProcess(address, directory, _NAME, os.environ | {"TMPDIR": f"{self._temporary}"})
        self._server = ImageServer(address, {}, bytes_per_s=_BYTES_PER_S)
        self._names: set[str] = set()
        self._running = hashlib.sha256(b"").hexdigest()  # the image that boots: of no bytes, at first
        self.ends: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()
        self.device_readings: list[Reading] = []
        self.hub_readings: list[Reading] = []

    def run(self) -> None:
        """Play all rounds.

        Raises:
            Untrue: naming the round and what was found.
        """
        self._temporary.mkdir(parents=True)
        with self._hub, self._server:
            self._device = self._new_device()
            self._start_device()
            with contextlib.ExitStack() as stack:
                stack.push(self._device)
                for one in self._rounds:
                    try:
                        self._play(one)
                    except Untrue as error:
                        raise Untrue(f"seed {self._seed}, update {one.number}: {error}") from error
                grown = [*growth("the device", self.device_readings), *growth("the hub", self.hub_readings)]
                _require(not grown, "; ".join(grown))
        left = [path.name for path in self._temporary.iterdir()]
        _require(not left, f"temporary files are left: {left}")
        for log in (self._device.log, self._hub.log):
            _require("Traceback" not in log.read_text(), f"there is a traceback in {log}")

    def _new_device(self) -> DeviceProcess:
        authorities = self._directory / "authorities.pem"
        hub_pem = self._directory.joinpath("hub", "ca.pem").read_text()
        authorities.write_text(hub_pem + self._server.ca_pem)
        board = self._directory / "device" / "board" / "slots"
        settings = {
            "progress_every_s": "0.2",
            "retry_base_s": "0.2",
            "retry_cap_s": "1",
            "check_every_s": "0.2",
            "soak_s": "0.4",
            "confirm_s": "5",
            "health_command": f"""sh -c 'test "$(head -c 4 {board}/"$FWSM_SLOT".img)" = {_WELL.decode()}'""",
        }
        string = self._hub.card["devices"][0]["connectionString"]
        return DeviceProcess(self._directory / "device", string, authorities, settings)

    def _start_device(self) -> None:
        self._device.start(under=["env", f"TMPDIR={self._temporary}", *_as_a_service()])

    # -- one update --------------------------------------------------------------------------------------------------

    def _play(self, one: Round) -> None:
        began_s = time.monotonic()
        image = (_SICK if one.content is Content.SICK else _WELL) + random.Random(
            f"image {self._seed} {one.number}"
        ).randbytes(one.size_bytes - len(_WELL))
        path = f"/{one.number}.img"
        self._server.put(path, image)
        digest = "0" * 64 if one.content is Content.WRONG else hashlib.sha256(image).hexdigest()
        with contextlib.ExitStack() as faults, ThreadPoolExecutor(1) as strikes:
            for each in one.server:
                faults.enter_context(self._server.fault(path, each.fault, times=each.times))
            struck = strikes.submit(self._strike, one.strikes)
            self._trigger(self._server.url(path), digest)
            self._await(lambda: self._settled(path), "settled update", path)
            struck.result()
        self._hub.mend_everything()
        if one.loses_reports:
            self._hub.disconnect()
        update = self._update(path)
        self._await(lambda: self._answers(update), "answer to firmwareUpdateStatus that agrees", path)
        self._await(self._agreed, "twin that agrees with the database", path)
        _require(self._update(path) == update, f"what had settled has changed: {update}, then {self._update(path)}")
        self._await(lambda: not self._forgotten(update), "download directory that is tidy", path)
        self._judge(one, update, hashlib.sha256(image).hexdigest())
        self._measure(one.number)
        self.ends[f"{one.content}: {update.state}{f' ({update.failure.code})' if update.failure else ''}"] += 1
        befell = [f"server {each.name} x {each.times}" for each in one.server] + [str(each) for each in one.strikes]
        self._say(
            f"{one.number:3}  {time.monotonic() - began_s:5.1f} s  {one.content:5}  {update.state:14}  "
            f"device {self.device_readings[-1]}; hub {self.hub_readings[-1]}  [{', '.join(befell)}]"
        )

    def _trigger(self, uri: str, digest: str) -> None:
        """Ask until it is known that the device has taken it, as a patient operator does."""
        order = {"fwPackageUri": uri, "fwPackageCheckValue": digest}

        def taken() -> bool:
            update = self._device.update()
            if update is not None and update.request.uri == uri:
                return True
            with contextlib.suppress(FwsmError):
                self._hub.client.call_method(_NAME, "firmwareUpdate", order, response_timeout_s=5)
            return False

        self._await(taken, "device that takes the update", uri)

    def _strike(self, strikes: tuple[Strike, ...]) -> None:
        began_s, pause = time.monotonic(), threading.Event()
        for strike in strikes:
            pause.wait(max(0.0, began_s + strike.at_s - time.monotonic()))
            self.acts[strike.act] += 1
            match strike.act:
                case Act.KILL_DEVICE:
                    self._device.kill()
                    self._start_device()
                case Act.KILL_HUB:
                    self._hub.kill_and_start()
                case Act.DISCONNECT:
                    self._hub.disconnect()
                case Act.EXPIRE:
                    self._hub.expire()
                case Act.HUB_FAULT:
                    self._hub.break_something(strike.fault)

    # -- what is true ------------------------------------------------------------------------------------------------

    def _judge(self, one: Round, update: Update, digest: str) -> None:
        """Compare what the device claims, in its database and on the twin, with what is in its slots."""
        told = self._told()
        shown = (told.get("updateId"), told.get("status"))
        _require(shown == (update.id, update.state.status), f"the twin shows {shown} of {update}")
        if update.state is State.APPLY_COMPLETE:
            _require(one.content is Content.SOUND, f"an image that is {one.content} is said to be applied")
            self._running = digest
        else:
            _require(one.content is not Content.SOUND, f"a sound image was given up: {update.failure}")
            failure = update.failure
            _require(failure is not None and bool(failure.code and failure.message), "it does not say why it failed")
            told_code = told.get("error", {}).get("code")
            _require(failure is not None and told_code == failure.code, f"the twin shows {told_code} for {failure}")
        board = Board(self._device.slots_dir, disk=Disk())
        pointer = board.status()
        _require(pointer.settled and pointer.booted == pointer.primary, f"the board has not settled: {pointer}")
        with board.slot_path(pointer.booted).open("rb") as slot:
            booted = hashlib.file_digest(slot, "sha256").hexdigest()
        _require(booted == self._running, f"slot {pointer.booted} has {booted}, and {self._running} should run")

    def _measure(self, number: int) -> None:
        self.device_readings.append(at_rest(self._device.pid))
        self.hub_readings.append(at_rest(self._hub.pid))
        names = {
            f"{path.relative_to(self._directory)}"
            for folder in (self._device.state_dir, self._device.slots_dir, self._directory / "hub")
            for path in folder.rglob("*")
            if path.parent.name != "artifacts"
        }
        if number > _SETTLED_AFTER:
            _require(names <= self._names, f"files that were not there before: {names - self._names}")
        self._names |= names

    # -- looking -----------------------------------------------------------------------------------------------------

    def _settled(self, path: str) -> bool:
        update = self._device.update()
        return update is not None and update.request.uri.endswith(path) and update.state.settled

    def _update(self, path: str) -> Update:
        update = self._device.update()
        _require(update is not None and update.request.uri.endswith(path), f"the newest update is {update}")
        assert update is not None
        return update

    def _told(self) -> dict[str, Any]:
        with contextlib.suppress(FwsmError):
            reported = self._hub.client.twin(_NAME)["properties"]["reported"]
            return dict(reported.get("iothubDM", {}).get("firmwareUpdate", {}))
        return {}

    def _forgotten(self, update: Update) -> list[str]:
        """What is left of downloads; of one that failed, what it has loaded may stay for a retry."""
        left = [path.name for path in (self._device.state_dir / "artifacts").glob("*")]
        kept = "" if update.state is State.APPLY_COMPLETE else update.request.sha256
        return [name for name in left if not kept or not name.startswith(kept)]

    def _answers(self, update: Update) -> bool:
        """Whether the device can be reached, also after a late kill, and says of itself what its database says."""
        with contextlib.suppress(FwsmError):
            answer = self._hub.client.call_method(_NAME, "firmwareUpdateStatus", response_timeout_s=5)
            said = (answer.status, answer.payload.get("updateId"), answer.payload.get("status"))
            return said == (200, update.id, update.state.status)
        return False

    def _agreed(self) -> bool:
        """Whether nothing is to be told, and the twin shows what the database says that it should."""
        with Store(self._device.state_dir, read_only=True) as store, contextlib.closing(store.outbox()) as outbox:
            return not outbox.pending() and self._told() == _without_nulls(outbox.section())

    def _await(self, fact: Callable[[], bool], what: str, path: str) -> None:
        end_s, pause = time.monotonic() + _PATIENCE_S, threading.Event()
        while not fact():
            late = time.monotonic() >= end_s
            if late:
                text = f"no {what} for {path} within {_PATIENCE_S:g} s: {self._device.update()}; {self._told()}"
                raise Untrue(text)
            pause.wait(_LOOK_AGAIN_S)


def _as_a_service() -> list[str]:
    """The variables that the systemd unit sets."""
    unit = service_unit(Path("/etc/fwsm/fwsm.toml"))
    return re.findall("^Environment=(.+)$", unit, re.MULTILINE)


def _without_nulls(value: Any) -> Any:
    """What the twin keeps of a patch: null stands for what is not to be there, at any depth."""
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(each) for name, each in value.items() if each is not None}


def _require(held: bool, otherwise: str) -> None:
    if not held:
        raise Untrue(otherwise)
