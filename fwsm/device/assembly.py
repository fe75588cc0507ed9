"""Puts a device together from its settings: the built-in parts, as `fwsm device run` uses them.

Whoever embeds the package builds a `Device` with own parts instead; this is the example to start from.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.core.policy import AllOf, Delay, Window, zone_of
from fwsm.core.proxy import Proxy
from fwsm.core.update import Limits
from fwsm.device.clock import SystemClock
from fwsm.device.credentials import credentials_of
from fwsm.device.device import Device
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.device.health import command_check
from fwsm.device.installers.slots import SlotInstaller
from fwsm.device.iothub import IoTHubLink
from fwsm.device.iothub.identities import check_files, device_id_of
from fwsm.errors import ConfigError
from fwsm.store import Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.config import DeviceConfig
    from fwsm.core.policy import Policy
    from fwsm.device.ports import Heartbeat
    from fwsm.errors import FwsmError

__all__ = ["assemble", "device_id", "objections"]

_log = logging.getLogger(__name__)


def assemble(
    config: DeviceConfig,
    *,
    on_reboot: Callable[[], None],
    on_state: Callable[[bool, FwsmError | None], None] | None = None,
    heartbeat: Heartbeat | None = None,
) -> Device:
    """A device on the real SDK, the real disk, and the built-in board with its two slots.

    Args:
        config: the settings.
        on_reboot: ends the program; the board's power is cycled before the next start.
        on_state: told when the link comes and goes; see `IoTHubLink`.
        heartbeat: told in each turn of the agent that it gets on; see `Watchdog`.

    Raises:
        ConfigError: a setting is wrong.
        StoreLockedError: another agent works on the state directory.
        StoreError: the database cannot be used.
    """
    credentials = credentials_of(config)
    if (missing := _without_program(config)) is not None:
        _log.warning("%s", missing)
    ca_pem = _authorities(config.ca_file)
    disk = Disk()
    installer = SlotInstaller(config.slots_dir, disk=disk, on_reboot=on_reboot)
    clock = SystemClock(installer.board.status().boot_id)
    link = IoTHubLink(
        credentials,
        clock=clock,
        ca_pem=ca_pem,
        proxy=Proxy.parse(config.proxy) if config.proxy else None,
        websockets=config.websockets,
        assignment=_assignment(config),
        on_state=on_state,
    )
    download = HttpsDownload(
        config.state_dir / "artifacts",
        disk=disk,
        clock=clock,
        ca_pem=ca_pem,
        max_bytes=config.max_bytes,
        allow_http=config.allow_http,
    )
    return Device(
        config.state_dir,
        link=link,
        download=download,
        installer=installer,
        clock=clock,
        heartbeat=heartbeat,
        progress_every_s=config.progress_every_s,
        policy=_policy(config),
        checks=[command_check(config.health_command, config.health_timeout_s)] if config.health_command else [],
        limits=_limits(config),
        soak_s=_soak_s(config),
        check_every_s=config.check_every_s,
        allow_http=config.allow_http,
        retention=Retention(entries=config.history_entries, days=config.history_days),
    )


def device_id(config: DeviceConfig) -> str | None:
    """Return as which device of its hub this one was last known; None if the settings do not say. For logs."""
    try:
        return device_id_of(credentials_of(config), _assignment(config))
    except ConfigError:  # `assemble` says so
        return None


def objections(config: DeviceConfig) -> Iterator[tuple[str, ConfigError]]:
    """What `assemble` would say of each setting that it reads, with the setting's name; nothing is made or opened."""
    readings: dict[str, Callable[[], object]] = {
        "connection_string": lambda: check_files(credentials_of(config)),
        "proxy": lambda: Proxy.parse(config.proxy) if config.proxy else None,
        "ca_file": lambda: _authorities(config.ca_file),
        "window": lambda: Window.parse(config.window) if config.window else None,
        "window_zone": lambda: zone_of(config.window_zone) if config.window else None,
        "soak_s": lambda: _soak_s(config),
        "retry_base_s": lambda: _limits(config),
    }
    for name, read in readings.items():
        try:
            read()
        except ConfigError as error:
            yield error.setting or name, error
    if (missing := _without_program(config)) is not None:
        yield "health_command", missing


def _assignment(config: DeviceConfig) -> Path:
    return config.state_dir / "assignment.json"


def _without_program(config: DeviceConfig) -> ConfigError | None:
    """It may come with new firmware, and the device must come up without it; so this is told and stops nothing."""
    if not config.health_command or shutil.which(config.health_command[0]):
        return None
    return ConfigError(
        f"health_command names {config.health_command[0]}, which is no program here",
        why="as long as it is missing, no new firmware is confirmed: each is rolled back",
        fix="Install the program, or mend the setting",
    )


def _authorities(file: str) -> str | None:
    if not file:
        return None
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        missing = isinstance(error, FileNotFoundError)
        why = "there is no such file" if missing else getattr(error, "strerror", None) or "it is not text"
        raise ConfigError(f"cannot read ca_file {file}", why=why, fix="Give a PEM file") from error


def _soak_s(config: DeviceConfig) -> float:
    if config.soak_s >= config.confirm_s:
        raise ConfigError(
            f"soak_s is {config.soak_s:g} and confirm_s is {config.confirm_s:g}",
            why="all new firmware would be rolled back before it had been healthy for long enough",
            fix="Make confirm_s longer than soak_s",
        )
    return config.soak_s


def _limits(config: DeviceConfig) -> Limits:
    if config.retry_base_s > config.retry_cap_s:
        raise ConfigError(
            f"retry_base_s is {config.retry_base_s:g} and retry_cap_s is {config.retry_cap_s:g}",
            why="the first pause cannot be longer than the longest",
            fix="Make retry_cap_s at least as long as retry_base_s",
        )
    return Limits(retry_base_s=config.retry_base_s, retry_cap_s=config.retry_cap_s, confirm_s=config.confirm_s)


def _policy(config: DeviceConfig) -> Policy:
    policies: list[Policy] = [Delay(config.delay_s)]
    if config.window:
        policies.append(Window.parse(config.window, config.window_zone))
    return AllOf(policies)
