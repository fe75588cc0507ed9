"""What devices can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.device.commands import BUILT_IN
from fwsm.service.command import CANCEL, RETRY, STATUS, Command, send, update
from fwsm.service.trigger import requested
from tests.service.player import Player

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from fwsm.service import Client

_UPDATE = update(requested("https://h/fw", None, "1.2"))


def test_commands_are_the_methods_of_our_device() -> None:
    """None is missing, none is made up."""
    assert {command.method for command in (_UPDATE, CANCEL, RETRY, STATUS)} == BUILT_IN


@pytest.mark.parametrize(
    ("command", "payload"), [(_UPDATE, {"fwPackageUri": "https://h/fw", "fwVersion": "1.2"}), (RETRY, None)]
)
def test_command_reaches_the_device_once(
    hub: Hub, client: Client, command: Command, payload: dict[str, str] | None
) -> None:
    """With its payload or without one; the answer says which command it is to."""
    with Player(hub, "d1", payload={"message": "done", "updateId": "u1"}) as player:
        answer = send(client, "d1", command)
    assert player.calls == [payload]
    assert (answer.command, answer.status, answer.update_id) == (command.name, 200, "u1")
