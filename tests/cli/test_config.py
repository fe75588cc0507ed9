"""`fwsm config`: all that is wrong, with its place, and what holds."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.config import DeviceConfig

if TYPE_CHECKING:
    from pathlib import Path

KEY = "c2VjcmV0LWtleQ=="
STRING = f"HostName=127.0.0.1;DeviceId=d1;SharedAccessKey={KEY}"


def _fwsm(*arguments: object, **environment: str) -> tuple[int, str, str]:
    clean: dict[str, str | None] = {"FWSM_CONNECTION_STRING": None, "FWSM_STATE_DIR": None, "FWSM_CA_FILE": None}
    result = CliRunner().invoke(program, ["config", *map(str, arguments)], env=clean | environment)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with something wrong in nearly every line."""
    file = tmp_path / "device.toml"
    file.write_text(
        'soaks = 3\ndelay_s = -1\nwindow = "at night"\nca_file = "/no.pem"\nhealth_command = ["/no/check"]\n'
    )
    return file


def test_check_names_everything_that_is_wrong_with_its_place(file: Path, tmp_path: Path) -> None:
    """Unknown names, bad values, what they lead to, and variables that mean nothing; exit code 11, nothing is made."""
    code, out, err = _fwsm("check", "--config", file, FWSM_STATE_DIR=str(tmp_path / "s"), FWSM_SOAKS="1")
    assert code == 11
    for told in (
        f"{file}, line 1: 'soaks' is no setting",
        f"{file}, line 2: delay_s is -1.0",
        "FWSM_SOAKS is in the environment, and is no setting",
        "the device has no connection string",
        f"{file}, line 4: cannot read ca_file /no.pem",
        f"{file}, line 3: 'at night' is not a maintenance window",
        f"{file}, line 5: health_command names /no/check, which is no program here",
    ):
        assert told in out
    assert "7 settings are wrong" in err
    assert not (tmp_path / "s").exists()


def test_check_for_programs_is_an_object_a_problem(file: Path) -> None:
    """Then the error with its exit code."""
    code, out, _ = _fwsm("check", "--config", file, "--json", FWSM_CONNECTION_STRING=STRING)
    *problems, last = [json.loads(line) for line in out.splitlines()]
    assert [problem["event"] for problem in problems] == ["problem"] * 5
    assert "perhaps soak_s was meant" in problems[0]["why"]
    assert (code, last["error"]["exitCode"]) == (11, 11)


def test_check_has_nothing_to_say_of_good_settings() -> None:
    """Exit code 0."""
    assert _fwsm("check", "--health-command", "true", FWSM_CONNECTION_STRING=STRING) == (
        0,
        "the settings are fine\n",
        "",
    )


def test_a_bad_connection_string_is_named_without_its_key() -> None:
    """With the variable that it stands in."""
    code, out, err = _fwsm("check", FWSM_CONNECTION_STRING=f"HostName=h;SharedAccessKey={KEY}")
    assert code == 11
    assert "FWSM_CONNECTION_STRING: DeviceId is missing" in out
    assert KEY not in out + err


def test_show_says_where_each_setting_comes_from(tmp_path: Path) -> None:
    """As TOML that means the same, without the secret."""
    file = tmp_path / "device.toml"
    file.write_text('window = "02:00-04:30"\n')
    given = ("--config", file, "--health-command", "check --quick", "--allow-http")
    code, out, _ = _fwsm("show", *given, FWSM_SOAK_S="2", FWSM_CONNECTION_STRING=STRING)
    assert code == 0
    lines = out.splitlines()
    assert "# connection_string is set, and not shown  # FWSM_CONNECTION_STRING" in lines
    assert f'window = "02:00-04:30"  # {file}, line 1' in lines
    assert 'health_command = ["check", "--quick"]  # --health-command' in lines
    assert "allow_http = true  # --allow-http" in lines
    assert "soak_s = 2.0  # FWSM_SOAK_S" in lines
    assert "delay_s = 0.0  # default" in lines
    assert tomllib.loads(out)["state_dir"] == str(DeviceConfig().state_dir)
    assert KEY not in out


def test_show_for_programs_is_an_object_a_setting() -> None:
    """Of a secret it says only whether there is one."""
    code, out, _ = _fwsm("show", "--json", FWSM_SOAK_S="2")
    shown = {each["setting"]: each for each in map(json.loads, out.splitlines())}
    assert code == 0
    assert shown["connection_string"] == {"setting": "connection_string", "set": False, "from": "default"}
    assert shown["soak_s"] == {"setting": "soak_s", "value": 2.0, "from": "FWSM_SOAK_S"}


def test_show_refuses_what_run_would_refuse(file: Path) -> None:
    """The first of it; `check` has all."""
    code, out, err = _fwsm("show", "--config", file)
    assert (code, out) == (11, "")
    assert "line 1: 'soaks'" in err
