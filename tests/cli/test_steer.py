"""`fwsm cancel`, `fwsm retry` and `fwsm status` against an embedded hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.service.player import Player

if TYPE_CHECKING:
    from fwsm.hub import Hub

_COMMANDS = ["cancel", "retry", "status"]


def _fwsm(hub: Hub, *arguments: str) -> Result:
    variables = {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}
    return CliRunner().invoke(program, arguments, env=variables)


@pytest.mark.parametrize("command", _COMMANDS)
def test_device_is_asked_without_a_payload(hub: Hub, command: str) -> None:
    """What it answers is the result, for people and for programs."""
    with Player(hub, "d1", payload={"message": "FirmwareUpdate waiting", "updateId": "u1"}) as player:
        plain = _fwsm(hub, command, "d1")
        told = _fwsm(hub, command, "d1", "--json")
    assert player.calls == [None, None]
    assert (plain.exit_code, plain.stdout) == (0, "d1 answered 200: FirmwareUpdate waiting  (update u1)\n")
    document = json.loads(told.stdout)
    assert (document["event"], document["deviceId"], document["status"], document["updateId"]) == (
        "answer",
        "d1",
        200,
        "u1",
    )


@pytest.mark.parametrize("command", _COMMANDS)
def test_refusal_is_told_with_reason_and_way_out(hub: Hub, command: str) -> None:
    """Exit code 19; the words are the device's."""
    with Player(hub, "d1", status=409, payload={"message": "no", "reason": "it is over", "fix": "Nothing to do"}):
        result = _fwsm(hub, command, "d1")
    assert result.exit_code == 19
    assert result.stderr == (f"error: d1 refused the {command} (status 409)\n  why: it is over\n  fix: Nothing to do\n")


@pytest.mark.parametrize("command", _COMMANDS)
def test_offline_device_is_told(hub: Hub, command: str) -> None:
    """Exit code 5, at once or when the time to wait is over; how it is waited for is said."""
    hub.add_device("d1")
    assert _fwsm(hub, command, "d1").exit_code == 5
    result = _fwsm(hub, command, "d1", "--wait-online", "--timeout", "0.1")
    assert result.exit_code == 5
    assert result.stderr.startswith("d1 is offline; waiting for it to come online\n")
    assert "d1 has not come online within 0.1 s" in result.stderr
