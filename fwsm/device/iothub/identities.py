"""Which identity goes with which credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Enrollment, TokenFile
from fwsm.device.durable import Disk
from fwsm.device.iothub.identity import FixedIdentity, TokenIdentity, check_proof
from fwsm.device.iothub.provisioning import AssignedIdentity, AssignmentFile

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.core.connection_string import Credentials
    from fwsm.device.iothub.client import Network
    from fwsm.device.iothub.identity import Identity
    from fwsm.device.ports import Clock

__all__ = ["check_files", "device_id_of", "identity_of", "name_of"]


def name_of(credentials: Credentials) -> str:
    """What to call a device before it has asked who it is: its id, where that is known."""
    match credentials:
        case DeviceConnection(device_id=name) | Enrollment(registration_id=name):
            return name
        case _:
            return "token"


def check_files(credentials: Credentials) -> None:
    """Check the files that credentials name: a certificate with its key, a token.

    Raises:
        ConfigError: one cannot be used.
    """
    if isinstance(credentials, TokenFile):
        TokenIdentity(credentials)
    else:
        check_proof(credentials)


def device_id_of(credentials: Credentials, assignment: Path) -> str:
    """Return as which device of its hub this one was last known: for logs, not for a connect.

    Args:
        credentials: what it has.
        assignment: where the answer of a provisioning service is kept. Before the first answer it is the registration.

    Raises:
        ConfigError: the file with its token cannot be read.
    """
    match credentials:
        case DeviceConnection(device_id=device_id):
            return device_id
        case TokenFile() as file:
            return TokenIdentity(file).device_id
        case enrollment:
            assigned = AssignmentFile(assignment, Disk()).load(enrollment)
            return assigned.device_id if assigned else enrollment.registration_id


def identity_of(
    credentials: Credentials, network: Network, clock: Clock, provision_within_s: float, assignment: Path | None
) -> Identity:
    """Return the identity of a device.

    Args:
        credentials: what it has.
        network: the way to a provisioning service.
        clock: for pauses.
        provision_within_s: how long one registration may take.
        assignment: where the answer of a provisioning service is kept; None for nowhere.

    Raises:
        ConfigError: a file that is named cannot be used.
    """
    match credentials:
        case Enrollment():
            file = None if assignment is None else AssignmentFile(assignment, Disk())
            return AssignedIdentity(credentials, network, clock=clock, deadline_s=provision_within_s, file=file)
        case TokenFile():
            return TokenIdentity(credentials)
        case _:
            return FixedIdentity(credentials)
