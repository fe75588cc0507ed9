"""What is remembered of the Device Provisioning Service, and what is made of its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Enrollment, SymmetricKey
from fwsm.device.durable import Disk
from fwsm.device.iothub.provisioning import AssignmentFile

if TYPE_CHECKING:
    from pathlib import Path

ENROLLMENT = Enrollment("0ne1", "r1", SymmetricKey("c2VjcmV0"), gateway_host="edge")
ASSIGNED = DeviceConnection("hub.example", "d1", ENROLLMENT.proof, "edge")


def test_an_answer_is_remembered_without_the_key(tmp_path: Path) -> None:
    """For the enrolment that it was given to, and for no other."""
    path = tmp_path / "made" / "assignment.json"
    AssignmentFile(path, Disk()).save(ENROLLMENT, ASSIGNED)
    assert AssignmentFile(path, Disk()).load(ENROLLMENT) == ASSIGNED
    assert AssignmentFile(path, Disk()).load(Enrollment("0ne1", "r2", ENROLLMENT.proof)) is None
    assert "c2VjcmV0" not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": "a b", "deviceId": "d"}',
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": "hub", "deviceId": ""}',
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": 7, "deviceId": "d"}',
    ],
)
def test_a_garbled_memory_is_none(tmp_path: Path, text: str) -> None:
    """The service is asked again."""
    path = tmp_path / "assignment.json"
    path.write_text(text)
    assert AssignmentFile(path, Disk()).load(ENROLLMENT) is None


def test_a_disk_that_keeps_nothing_is_no_failure(tmp_path: Path) -> None:
    """The device goes on with the answer, and asks again at its next start."""
    (tmp_path / "file").write_text("")
    AssignmentFile(tmp_path / "file" / "assignment.json", Disk()).save(ENROLLMENT, ASSIGNED)
