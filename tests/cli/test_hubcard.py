"""The card of a running hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from fwsm.cli.hubcard import default_state, owner
from fwsm.errors import HubUnreachableError
from fwsm.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_card_of_a_running_hub_lets_its_owner_in(loopback: Callable[[], str], tmp_path: Path) -> None:
    """What the hub leaves in its directory is what this reads."""
    with Hub(loopback(), state=tmp_path) as hub:
        assert owner(tmp_path) == (hub.owner_connection_string, str(hub.ca_path))


def test_stopped_hub_has_no_card(loopback: Callable[[], str], tmp_path: Path) -> None:
    """Once the hub has stopped, nobody is sent to it."""
    with Hub(loopback(), state=tmp_path):
        pass
    with pytest.raises(HubUnreachableError, match="No such file"):
        owner(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", "{", '{"ownerConnectionString": "x"}', "\x80"])
def test_damaged_card_is_told(tmp_path: Path, content: str) -> None:
    """A card that cannot be read leads nowhere, and says how to go on."""
    (tmp_path / "hub.json").write_text(content)
    with pytest.raises(HubUnreachableError, match=r"cannot be read") as caught:
        owner(tmp_path)
    assert "fwsm hub run" in caught.value.fix


@pytest.mark.parametrize(
    ("environment", "path"),
    [({"XDG_STATE_HOME": "/x", "HOME": "/h"}, "/x/fwsm/hub"), ({"HOME": "/h"}, "/h/.local/state/fwsm/hub")],
)
def test_default_directory_follows_the_desktop_standard(environment: dict[str, str], path: str) -> None:
    """The hub of one user has one place of its own."""

    @click.command()
    def command() -> None:
        click.echo(default_state())

    clean: dict[str, str | None] = {"XDG_STATE_HOME": None}
    assert CliRunner().invoke(command, env=clean | environment).output == f"{path}\n"
