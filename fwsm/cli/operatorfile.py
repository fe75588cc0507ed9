"""The operator's file: which hub to talk to when neither an option nor the environment says so.

    # ~/.config/fwsm/operator.toml
    connection_string = "HostName=…;SharedAccessKeyName=service;SharedAccessKey=…"
    ca_file = "/etc/fwsm/ca.pem"

With `hub` instead of `connection_string` the operator signs in with Entra ID. No message shows what stands in the file.
"""

from __future__ import annotations

import os
import stat
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from fwsm.errors import ConfigError

__all__ = ["OperatorFile", "default_path"]

_READABLE_BY_OTHERS: Final = stat.S_IRGRP | stat.S_IROTH


def default_path() -> Path:
    """Return where the file is when none is named: in XDG_CONFIG_HOME, else ~/.config."""
    # Without a home the text stays as it is, for messages; Path would raise.
    place = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return Path(place) / "fwsm" / "operator.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorFile:
    """What stands in the file.

    Attributes:
        connection_string: the operator's, secret; empty for none.
        hub: host name of a hub that Entra ID lets us into; empty for none.
        ca_file: PEM file of the authority that signed the hub's certificate; empty for the system's.
        exposed: whether it holds a secret and others on this machine can read it.
    """

    connection_string: str = field(default="", repr=False)
    hub: str = ""
    ca_file: str = ""
    exposed: bool = False

    @classmethod
    def read(cls, path: Path) -> OperatorFile:
        """Return what a file says.

        Raises:
            ConfigError: it cannot be read, is no TOML, or has a name or a value that is none.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                found = tomllib.loads(file.read().decode("utf-8-sig"))  # some editors begin a file with a mark
        except OSError as error:
            raise ConfigError(
                f"cannot read {path}", why=error.strerror or str(error), fix="Check the path given with --config"
            ) from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            why = str(error) if isinstance(error, tomllib.TOMLDecodeError) else "it is no UTF-8"
            raise ConfigError(f"{path} is not TOML", why=why, fix='Write settings like hub = "…"') from error
        known = [each.name for each in fields(cls) if each.name != "exposed"]
        for name, value in found.items():
            if name not in known:
                raise ConfigError(f"{path}: '{name}' is no setting", fix=f"Known are {', '.join(known)}")
            if not isinstance(value, str):
                found_type = type(value).__name__
                raise ConfigError(
                    f"{path}: {name} is of type {found_type}", why="it must be a text", fix="Write it in quotes"
                )
        return cls(**found, exposed=bool(found.get("connection_string")) and bool(mode & _READABLE_BY_OTHERS))
