"""Settings: where they come from, who wins, and what is said of bad ones."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.config import DeviceConfig, find, load, strays
from fwsm.errors import ConfigError, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRET = "HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0"


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "device.toml"
    path.write_text(text, encoding="utf-8")
    return path


def _refusal(
    file: Path | None = None, environ: Mapping[str, str] | None = None, given: Mapping[str, Any] | None = None
) -> str:
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {}, given or {})
    assert caught.value.fix
    assert caught.value.kind is Kind.NEEDS_OPERATOR
    return str(caught.value)


def test_without_anything_the_defaults_hold() -> None:
    """Every setting has a default."""
    assert load(None, {}, {}) == DeviceConfig()


def test_arguments_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    """Each layer takes the place of what stands below it, setting by setting."""
    file = _file(tmp_path, "soak_s = 1\ndelay_s = 1\nconfirm_s = 1\n")
    config = load(file, {"FWSM_SOAK_S": "2", "FWSM_DELAY_S": "2"}, {"soak_s": 3.0, "delay_s": None})
    assert (config.soak_s, config.delay_s, config.confirm_s) == (3.0, 2.0, 1.0)
    assert config.health_timeout_s == DeviceConfig().health_timeout_s


def test_file_sets_every_setting(tmp_path: Path) -> None:
    """Texts, numbers, flags, paths and lists come out as the setting's own type."""
    file = _file(
        tmp_path,
        """
        connection_string = "HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0"
        sas_token_file = "/run/token"
        x509_cert_file = "cert.pem"
        x509_key_file = "key.pem"
        x509_key_passphrase = "open"
        dps_id_scope = "0ne1"
        dps_host = "dps.example"
        dps_symmetric_key = "c2VjcmV0"
        registration_id = "r1"
        gateway_host = "edge.example"
        proxy = "socks5://p.example"
        websockets = true
        state_dir = "/a"
        slots_dir = "b/c"
        ca_file = "ca.pem"
        delay_s = 1
        window = "02:00-04:00"
        window_zone = "Europe/Zurich"
        health_command = ["/bin/check", "all of it"]
        health_timeout_s = 2.5
        soak_s = 3
        check_every_s = 4
        confirm_s = 5
        progress_every_s = 6
        allow_http = true
        max_bytes = 7
        retry_base_s = 8
        retry_cap_s = 9
        history_entries = 10
        history_days = 11
        stuck_after_s = 12
        log_level = "DEBUG"
        log_format = "json"
        """,
    )
    config = load(file, {}, {})
    assert config == DeviceConfig(
        connection_string=SECRET,
        sas_token_file="/run/token",
        x509_cert_file="cert.pem",
        x509_key_file="key.pem",
        x509_key_passphrase="open",
        dps_id_scope="0ne1",
        dps_host="dps.example",
        dps_symmetric_key="c2VjcmV0",
        registration_id="r1",
        gateway_host="edge.example",
        proxy="socks5://p.example",
        websockets=True,
        state_dir=Path("/a"),
        slots_dir=Path("b/c"),
        ca_file="ca.pem",
        delay_s=1.0,
        window="02:00-04:00",
        window_zone="Europe/Zurich",
        health_command=("/bin/check", "all of it"),
        health_timeout_s=2.5,
        soak_s=3.0,
        check_every_s=4.0,
        confirm_s=5.0,
        progress_every_s=6.0,
        allow_http=True,
        max_bytes=7,
        retry_base_s=8.0,
        retry_cap_s=9.0,
        history_entries=10,
        history_days=11.0,
        stuck_after_s=12.0,
        log_level="DEBUG",
        log_format="json",
    )
    assert not [setting.name for setting in fields(config) if getattr(config, setting.name) == setting.default]
    assert type(config.delay_s) is float


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("FWSM_CONNECTION_STRING", SECRET, "connection_string", SECRET),
        ("FWSM_STATE_DIR", "/a b", "state_dir", Path("/a b")),
        ("FWSM_DELAY_S", "1.5", "delay_s", 1.5),
        ("FWSM_MAX_BYTES", "1024", "max_bytes", 1024),
        ("FWSM_HEALTH_COMMAND", "/bin/check  all", "health_command", ("/bin/check", "all")),
        ("FWSM_HEALTH_COMMAND", "", "health_command", ()),
        ("FWSM_WINDOW", "", "window", ""),
        *(("FWSM_ALLOW_HTTP", text, "allow_http", True) for text in ("1", "true", "True", "TRUE")),
        *(("FWSM_ALLOW_HTTP", text, "allow_http", False) for text in ("0", "false")),
    ],
)
def test_environment_is_parsed_as_the_settings_type(variable: str, text: str, name: str, value: object) -> None:
    """A text becomes what the setting is."""
    config = load(None, {variable: text, "PATH": "/bin", "FWSM_": "x"}, {})
    assert getattr(config, name) == value
    assert type(getattr(config, name)) is type(value)


