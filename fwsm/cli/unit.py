"""The systemd unit of the agent, as it is shipped beside this module."""

from __future__ import annotations

import sys
from importlib.resources import files
from typing import TYPE_CHECKING

from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["service_unit"]


def service_unit(config: Path) -> str:
    """Return the text of the unit, for this Python and a TOML file with settings.

    Raises:
        ConfigError: a path cannot be written into a unit.
    """
    command = [sys.executable, "-m", "fwsm", "device", "run", "--config", str(config.absolute())]
    text = files("fwsm.cli").joinpath("fwsm.service").read_text(encoding="utf-8")
    return text.replace("{command}", " ".join(map(_quoted, command)))


def _quoted(word: str) -> str:
    """A word of ExecStart=, as systemd.syntax(7) wants it: percent and dollar signs mean something there."""
    if not word.isprintable():
        raise ConfigError(f"{word!r} cannot stand in a unit", fix="Use a path without line breaks and the like")
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if escaped == word and " " not in word else f'"{escaped}"'
