"""Which embedded hub a command means."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from fwsm.cli.hubaccess import HubAccess, hub_access_options
from fwsm.cli.output import Output
from fwsm.errors import ConnectionStringError, HubUnreachableError
from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable

_STRING = "HostName=h:1;SharedAccessKeyName=service;SharedAccessKey=QUFB"


def test_directory_wins_over_a_connection_string(loopback: Callable[[], str], tmp_path: Path) -> None:
    """Typing --state means that hub, whatever the environment says."""
    with Hub(loopback(), state=tmp_path) as hub, HubAccess(tmp_path, _STRING, None).client(Output()) as client:
        assert client.host == hub.address


def test_connection_string_wins_over_the_default_directory() -> None:
    """It is asked for a hub that is anywhere."""
    with HubAccess(None, _STRING, None).client(Output()) as client:
        assert client.host == "h"
    with pytest.raises(ConnectionStringError), HubAccess(None, "HostName=h", None).client(Output()):
        pass


def test_directory_without_a_hub_is_told(tmp_path: Path) -> None:
    """The error says where none runs."""
    access = HubAccess(tmp_path, _STRING, None)
    with pytest.raises(HubUnreachableError, match=f"no hub runs on {tmp_path}"), access.client(Output()):
        pass


def test_options_become_one_argument() -> None:
    """The command's own options stay as they are; the secret is not in what a traceback shows."""
    seen: list[tuple[HubAccess, bool]] = []

    @click.command()
    @click.option("--other", is_flag=True)
    @hub_access_options
    def command(access: HubAccess, *, other: bool) -> None:
        seen.append((access, other))

    command.main(["--state", "/s", "-c", _STRING, "--other"], standalone_mode=False)
    assert seen == [(HubAccess(Path("/s"), _STRING, None), True)]
    assert "QUFB" not in repr(seen)