@pytest.mark.parametrize(
    ("variable", "text", "must"),
    [
        ("FWSM_DELAY_S", "soon", "a number"),
        ("FWSM_DELAY_S", "", "a number"),
        ("FWSM_MAX_BYTES", "1.5", "a whole number"),
        ("FWSM_MAX_BYTES", "9" * 5000, "a whole number"),
        ("FWSM_ALLOW_HTTP", "yes", "true or false"),
        ("FWSM_STATE_DIR", "", "a path"),
    ],
)
def test_bad_variable_is_named(variable: str, text: str, must: str) -> None:
    """The variable, what it holds, and what it must be."""
    assert _refusal(environ={variable: text}) == f"{variable} is {text!r}: it must be {must}. Change the setting"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('delay_s = "1"', "delay_s is '1': it must be a number"),
        (f"delay_s = {10**400}", f"delay_s is {10**400}: it must be a number"),
        ("delay_s = true", "delay_s is True: it must be a number"),
        ("max_bytes = 1.0", "max_bytes is 1.0: it must be a whole number"),
        ("max_bytes = true", "max_bytes is True: it must be a whole number"),
        ("allow_http = 1", "allow_http is 1: it must be true or false"),
        ("state_dir = 7", "state_dir is 7: it must be a path"),
        ('state_dir = ""', "state_dir is '': it must be a path"),
        ('state_dir = "a\\u0000b"', "state_dir is 'a\\x00b': it must be a path"),
        ('health_command = "check"', "health_command is 'check': it must be a list of texts"),
        ("health_command = [1]", "health_command is [1]: it must be a list of texts"),
        ("window = 2", "window is 2: it must be a text"),
        ("[window]", "window is {}: it must be a text"),
        ("speed = 1", "'speed' is no setting"),
        ('"speed" = 1', "'speed' is no setting"),
        ("[speed]", "'speed' is no setting"),
        ("speed.most = 1", "'speed' is no setting"),
    ],
    ids=lambda value: value[:30],
)
def test_bad_line_of_the_file_is_named(tmp_path: Path, line: str, told: str) -> None:
    """File, line, setting, what it holds, and what it must be."""
    file = _file(tmp_path, f"# settings\n\nsoak_s = 1\n{line}\n")
    assert f"{file}, line 4: {told}" in _refusal(file)


def test_a_command_that_is_no_list_is_answered_with_one(tmp_path: Path) -> None:
    """An example says more than the word."""
    told = _refusal(_file(tmp_path, 'health_command = "check --all"'))
    assert 'Change the setting, such as health_command = ["/usr/bin/check", "all of it"]' in told
    assert "such as" not in _refusal(_file(tmp_path, "soak_s = true"))


def test_unknown_setting_shows_the_known_ones(tmp_path: Path) -> None:
    """A typing error is found by looking at the list."""
    assert "Known are allow_http, ca_file, check_every_s" in _refusal(_file(tmp_path, "soaks = 1"))


def test_setting_whose_line_is_not_found_is_named_all_the_same(tmp_path: Path) -> None:
    """TOML can write a name with escapes."""
    file = _file(tmp_path, '"sp\\u0065ed" = 1')
    assert f"{file}: 'speed' is no setting" in _refusal(file)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"soak_s = ", "is not TOML"),
        (b"soak_s = 1\nsoak_s = 2", "is not TOML"),
        (b"soak_s = 1\n\xff\xfe", "line 2: it is not UTF-8"),
    ],
)
def test_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    """The parser's own words tell where."""
    file = tmp_path / "device.toml"
    file.write_bytes(content)
    assert what in _refusal(file)


@pytest.mark.parametrize(
    ("name", "why"), [("missing.toml", "there is no such file. Check the path"), (".", "Is a directory. Give a file")]
)
def test_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, why: str) -> None:
    """The path, the reason, and what helps against that one."""
    assert f"cannot read {tmp_path / name}: {why}" in _refusal(tmp_path / name)


def test_mark_at_the_beginning_of_a_file_is_passed_over(tmp_path: Path) -> None:
    """Some editors write one into what they call UTF-8."""
    file = tmp_path / "device.toml"
    file.write_bytes(b"\xef\xbb\xbfsoak_s = 3")
    assert load(file, {}, {}).soak_s == 3.0


