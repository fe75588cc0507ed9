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


@pytest.mark.parametrize(
    ("content", "told"), [(b"window = ", "is not TOML"), (b"\xff", "is not UTF-8"), (None, "there is no such file")]
)
def test_of_a_file_that_cannot_be_read_nothing_is_missed(tmp_path: Path, content: bytes | None, told: str) -> None:
    """What the device needs may stand in it; so that is the only thing that is wrong."""
    file = tmp_path / "device.toml"
    if content is not None:
        file.write_bytes(content)
    code, out, err = _fwsm("check", "--config", file)
    assert code == 11
    assert told in out
    assert "connection string" not in out
    assert "one setting is wrong" in err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            'window = "at night"\nwindow_zone = "Moon"',
            ["line 2: 'at night' is not a", "line 3: time zone 'Moon' is not"],
        ),
        ("soak_s = 700\nconfirm_s = 700.5", []),
        ("soak_s = 700\nconfirm_s = 700", ["line 2: soak_s is 700 and confirm_s is 700"]),
        ("soak_s = 600", ["line 2: soak_s is 600 and confirm_s is 600"]),
        ("retry_base_s = 601", ["line 2: retry_base_s is 601 and retry_cap_s is 600"]),
        ("retry_cap_s = 9.5", ["retry_base_s is 10 and retry_cap_s is 9.5"]),
        ("retry_cap_s = 10", []),
        ('ca_file = "/no.pem"', ["line 2: cannot read ca_file /no.pem\n  there is no such file\n"]),
        ('ca_file = "/"', ["line 2: cannot read ca_file /\n  Is a directory\n"]),
    ],
)
def test_settings_that_do_not_go_together_are_told(tmp_path: Path, settings: str, told: list[str]) -> None:
    """Each that is wrong, at its own place, with the reason; and nothing beside them."""
    file = tmp_path / "device.toml"
    file.write_text(f'connection_string = "{STRING}"\n{settings}\n')
    code, out, _ = _fwsm("check", "--config", file)
    assert [each for each in told if each not in out] == []
    assert code == (11 if told else 0)
    assert out.count("\n  ") == 2 * len(told)


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


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            'connection_string = "HostName=h;DeviceId=d;SharedAccessKey=a2V5"\ndps_symmetric_key = "a2V5"',
            "line 2: dps_sym",
        ),
        (
            'dps_id_scope = "0ne1"\nregistration_id = "r 1"\ndps_symmetric_key = "a2V5"',
            "line 2: registration_id is 'r 1'",
        ),
        ('dps_id_scope = "0-1"\nregistration_id = "r1"\ndps_symmetric_key = "a2V5"', "line 1: dps_id_scope is '0-1'"),
        ('dps_id_scope = "0ne1"\nregistration_id = "r1"\ndps_symmetric_key = "no key"', "line 3: dps_symmetric_key is"),
        ('dps_id_scope = "0ne1"', "line 1: dps_id_scope is set and registration_id is not"),
        ('dps_id_scope = "0ne1"\nregistration_id = "r1"', "line 1: dps_symmetric_key and x509_cert_file are not set"),
        ('x509_key_passphrase = "hush-hush"\nsas_token_file = "/t"', "line 1: x509_key_passphrase counts for nothing"),
        ('gateway_host = "a b"\nsas_token_file = "/t"', "line 1: gateway_host is 'a b'"),
        ('soak_s = 1\nsas_token_file = "/no/token"', "line 2: cannot read sas_token_file /no/token"),
        (
            'connection_string = "HostName=h;DeviceId=d;x509=true"\nx509_key_file = "/k"\nx509_cert_file = "/no.pem"',
            "line 3: the certificate of this device cannot be used",
        ),
    ],
)
def test_what_is_wrong_with_the_credentials_is_told_at_its_own_setting(
    tmp_path: Path, settings: str, told: str
) -> None:
    """And not at the connection string; files that are named are read."""
    file = tmp_path / "device.toml"
    file.write_text(settings)
    code, out, err = _fwsm("check", "--config", file)
    assert code == 11
    assert f"{file}, {told}" in out
    assert "one setting is wrong" in err
    assert "hush-hush" not in out + err


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
