"""Which hub, and as whom."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from fwsm.cli.options import CA_FILE, CONNECTION_STRING, ca_option, connected, connection_option
from fwsm.cli.output import Output
from fwsm.errors import ConfigError, ConnectionStringError

_KEY = "c2VjcmV0"


@click.command()
@connection_option
@ca_option
def _command(connection_string: str | None, ca: str | None) -> None:
    click.echo(f"{connection_string} {ca}")


@pytest.mark.parametrize(
    ("options", "environment", "taken"),
    [
        ([], {}, "None None"),
        ([], {CONNECTION_STRING: "e", CA_FILE: "f"}, "e f"),
        (["-c", "o", "--ca", "p"], {CONNECTION_STRING: "e", CA_FILE: "f"}, "o p"),
        ([], {CONNECTION_STRING: "", CA_FILE: ""}, "None None"),
    ],
)
def test_option_wins_over_the_environment(options: list[str], environment: dict[str, str], taken: str) -> None:
    """An empty variable counts as absent."""
    clean: dict[str, str | None] = {CONNECTION_STRING: None, CA_FILE: None}
    assert CliRunner().invoke(_command, options, env=clean | environment).output == f"{taken}\n"


def test_help_does_not_show_the_variable() -> None:
    """The connection string in the environment stays there."""
    result = CliRunner().invoke(_command, ["--help"], env={CONNECTION_STRING: f"SharedAccessKey={_KEY}"})
    assert CONNECTION_STRING in result.output
    assert _KEY not in result.output


@pytest.mark.parametrize("text", [None, ""])
def test_missing_connection_string_is_explained(text: str | None) -> None:
    """The message names both ways to give one."""
    with pytest.raises(ConnectionStringError) as caught:
        connected(Output(), text, None)
    assert CONNECTION_STRING in caught.value.fix
    assert "--connection-string" in caught.value.fix


def test_malformed_connection_string_is_not_shown() -> None:
    """The part that is missing is named, the key is not."""
    with pytest.raises(ConnectionStringError, match="SharedAccessKeyName is missing") as caught:
        connected(Output(), f"HostName=h;SharedAccessKey={_KEY}", None)
    assert _KEY not in str(caught.value)


def test_missing_ca_file_is_named() -> None:
    """A wrong path is told before anything is sent."""
    text = f"HostName=h;SharedAccessKeyName=service;SharedAccessKey={_KEY}"
    with pytest.raises(ConfigError, match=r"no/such\.pem"):
        connected(Output(), text, "no/such.pem")