@pytest.mark.parametrize("name", ["delay_s", "soak_s", "history_entries", "history_days"])
@pytest.mark.parametrize("value", [-0.001, float("inf"), float("nan")])
def test_wait_or_limit_is_a_number_from_zero_on(name: str, value: float) -> None:
    """Nothing is fine, less is not, and what has no end is given as 0."""
    assert getattr(load(None, {}, {name: 0.0}), name) == 0.0
    assert _refusal(given={name: value}) == f"{name} is {value}: it must be a number from 0 on. Change the setting"


@pytest.mark.parametrize(
    "name",
    [
        "health_timeout_s",
        "check_every_s",
        "confirm_s",
        "progress_every_s",
        "max_bytes",
        "retry_base_s",
        "retry_cap_s",
        "stuck_after_s",
    ],
)
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_pace_is_greater_than_zero(name: str, value: float) -> None:
    """Zero would spin, and less has no meaning."""
    assert _refusal(given={name: value}) == f"{name} is {value}: it must be a number greater than 0. Change the setting"


def test_bad_value_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    """File and environment go through the same door as arguments."""
    file = _file(tmp_path, "\nsoak_s = -1")
    assert f"{file}, line 2: soak_s is -1.0" in _refusal(file)
    assert "FWSM_SOAK_S: soak_s is nan" in _refusal(environ={"FWSM_SOAK_S": "nan"})


def test_all_that_is_wrong_is_found_and_the_rest_holds(tmp_path: Path) -> None:
    """Nobody has to mend one setting to hear of the next."""
    file = _file(tmp_path, "soaks = 3\ndelay_s = -1\nmax_bytes = 1.5\nconfirm_s = 7")
    found = find(file, {"FWSM_ALLOW_HTTP": "yes", "FWSM_SOAK_S": "2"}, {"retry_cap_s": 0.0, "retry_base_s": 3.0})
    assert [problem.what for problem in found.problems] == [
        f"{file}, line 1: 'soaks' is no setting",
        f"{file}, line 2: delay_s is -1.0",
        f"{file}, line 3: max_bytes is 1.5",
        "FWSM_ALLOW_HTTP is 'yes'",
        "retry_cap_s is 0.0",
    ]
    assert found.values == {"confirm_s": 7.0, "soak_s": 2.0, "retry_base_s": 3.0}
    assert found.places == {"confirm_s": f"{file}, line 4", "soak_s": "FWSM_SOAK_S", "retry_base_s": ""}


def test_the_name_that_was_meant_is_offered(tmp_path: Path) -> None:
    """Beside the whole list; where nothing is like it, nothing is."""
    assert "perhaps soak_s was meant" in _refusal(_file(tmp_path, "soaks = 1"))
    assert "perhaps" not in _refusal(_file(tmp_path, "xyzzy = 1"))


def test_variable_that_only_looks_like_a_setting_is_told() -> None:
    """Those of operators, of a health command and of a search for a bug are none, and are known."""
    known = {f"FWSM_{name}": "1" for name in ("SOAK_S", "SERVICE_CONNECTION_STRING", "DEBUG", "UPDATE_ID", "SLOT")}
    assert strays(known | {"FWSM_": "", "PATH": "/bin"}) == []
    told = [str(stray) for stray in strays(known | {"FWSM_SOAKS": "secret", "FWSM_ZZZZZZ": ""})]
    assert told == [
        "FWSM_SOAKS is in the environment, and is no setting: perhaps FWSM_SOAK_S was meant. Mend or remove it",
        "FWSM_ZZZZZZ is in the environment, and is no setting. Mend or remove it",
    ]


def test_log_level_is_one_of_four() -> None:
    """The message lists them."""
    assert "log_level is 'LOUD': it must be one of DEBUG, INFO, WARNING, ERROR" in _refusal(given={"log_level": "LOUD"})


def test_secret_is_shown_nowhere(tmp_path: Path) -> None:
    """Neither in the repr of the settings nor in what is said of a connection string of the wrong type."""
    assert "SharedAccessKey" not in repr(DeviceConfig(connection_string=SECRET))
    told = _refusal(_file(tmp_path, f'connection_string = ["{SECRET}"]'))
    assert "line 1: connection_string is of type list: it must be a text" in told
    assert "SharedAccessKey" not in told


def test_a_command_in_the_environment_is_split_as_a_shell_would() -> None:
    """Quotation marks hold words together, and one that is not closed is said."""
    config = load(None, {"FWSM_HEALTH_COMMAND": "sh -c 'exit 0'"}, {})
    assert config.health_command == ("sh", "-c", "exit 0")
    with pytest.raises(ConfigError, match="FWSM_HEALTH_COMMAND"):
        load(None, {"FWSM_HEALTH_COMMAND": "sh -c 'exit"}, {})
