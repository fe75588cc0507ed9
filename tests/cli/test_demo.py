"""`fwsm demo`: what it refuses before it begins. That it works is shown by tests/e2e/test_demo.py."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.cli.demo import DemoFailedError, _conclude, _free, _free_address, _where_to_look
from fwsm.cli.output import Output
from fwsm.testing.rehearsal import FAULTS, Check

if TYPE_CHECKING:
    from collections.abc import Callable


def _refused(*arguments: object) -> str:
    result = CliRunner().invoke(program, ["demo", *map(str, arguments)])
    assert result.exit_code == 11
    return result.stderr


def test_an_image_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    """No file, a directory, an empty file."""
    assert "cannot read the image" in _refused("--image", tmp_path / "none")
    assert "cannot read the image" in _refused("--image", tmp_path)
    (tmp_path / "empty").touch()
    assert "is empty" in _refused("--image", tmp_path / "empty")


def test_a_directory_in_use_is_not_written_into(tmp_path: Path) -> None:
    """What lies there stays as it is."""
    (tmp_path / "thesis.txt").write_text("all of it")
    assert "is not empty" in _refused("--keep", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_directory_that_cannot_be_made_is_said() -> None:
    """Not even root can make one there."""
    assert "cannot use" in _refused("--keep", "/proc/fwsm")


def test_a_power_cut_that_kills_nobody_is_refused() -> None:
    """It would not be one."""
    assert "contradict each other" in _refused("--no-kill", "--fault", "power-cut")


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_can_be_asked_for_and_is_explained(fault: str) -> None:
    """The help names what the rehearsals have, once in the option and once with what it does."""
    shown = CliRunner().invoke(program, ["demo", "--help"]).stdout
    assert shown.count(fault) >= 2
    assert "is not one of" in CliRunner().invoke(program, ["demo", "--fault", fault + "s"]).stderr


def test_a_demo_that_failed_says_where_its_logs_are() -> None:
    """Those of every device, where they are, or where they would be if they were kept."""
    logs = [Path("/tmp/d/device-1/device.log"), Path("/tmp/d/device-2/device.log")]
    again = _where_to_look(logs, Path("/tmp/d"), kept=False)
    assert again == "Run it again with --keep DIR, and look there into device-1/device.log, device-2/device.log"
    kept = _where_to_look(logs, Path("/tmp/d"), kept=True)
    assert kept == "Look into /tmp/d/device-1/device.log, /tmp/d/device-2/device.log"
    missed = [Check("it flies", held=False, detail=""), Check("it runs", held=True, detail="")]
    with pytest.raises(DemoFailedError, match="1 of 2 did not hold") as failed:
        _conclude(Output(), missed, 1.0, kept)
    assert (failed.value.why, failed.value.fix) == ("it flies", kept)


def test_an_address_in_use_is_passed_over(loopback: Callable[[], str]) -> None:
    """Only an address with both ports free is taken."""
    address = loopback()
    with socket.socket() as taken:
        taken.bind((address, 8883))
        taken.listen()
        assert not _free(address, 8883)
        assert _free(address, 8443)
    assert _free_address().startswith("127.")


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_begins_with_what_it_does(option: str) -> None:
    """And shows examples."""
    result = CliRunner().invoke(program, ["demo", option])
    assert result.exit_code == 0
    assert "fwsm demo --image" in result.stdout
