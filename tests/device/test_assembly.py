"""A device put together from its settings."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.config import DeviceConfig
from fwsm.device.assembly import assemble, objections
from fwsm.errors import ConfigError, ConnectionStringError, FwsmError, SlotError, StoreLockedError

if TYPE_CHECKING:
    from pathlib import Path

KEY = base64.b64encode(b"a key of a device").decode()


@pytest.fixture
def config(tmp_path: Path) -> DeviceConfig:
    """Settings that will do."""
    return DeviceConfig(
        connection_string=f"HostName=127.0.0.1;DeviceId=d1;SharedAccessKey={KEY}",
        state_dir=tmp_path / "state",
        slots_dir=tmp_path / "board",
    )


def test_an_empty_machine_becomes_a_device(config: DeviceConfig) -> None:
    """The board is made, the database is there, and nothing has been connected to."""
    with assemble(config, on_reboot=lambda: None) as device:
        assert device.update is None
    assert (config.state_dir / "fwsm.db").is_file()
    assert (config.slots_dir / "slots" / "a.img").is_file()


def test_all_settings_of_a_policy_and_of_health_are_taken(config: DeviceConfig) -> None:
    """None of them needs more than the defaults beside it."""
    full = replace(config, delay_s=5.0, window="02:00-04:00", window_zone="Europe/Zurich", health_command=("true",))
    assemble(full, on_reboot=lambda: None).close()


@pytest.mark.parametrize(
    ("changes", "error", "what"),
    [
        ({"connection_string": " "}, ConfigError, "no connection string.*FWSM_CONNECTION_STRING"),
        ({"connection_string": "HostName=h"}, ConnectionStringError, "DeviceId"),
        ({"ca_file": "/nowhere.pem"}, ConfigError, "cannot read ca_file /nowhere.pem"),
        ({"window": "at night"}, ConfigError, "'at night' is not a maintenance window"),
        ({"window": "02:00-04:00", "window_zone": "Mars/Base"}, ConfigError, "Mars/Base"),
        ({"health_command": ("",)}, ConfigError, "the health command is empty"),
    ],
)
def test_a_wrong_setting_is_named(
    config: DeviceConfig, changes: dict[str, Any], error: type[FwsmError], what: str
) -> None:
    """What, and what to do; and once it is mended, the same process can try again."""
    with pytest.raises(error, match=what):
        assemble(replace(config, **changes), on_reboot=lambda: None)
    assemble(config, on_reboot=lambda: None).close()


def test_a_certificate_file_that_is_no_text_is_named(config: DeviceConfig, tmp_path: Path) -> None:
    """DER in place of PEM is a common mistake."""
    (tmp_path / "ca.der").write_bytes(b"\x30\x82\xff")
    with pytest.raises(ConfigError, match=r"cannot read ca_file .*ca\.der.*Give a PEM file"):
        assemble(replace(config, ca_file=str(tmp_path / "ca.der")), on_reboot=lambda: None)


def test_a_board_that_is_lost_is_named(config: DeviceConfig) -> None:
    """It is not silently made anew over what may be a good slot."""
    assemble(config, on_reboot=lambda: None).close()
    for copy in ("boot.json", "boot.backup.json"):
        (config.slots_dir / copy).write_bytes(b"rot")
    with pytest.raises(SlotError, match=r"the boot pointer in .* is lost"):
        assemble(config, on_reboot=lambda: None)


def test_the_second_agent_is_refused(config: DeviceConfig) -> None:
    """The first one goes on."""
    with assemble(config, on_reboot=lambda: None) as first:
        with pytest.raises(StoreLockedError):
            assemble(config, on_reboot=lambda: None)
        assert first.update is None


def test_a_health_command_that_does_not_exist_is_told_at_the_start(
    config: DeviceConfig, caplog: pytest.LogCaptureFixture
) -> None:
    """The device comes up all the same: new firmware may bring the program."""
    assemble(replace(config, health_command=("/no/check",)), on_reboot=lambda: None).close()
    assert "/no/check, which is no program here" in caplog.text


def test_objections_are_those_of_all_settings_that_are_read(config: DeviceConfig) -> None:
    """By the name of the setting, without anything being made."""
    assert list(objections(config)) == []
    bad = replace(config, connection_string="", ca_file="/nowhere.pem", window="at night", health_command=("/no",))
    bad = replace(bad, window_zone="Moon", soak_s=600.0, retry_cap_s=1.0)
    assert [name for name, _ in objections(bad)] == [
        "connection_string",
        "ca_file",
        "window",
        "window_zone",
        "soak_s",
        "retry_base_s",
        "health_command",
    ]
    assert not config.state_dir.exists()
