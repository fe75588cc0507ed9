"""Settings of a device: defaults < TOML file < FWSM_* environment < arguments.

A setting has one name everywhere: `soak_s` in the file is `FWSM_SOAK_S` in the environment and `--soak-s` on the
command line. An unknown name in the file is an error: a setting that is silently ignored is worse than none. The
environment belongs to others as well, so a variable that only looks like ours is told and does no harm.
"""

from __future__ import annotations

import math
import shlex
from dataclasses import dataclass, field, fields
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_type_hints

from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["SECRETS", "DeviceConfig", "Found", "find", "load", "strays"]

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_LOG_FORMATS = ("text", "json")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceConfig:
    """What `fwsm device run` needs to know.

    Attributes:
        connection_string: the device's, from the hub; secret.
        sas_token_file: file with the device's shared access signature, which another program renews.
        x509_cert_file, x509_key_file: PEM files of the device's certificate and of its private key.
        x509_key_passphrase: opens the key; secret.
        dps_id_scope: which Device Provisioning Service assigns the hub; empty for none.
        dps_host: where that service is.
        dps_symmetric_key: the device's key there, base64; secret.
        registration_id: the device's name there.
        gateway_host: through which gateway the hub is reached; empty for none.
        proxy: through which proxy the hub is reached, as an address; may hold a password.
        websockets: MQTT over WebSocket on port 443 instead of MQTT on port 8883.
        state_dir: database, lock and downloads.
        slots_dir: the two slots and the boot pointer of the built-in installer.
        ca_file: PEM file of the authority that signs the hub and the image server; empty for the system's.
        delay_s: how long an update waits before it is downloaded.
        window: daily maintenance window in which images are applied, "HH:MM-HH:MM"; empty for any time.
        window_zone: time zone of the window.
        health_command: program and arguments that must end with status 0 before new firmware is confirmed.
        health_timeout_s: how long one run of it may take.
        soak_s: how long the new firmware must stay healthy before it is confirmed.
        check_every_s: pause between two runs of the health command.
        confirm_s: how long the new firmware may take to prove itself.
        progress_every_s: at most one progress report in so many seconds.
        allow_http: whether images may come over plain HTTP.
        max_bytes: the largest image that is taken.
        retry_base_s, retry_cap_s: full-jitter backoff between two downloads.
        history_entries, history_days: so many of the newest entries of the history are kept, and none that is older;
            0 for no limit.
        stuck_after_s: how long work may give no sign of life, beyond the time of a health command, before the
            supervisor is to start the program anew.
        log_level: DEBUG, INFO, WARNING or ERROR.
        log_format: text, or json for one object a line.
    """

    connection_string: str = field(default="", repr=False)
    sas_token_file: str = ""
    x509_cert_file: str = ""
    x509_key_file: str = ""
    x509_key_passphrase: str = field(default="", repr=False)
    dps_id_scope: str = ""
    dps_host: str = "global.azure-devices-provisioning.net"
    dps_symmetric_key: str = field(default="", repr=False)
    registration_id: str = ""
    gateway_host: str = ""
    proxy: str = field(default="", repr=False)
    websockets: bool = False
    state_dir: Path = Path("/var/lib/fwsm")
    slots_dir: Path = Path("/var/lib/fwsm/board")
    ca_file: str = ""
    delay_s: float = 0.0
    window: str = ""
    window_zone: str = "UTC"
    health_command: tuple[str, ...] = ()
    health_timeout_s: float = 60.0
    soak_s: float = 0.0
    check_every_s: float = 5.0
    confirm_s: float = 600.0
    progress_every_s: float = 5.0
    allow_http: bool = False
    max_bytes: int = 4 * 1024**3
    retry_base_s: float = 10.0
    retry_cap_s: float = 600.0
    history_entries: int = 2000
    history_days: float = 730.0
    stuck_after_s: float = 900.0
    log_level: str = "INFO"
    log_format: str = "text"

    def __post_init__(self) -> None:
        for name in ("delay_s", "soak_s", "history_entries", "history_days"):
            self._require(name, 0 <= getattr(self, name) < math.inf, "a number from 0 on")
        for name in (
            "health_timeout_s",
            "check_every_s",
            "confirm_s",
            "progress_every_s",
            "max_bytes",
            "retry_base_s",
            "retry_cap_s",
            "stuck_after_s",
        ):
            self._require(name, 0 < getattr(self, name) < math.inf, "a number greater than 0")
        self._require("log_level", self.log_level in _LOG_LEVELS, f"one of {', '.join(_LOG_LEVELS)}")
        self._require("log_format", self.log_format in _LOG_FORMATS, f"one of {', '.join(_LOG_FORMATS)}")

    def _require(self, name: str, holds: bool, what: str) -> None:
        if not holds:
            raise ConfigError(f"{name} is {getattr(self, name)!r}", why=f"it must be {what}", fix="Change the setting")


SECRETS: Final = frozenset(setting.name for setting in fields(DeviceConfig) if not setting.repr)
"""The settings whose values are shown nowhere."""

# Variables that are no settings of a device: for operators, for a search for a bug, and for a health command's program.
_OTHERS: Final = ("SERVICE_CONNECTION_STRING", "DEBUG", "UPDATE_ID", "SLOT", "VERSION")


