from __future__ import annotations

import subprocess
import sys

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import SymmetricKey
from fwsm.device.iothub.exclusive import Exclusive
from fwsm.errors import Kind, LinkTakenError


def _device(device_id: str, host: str = "exclusive.example") -> DeviceConnection:
    return DeviceConnection(host, device_id, SymmetricKey("a2V5"))


def test_an_identity_is_held_by_one_only() -> None:
    """The other is told by name and can have it later; other identities are free."""
    first, second = Exclusive(), Exclusive()
    first.take(_device("d1"))
    first.take(_device("d1", "EXCLUSIVE.example"))
    with pytest.raises(LinkTakenError, match=r"is the device 'd1' of exclusive\.example") as caught:
        second.take(_device("d1"))
    assert caught.value.kind is Kind.NEEDS_OPERATOR
    second.take(_device("d2"))
    first.release()
    first.release()
    second.take(_device("d1"))
    first.take(_device("d2"))
    first.release()
    second.release()


def test_an_address_is_one_hub_with_brackets_and_without() -> None:
    """Of IPv6, where both are written."""
    first, second = Exclusive(), Exclusive()
    first.take(_device("d1", "[fd00::9]"))
    with pytest.raises(LinkTakenError):
        second.take(_device("d1", "fd00::9"))
    first.release()


def test_a_process_that_is_killed_holds_nothing() -> None:
    """The kernel lets go, and there is no file that could be stale."""
    text = (
        "import sys, tests.device.iothub.test_exclusive as t\n"
        "held = t.Exclusive(); held.take(t._device('killed')); print('held', flush=True); sys.stdin.read()"
    )
    own = Exclusive()
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(LinkTakenError):
            own.take(_device("killed"))
        other.kill()
    own.take(_device("killed"))
    own.release()
