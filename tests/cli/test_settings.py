"""Options that are made from the settings."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from fwsm.cli.settings import setting_options
from fwsm.config import DeviceConfig
from fwsm.errors import ConfigError


def _given(*arguments: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    @click.command()
    @setting_options
    def command(**given: Any) -> None:
        seen.update(given)

    result = CliRunner().invoke(command, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return seen


def test_every_setting_is_an_option_without_a_default() -> None:
    """What is not given is None, so that the environment and the file count."""
    assert _given() == {setting.name: None for setting in fields(DeviceConfig)}


def test_options_arrive_with_the_type_of_their_setting() -> None:
    """Numbers, switches, paths and command lines are what `DeviceConfig` takes."""
    given = _given(
        "--soak-s", "2.5", "--max-bytes", "7", "--allow-http", "--state-dir", "x", "--health-command", "sh -c 'exit 0'"
    )
    assert (given["soak_s"], given["max_bytes"], given["allow_http"]) == (2.5, 7, True)
    assert (given["state_dir"], given["health_command"]) == (Path("x"), ("sh", "-c", "exit 0"))
    DeviceConfig(**{name: value for name, value in given.items() if value is not None})


def test_a_command_line_with_an_open_quotation_is_refused() -> None:
    """With what was given and what to do."""
    with pytest.raises(ConfigError, match=r"health_command is .*: No closing quotation") as caught:
        _given("--health-command", "sh -c 'exit")
    assert caught.value.fix == "Close the quotation"


def test_every_option_says_what_it_is() -> None:
    """`--help` explains each setting."""

    @click.command()
    @setting_options
    def command(**_given: Any) -> None:
        """Nothing."""

    for parameter in command.params:
        assert isinstance(parameter, click.Option)
        assert parameter.help, parameter.name