@dataclass(slots=True)
class Found:
    """What was found in file, environment and arguments, good and bad.

    Attributes:
        values: the settings that hold, by their names.
        places: where each of them stands: file and line, a variable, or "" for an argument.
        problems: what does not hold, with its place, in the order in which it was found.
        whole: whether the file could be read.
    """

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    problems: list[ConfigError] = field(default_factory=list)
    whole: bool = True

    def take(self, name: str, value: Any, place: str, told: str) -> None:
        """Keep a value that its setting can have; it wins over one that was taken before."""
        try:
            DeviceConfig(**{name: value})
        except ConfigError as error:
            self.problems.append(ConfigError(f"{told}{error.what}", why=error.why, fix=error.fix))
        else:
            self.values[name], self.places[name] = value, place


def load(file: Path | None, environ: Mapping[str, str], given: Mapping[str, Any]) -> DeviceConfig:
    """Put the settings together.

    Args:
        file: a TOML file with settings at its top level; None for none.
        environ: the environment.
        given: what the command line gives; None values count as not given.

    Raises:
        ConfigError: naming the setting, where it came from, and what it must be.
    """
    found = find(file, environ, given)
    if found.problems:
        raise found.problems[0]
    return DeviceConfig(**found.values)


def find(file: Path | None, environ: Mapping[str, str], given: Mapping[str, Any]) -> Found:
    """Look for settings as `load` does, without stopping at what is wrong."""
    found = Found()
    if file:
        try:
            _find_in_file(found, file)
        except ConfigError as error:
            found.problems.append(error)
            found.whole = False
    for setting in fields(DeviceConfig):
        variable = f"FWSM_{setting.name.upper()}"
        if variable in environ:
            try:
                found.take(setting.name, _parsed(setting.name, environ[variable], variable), variable, f"{variable}: ")
            except ConfigError as error:
                found.problems.append(error)
    for name, value in given.items():
        if value is not None:
            found.take(name, value, "", "")
    return found


def strays(environ: Mapping[str, str]) -> list[ConfigError]:
    """The variables of an environment that look like settings and are none; nothing comes of them."""
    known = [f"FWSM_{name.upper()}" for name in (*_kinds(), *_OTHERS)]
    return [
        ConfigError(
            f"{name} is in the environment, and is no setting", why=_meant(name, known), fix="Mend or remove it"
        )
        for name in sorted(environ)
        if name.startswith("FWSM_") and name != "FWSM_" and name not in known
    ]


def _find_in_file(found: Found, file: Path) -> None:
    import tomllib  # noqa: PLC0415 - of no use to a process that has read its settings from the environment

    text = _text_of(file)
    try:
        settings = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file} is not TOML", why=str(error), fix="Write settings like soak_s = 30") from error
    kinds = _kinds()
    for name, value in settings.items():
        place = f"{file}{_line_of(text, name)}"
        if name not in kinds:
            fix = f"Known are {', '.join(sorted(kinds))}"
            found.problems.append(ConfigError(f"{place}: '{name}' is no setting", why=_meant(name, kinds), fix=fix))
            continue
        try:
            found.take(name, _checked(name, value, f"{place}: {name}"), place, f"{place}: ")
        except ConfigError as error:
            found.problems.append(error)


def _text_of(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        why, fix = error.strerror or str(error), "Give a file that the user who runs this program can read"
        if isinstance(error, FileNotFoundError):
            why, fix = "there is no such file", "Check the path given with --config"
        raise ConfigError(f"cannot read {file}", why=why, fix=fix) from error
    try:
        return data.decode("utf-8-sig")  # some editors put a mark at the beginning
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(
            f"{file}, line {line}: it is not UTF-8",
            why=f"byte {error.start} is 0x{data[error.start]:02x}: {error.reason}",
            fix="Save the file as UTF-8",
        ) from error


def _meant(name: str, known: Iterable[str]) -> str:
    import difflib  # noqa: PLC0415 - only somebody's mistake needs it

    near = difflib.get_close_matches(name, known, n=1)
    return f"perhaps {near[0]} was meant" if near else ""


def _checked(name: str, value: Any, where: str) -> Any:
    """A TOML value, or a text, as the setting's type."""
    kind = _kinds()[name]
    if kind is float and type(value) in {int, float} and abs(value) < _BIGGEST:
        return float(value)
    if kind is Path and isinstance(value, str) and value and "\0" not in value:  # "" would be the working directory
        return Path(value)
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    if type(value) is kind:
        return value
    shown = f"of type {type(value).__name__}" if name in SECRETS else repr(value)
    example = f', such as {name} = ["/usr/bin/check", "all of it"]' if kind == tuple[str, ...] else ""
    raise ConfigError(f"{where} is {shown}", why=f"it must be {_KINDS[kind]}", fix=f"Change the setting{example}")


def _parsed(name: str, text: str, where: str) -> Any:
    """A text from the environment as the setting's type."""
    kind = _kinds()[name]
    try:
        if kind == tuple[str, ...]:
            return tuple(shlex.split(text))
        if kind is bool:
            return {"1": True, "true": True, "0": False, "false": False}[text.lower()]
        if kind in {int, float}:
            return kind(text)
    except (KeyError, ValueError) as error:
        raise ConfigError(f"{where} is {text!r}", why=f"it must be {_KINDS[kind]}", fix="Change the setting") from error
    return _checked(name, text, where)


# The type of each setting. To find out takes as long as to import several modules.
_kinds = cache(partial(get_type_hints, DeviceConfig))
_BIGGEST = 2**63  # where TOML's whole numbers end
_KINDS: dict[Any, str] = {
    str: "a text",
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    Path: "a path",
    tuple[str, ...]: "a list of texts",
}


def _line_of(text: str, name: str) -> str:
    keys = (line.split("=")[0].split(".")[0].strip("\"'[] \t") for line in text.splitlines())
    return next((f", line {number}" for number, key in enumerate(keys, start=1) if key == name), "")
