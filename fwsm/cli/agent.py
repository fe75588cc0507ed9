"""`fwsm device run`: the agent as a process, under systemd or by hand."""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.explain import in_a_line
from fwsm.cli.loading import loading
from fwsm.cli.logs import begin_log
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.settings import config_option, setting_options
from fwsm.config import load, strays
from fwsm.core.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.config import DeviceConfig
    from fwsm.device.device import Device
    from fwsm.device.notify import Notifier
    from fwsm.errors import FwsmError

__all__ = ["run"]

_log = logging.getLogger(__name__)

# A database that is damaged is put together anew at the start, and one of an older version is changed.
_STARTS_WITHIN_S: Final = 300.0
# A job, the link and the reporter each have some seconds to end.
_STOPS_WITHIN_S: Final = 45.0


@click.command()
@config_option
@setting_options
@json_option
@pass_output
def run(output: Output, /, file: Path | None, **given: Any) -> None:
    """Run the update agent until SIGTERM or Ctrl-C.

    Each option is also a setting in the file given with --config, and a variable FWSM_… in the environment; an option
    wins over the environment, and that over the file. Put the connection string into the environment: other users of
    this machine can see the options. `fwsm device unit` prints a systemd unit.

    \b
    Examples:
      export FWSM_CONNECTION_STRING='HostName=…;DeviceId=d1;SharedAccessKey=…'
      fwsm device run --state-dir ./d1 --slots-dir ./d1/board --ca-file ca.pem
    """
    with loading():
        from fwsm.device.assembly import assemble  # noqa: PLC0415 - the other commands do without the SDK
        from fwsm.device.notify import Notifier  # noqa: PLC0415

        gc.freeze()  # modules stay, so later collections need not look at what they are made of either
    config = load(file, os.environ, given)
    life = _Life(output, config)
    begin_log(config, life.context)
    if config.log_format == "json":
        output.speak_through(_log.log)
    for stray in strays(os.environ):
        _log.warning("%s", stray)
    notifier = Notifier(os.environ)
    notifier.starting(_STARTS_WITHIN_S)
    with (
        assemble(config, on_reboot=life.reboot, on_state=life.note_link, heartbeat=life.heartbeat(notifier)) as device,
        _stopped_by_signals(device, notifier),
    ):
        life.begin(device)
        device.run()
    if life.rebooting:
        output.say("the board reboots")
        notifier.status("the board reboots")
        _cycle_power(config)


class _Life:
    """What is known of this process beside its database.

    Attributes:
        rebooting: whether it ends because the board is to reboot.
    """

    def __init__(self, output: Output, config: DeviceConfig) -> None:
        from fwsm.device.assembly import device_id  # noqa: PLC0415
        from fwsm.device.credentials import secrets_of  # noqa: PLC0415

        self._look_up = partial(device_id, config)
        self._secrets = frozenset(secrets_of(config))
        self.rebooting = False
        self._output = output
        self._config = config
        self._device: Device | None = None
        self._device_id = self._look_up()
        self._boot_id: str | None = None
        self._link = "not connected yet"
        self._connected = False

    def begin(self, device: Device) -> None:
        """The device has been put together."""
        self._device, self._boot_id = device, device.boot_id
        self._output.say(f"agent of {self._config.state_dir} runs, process {os.getpid()}")

    def context(self) -> dict[str, str | None]:
        """What each entry of the log carries."""
        update = self._device.update if self._device else None
        return {
            "device_id": self._device_id,
            "boot_id": self._boot_id,
            "update_id": update.id if update else None,
            "state": update.state.value if update else None,
        }

    def status(self) -> str:
        """What it does, in a line without secrets."""
        return redacted(f"{in_a_line(self._device.update if self._device else None)}; {self._link}", self._secrets)

    def heartbeat(self, notifier: Notifier) -> Callable[..., float] | None:
        """What tells the supervisor that the agent gets on; None if there is no supervisor."""
        from fwsm.device.watchdog import Watchdog  # noqa: PLC0415

        if not notifier.heard:
            return None
        stuck_after_s = self._config.stuck_after_s + self._config.health_timeout_s
        return Watchdog(notifier, stuck_after_s=stuck_after_s, status=self.status).beat

    def note_link(self, connected: bool, error: FwsmError | None) -> None:
        """Say when the link comes and when it is let go; the link itself logs what goes wrong with it."""
        was_connected, self._connected = self._connected, connected
        before = self._link
        if connected:
            self._device_id = self._look_up()  # a provisioning service may have assigned another one
            self._link = f"connected to the hub, but {error}" if error else "connected to the hub"
        elif error is not None:
            self._link = str(error)
        elif was_connected:
            self._link = "disconnected from the hub"
        if self._link != before and error is None:
            self._output.say(self._link)

    def reboot(self) -> None:
        """End, so that the power of the board can be cycled."""
        self.rebooting = True
        if self._device is not None:
            self._device.stop()


@contextmanager
def _stopped_by_signals(device: Device, notifier: Notifier) -> Iterator[None]:
    def stop(_number: int, _frame: object) -> None:
        notifier.stopping(_STOPS_WITHIN_S)
        device.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cycle_power(config: DeviceConfig) -> None:
    """What a reboot does to the simulated board: it boots a slot, and this program is started anew."""
    from fwsm.device.durable import Disk  # noqa: PLC0415
    from fwsm.device.installers.bootloader import Board  # noqa: PLC0415

    Board(config.slots_dir, disk=Disk()).power_cycle()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *_again()])  # noqa: S606 - the same program again


def _again() -> list[str]:
    """The arguments that started this program, for its next life."""
    return ["-m", "fwsm", *sys.argv[1:]]
