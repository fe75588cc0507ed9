"""The systemd unit that is shipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.cli.unit import service_unit
from fwsm.errors import ConfigError
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable


def _settings(text: str) -> dict[str, str]:
    lines = (line for line in text.splitlines() if line and not line.startswith(("#", "[")))
    return dict(line.split("=", 1) for line in lines)


def test_it_runs_this_python_and_is_watched() -> None:
    """It notifies, is started anew whatever happens, and never gives up."""
    settings = _settings(service_unit(Path("/etc/fwsm/fwsm.toml")))
    assert settings["ExecStart"] == f"{sys.executable} -m fwsm device run --config /etc/fwsm/fwsm.toml"
    assert (settings["Type"], settings["Restart"], settings["StartLimitIntervalSec"]) == ("notify", "always", "0")
    assert int(settings["WatchdogSec"]) > 0
    assert settings["StateDirectory"] == "fwsm"


def test_its_memory_does_not_rise_with_the_threads_of_its_downloads() -> None:
    """The C library keeps few arenas; that this holds the memory level is shown by `make soak`."""
    assert _settings(service_unit(Path("/etc/fwsm/fwsm.toml")))["Environment"] == "MALLOC_ARENA_MAX=2"


def test_it_can_only_write_where_the_settings_say_by_default() -> None:
    """The default directories lie in the service's state directory."""
    settings = _settings(service_unit(Path("/etc/fwsm/fwsm.toml")))
    assert (settings["ProtectSystem"], settings["NoNewPrivileges"]) == ("strict", "yes")


def test_signs_that_mean_something_to_systemd_are_written_as_themselves() -> None:
    """As its manual wants it."""
    assert service_unit(Path('/a b/%h $x "q".toml')).count('--config "/a b/%%h $$x \\"q\\".toml"') == 1
    with pytest.raises(ConfigError, match="cannot stand in a unit"):
        service_unit(Path("/a\nExecStartPre=/bin/x"))


def test_systemd_finds_nothing_wrong_with_it(tool: Callable[[str], str], tmp_path: Path) -> None:
    """Its own check, manual pages apart."""
    file = tmp_path / "fwsm.service"
    file.write_text(service_unit(Path("/etc/fwsm/fwsm.toml")))
    command = [tool("systemd-analyze"), "verify", "--man=no", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert (said.returncode, said.stderr) == (0, "")
