"""One option a setting of the device, named as in the file and in the environment."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.values import Directory
from fwsm.config import DeviceConfig
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["config_option", "setting_options"]

_HELP: Final = {
    "connection_string": "The device's connection string; better in FWSM_CONNECTION_STRING.",
    "sas_token_file": "File with a shared access signature, which another program renews.",
    "x509_cert_file": "PEM file of the device's certificate.",
    "x509_key_file": "PEM file of the certificate's private key.",
    "x509_key_passphrase": "Opens that key; better in FWSM_X509_KEY_PASSPHRASE.",
    "dps_id_scope": "ID scope of the Device Provisioning Service that assigns the hub.",
    "dps_host": "Where that service is.",
    "dps_symmetric_key": "The device's key there; better in FWSM_DPS_SYMMETRIC_KEY.",
    "registration_id": "The device's name there.",
    "gateway_host": "Gateway through which the hub is reached.",
    "proxy": "Proxy through which the hub is reached, such as socks5://proxy.example:1080.",
    "websockets": "Talk to the hub on port 443 (WebSocket) instead of 8883.",
    "state_dir": "Database, lock and downloads.",
    "slots_dir": "The two slots and the boot pointer.",
    "ca_file": "PEM file of the authorities of hub and image server; else the system's are trusted.",
    "delay_s": "Wait so many seconds before the download.",
    "window": "Daily maintenance window for applying, HH:MM-HH:MM.",
    "window_zone": "Time zone of the window.",
    "health_command": "Must end with status 0 before new firmware is confirmed.",
    "health_timeout_s": "How long one run of it may take.",
    "soak_s": "How long new firmware must stay healthy.",
    "check_every_s": "Pause between two health checks.",
    "confirm_s": "How long new firmware may take to prove itself; longer than soak_s.",
    "progress_every_s": "At most one progress report in so many seconds; less than 5 % more waits 60 times as long.",
    "allow_http": "Take images over plain HTTP, too.",
    "max_bytes": "The largest image that is taken.",
    "retry_base_s": "Longest first pause between two downloads; doubles.",
    "retry_cap_s": "Longest pause between two downloads.",
    "history_entries": "So many of the newest entries of the history are kept; 0 for no limit.",
    "history_days": "No entry of the history is kept for longer; 0 for no limit.",
    "stuck_after_s": "Work without a sign of life for this plus health_timeout_s lets the watchdog of systemd lapse.",
    "log_level": "DEBUG, INFO, WARNING or ERROR.",
    "log_format": "text, or json for one object a line.",
}


def _split(_context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    try:
        return None if text is None else tuple(shlex.split(text))
    except ValueError as error:
        raise ConfigError(f"{parameter.name} is {text!r}", why=str(error), fix="Close the quotation") from error


# By the annotation of the setting, as it is written there.
_KINDS: Final[dict[str, dict[str, Any]]] = {
    "str": {"metavar": "TEXT"},
    "bool": {"is_flag": True, "flag_value": True, "type": click.BOOL},
    "int": {"type": int, "metavar": "N"},
    "float": {"type": float, "metavar": "N"},
    "Path": {"type": Directory(), "metavar": "DIR"},
    "tuple[str, ...]": {"metavar": "COMMAND", "callback": _split},
}


def config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --config, as its argument `file`; it may be absent."""
    return click.option(
        "--config", "file", type=click.Path(path_type=Path, dir_okay=False), help="TOML file with settings."
    )(command)


def setting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for each setting. None has a default, so what is not given does not count."""
    for setting in reversed(fields(DeviceConfig)):
        name = f"--{setting.name.replace('_', '-')}"
        shown = {"help": _HELP[setting.name], "default": None} | _KINDS[str(setting.type)]
        command = click.option(name, setting.name, **shown)(command)
    return command
