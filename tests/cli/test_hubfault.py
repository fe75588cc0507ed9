"""`fwsm hub fault`, on a hub that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.cli.hubfault import _OPERATIONS
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from fwsm.hub import CutBeforeAck, Delay, Operation, Refuse

if TYPE_CHECKING:
    from fwsm.hub import Hub


def _fault(hub: Hub, *arguments: object) -> tuple[int, str, str]:
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    result = CliRunner().invoke(program, ["hub", "fault", *map(str, arguments)], env=given)
    return result.exit_code, result.stdout, result.stderr


def test_faults_are_ordered_listed_and_forgotten(hub: Hub) -> None:
    """The names are those of the Python API, as they are typed in a shell."""
    refused = _fault(hub, "add", "reported-patch", "refuse", "--status", 429, "--device", "d1", "--times", 3)
    assert refused == (0, "reported-patch  refuse  status 429  of d1  times left 3\n", "")
    delayed = _fault(hub, "add", "connect", "delay", "--seconds", 0.5)
    assert delayed == (0, "connect  delay  seconds 0.5  of any device  times left 1\n", "")
    assert _fault(hub, "add", "cloud-message", "cut-before-ack")[0] == 0
    ordered = [(fault.operation, fault.effect, fault.device_id, fault.times_left) for fault in hub.faults.pending()]
    assert ordered == [
        (Operation.REPORTED_PATCH, Refuse(429), "d1", 3),
        (Operation.CONNECT, Delay(0.5), None, 1),
        (Operation.CLOUD_MESSAGE, CutBeforeAck(), None, 1),
    ]
    assert _fault(hub, "list")[1].splitlines()[:2] == [refused[1].rstrip(), delayed[1].rstrip()]
    assert _fault(hub, "clear") == (0, "no fault is ordered any more\n", "")
    assert (_fault(hub, "list"), hub.faults.pending()) == ((0, "", ""), ())


def test_help_says_what_can_strike_where(hub: Hub) -> None:
    """Each line of it is taken by the hub, and the usage names both arguments."""
    _, out, _ = _fault(hub, "add", "--help")
    assert "[OPTIONS] OPERATION EFFECT\n" in out
    lines = [line.split() for line in out.splitlines()]
    offered = [(words[0], effect) for words in lines if words and words[0] in _OPERATIONS for effect in words[1:]]
    assert len(offered) == 40
    for operation, effect in offered:
        more = {"refuse": ("--status", 128 if operation == "subscribe" else 5), "delay": ("--seconds", 1)}
        if operation in {"twin-read", "reported-patch"}:
            more["refuse"] = ("--status", 429)
        assert _fault(hub, "add", operation, effect, *more.get(effect, ()))[0] == 0, (operation, effect)


def test_a_fault_may_be_for_one_module(hub: Hub) -> None:
    """Named as the hub names it."""
    code, out, err = _fault(hub, "add", "telemetry", "lose", "--device", "d1/m1")
    assert (code, out, err) == (0, "telemetry  lose  of d1/m1  times left 1\n", "")
    assert hub.faults.pending()[0].device_id == "d1/m1"


def test_faults_as_json(hub: Hub) -> None:
    """The documents of the REST resource."""
    _, out, _ = _fault(hub, "add", "telemetry", "lose", "--json")
    order = {"operation": "telemetry", "effect": "lose", "deviceId": None, "timesLeft": 1}
    assert json.loads(out) == order
    assert json.loads(_fault(hub, "list", "--json")[1]) == order
    assert json.loads(_fault(hub, "clear", "--json")[1]) == {"event": "cleared"}


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("add", "lunch", "lose"), "lunch"),
        (("add", "connect", "explode"), "explode"),
        (("add", "connect", "refuse"), "refuse takes --status"),
        (("add", "connect", "delay"), "delay takes --seconds"),
        (("add", "telemetry", "lose", "--status", "3"), "--status is for refuse only"),
        (("add", "telemetry", "lose", "--device", "a/b/c"), "is no device id"),
        (("add", "lunch", "lose"), "Invalid value for 'OPERATION'"),
        (("add", "connect", "explode"), "Invalid value for 'EFFECT'"),
        (("add", "telemetry", "lose", "--times", "0"), "times"),
    ],
)
def test_wrong_use_is_told(hub: Hub, arguments: tuple[str, ...], word: str) -> None:
    """Exit code 2, and nothing is ordered."""
    code, out, err = _fault(hub, *arguments)
    assert (code, out, hub.faults.pending()) == (2, "", ())
    assert word in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("connect", "lose"), "cannot strike a connect"),
        (("connect", "refuse", "--status", "1"), "IoT Hub has no such answer"),
        (("connect", "delay", "--seconds", "0"), "a delay of 0"),
    ],
)
def test_fault_that_cannot_be_is_told(hub: Hub, arguments: tuple[str, ...], words: str) -> None:
    """The hub knows best, and says why."""
    code, out, err = _fault(hub, "add", *arguments)
    assert (code != 0, out, hub.faults.pending()) == (True, "", ())
    assert words in err
