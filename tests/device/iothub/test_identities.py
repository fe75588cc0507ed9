"""Credentials and their identities; what each does is tried in test_identity and test_provisioning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Enrollment, SymmetricKey, TokenFile
from fwsm.device.clock import SystemClock
from fwsm.device.durable import Disk
from fwsm.device.iothub.client import Network
from fwsm.device.iothub.identities import device_id_of, identity_of, name_of
from fwsm.device.iothub.identity import FixedIdentity, TokenIdentity
from fwsm.device.iothub.provisioning import AssignedIdentity, AssignmentFile

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.core.connection_string import Credentials

KEY = SymmetricKey("a2V5")


def test_each_kind_of_credentials_has_its_identity_and_its_name(tmp_path: Path) -> None:
    """A token names its device only when it is read, so the link has no name before."""
    file = tmp_path / "token"
    file.write_text("SharedAccessSignature sr=hub.example%2Fdevices%2Fd1&sig=c2ln&se=4000000000")
    cases: list[tuple[Credentials, type, str]] = [
        (DeviceConnection("hub.example", "d1", KEY), FixedIdentity, "d1"),
        (TokenFile(str(file)), TokenIdentity, "token"),
        (Enrollment("0ne00F00D42", "pump-7", KEY), AssignedIdentity, "pump-7"),
    ]
    for credentials, kind, name in cases:
        identity = identity_of(credentials, Network(), SystemClock(), 1.0, tmp_path / "assignment.json")
        assert isinstance(identity, kind)
        assert name_of(credentials) == name


def test_which_device_it_was_last_is_known_without_a_connect(tmp_path: Path) -> None:
    """From the string, from the token, or from what the provisioning service answered last."""
    token, assignment = tmp_path / "token", tmp_path / "assignment.json"
    token.write_text("SharedAccessSignature sr=hub.example%2Fdevices%2Fd2&sig=c2ln&se=1")
    enrollment = Enrollment("0ne00F00D42", "r3", KEY)
    assert device_id_of(DeviceConnection("hub.example", "d1", KEY), assignment) == "d1"
    assert device_id_of(TokenFile(str(token)), assignment) == "d2"
    assert device_id_of(enrollment, assignment) == "r3"
    AssignmentFile(assignment, Disk()).save(enrollment, DeviceConnection("hub.example", "d3", KEY))
    assert device_id_of(enrollment, assignment) == "d3"
