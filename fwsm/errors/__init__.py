"""Everything that fwsm raises on purpose.

    FwsmError
    ├── ConfigError                 a setting is missing or wrong
    │   └── ConnectionStringError   a connection string lacks a part or has a bad one
    ├── PartError                   a part that the program brought answers what it must not
    ├── RequestError                a request for an update is malformed (method status 400)
    ├── RefusedError                a well-formed command that may not be carried out now (status 409)
    ├── LifecycleError              a trigger that the table does not allow in this state
    ├── StoreError                  the database said no
    │   ├── StoreLockedError        another agent owns this state directory
    │   ├── StoreDamagedError       what is in the database cannot be used
    │   ├── StoreRecoveringError    the database was lost, and the hub has not said yet what it knows
    │   └── StoreFullError          the disk under the database is full
    ├── LinkError                   the device's connection to the hub
    │   ├── LinkAuthError           the hub does not accept this identity
    │   ├── LinkLostError           the connection was there, and has gone
    │   ├── LinkDeafError           the connection is there, but the hub does not let the device listen
    │   ├── LinkTakenError          another program connects as this device
    │   ├── LinkBusyError           the hub asks for patience: too many requests (429)
    │   └── ReportRefusedError      the hub refuses this report; sending it again will not help
    ├── ArtifactError               the file of an update
    │   ├── DownloadError           the transfer broke off; the bytes so far are kept
    │   ├── ArtifactMissingError    the server does not have it (404, 410)
    │   ├── ArtifactForbiddenError  the server does not give it to us (401, 403)
    │   ├── ArtifactDamagedError    the bytes are not those that were promised
    │   └── NoSpaceError            it does not fit on the disk
    ├── InstallError                writing, activating, confirming or rolling back an image
    │   ├── SlotError               a slot cannot be used as asked
    │   └── HealthError             the new firmware does not work
    ├── ServiceError                the operator's side: what the hub answered
    │   ├── UnauthorizedError       the hub does not accept this policy or key
    │   ├── DeviceNotFoundError     no such device
    │   ├── DeviceOfflineError      the device is not connected
    │   ├── DeviceTimeoutError      the device did not answer in time; it may have acted
    │   ├── ThrottledError          the hub asks for patience
    │   ├── HubUnreachableError     no connection to the hub
    │   ├── JobFailedError          some of the devices of a job did not do what they were asked for
    │   └── UpdateFailedError       the device reports that its update failed
    │       └── UpdateRolledBackError   … and that it runs its old firmware again
    └── HubError                    the embedded hub
        ├── HubAddressError         the hub cannot listen on this address
        ├── HubLockedError          another hub owns this directory
        └── PortInUseError          another process listens there

Each says three things: what happened, why, and what to do next. Each carries a `kind`, which decides
the row of the lifecycle that is taken, a `code`, which is what the device twin shows as `error.code`,
and an `exit_code`, which is what the command line ends with (docs/reference/exit-codes.md).
"""

from __future__ import annotations

from fwsm.errors.core import (
    ConfigError,
    ConnectionStringError,
    LifecycleError,
    PartError,
    RefusedError,
    RequestError,
)
from fwsm.errors.hub import HubAddressError, HubError, HubLockedError, PortInUseError
from fwsm.errors.image import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactForbiddenError,
    ArtifactMissingError,
    DownloadError,
    HealthError,
    InstallError,
    NoSpaceError,
    SlotError,
)
from fwsm.errors.link import (
    LinkAuthError,
    LinkBusyError,
    LinkDeafError,
    LinkError,
    LinkLostError,
    LinkTakenError,
    ReportRefusedError,
)
from fwsm.errors.root import FwsmError, Kind
from fwsm.errors.service import (
    DeviceNotFoundError,
    DeviceOfflineError,
    DeviceTimeoutError,
    HubUnreachableError,
    JobFailedError,
    ServiceError,
    ThrottledError,
    UnauthorizedError,
    UpdateFailedError,
    UpdateRolledBackError,
)
from fwsm.errors.store import StoreDamagedError, StoreError, StoreFullError, StoreLockedError, StoreRecoveringError

__all__ = [
    "ArtifactDamagedError",
    "ArtifactError",
    "ArtifactForbiddenError",
    "ArtifactMissingError",
    "ConfigError",
    "ConnectionStringError",
    "DeviceNotFoundError",
    "DeviceOfflineError",
    "DeviceTimeoutError",
    "DownloadError",
    "FwsmError",
    "HealthError",
    "HubAddressError",
    "HubError",
    "HubLockedError",
    "HubUnreachableError",
    "InstallError",
    "JobFailedError",
    "Kind",
    "LifecycleError",
    "LinkAuthError",
    "LinkBusyError",
    "LinkDeafError",
    "LinkError",
    "LinkLostError",
    "LinkTakenError",
    "NoSpaceError",
    "PartError",
    "PortInUseError",
    "RefusedError",
    "ReportRefusedError",
    "RequestError",
    "ServiceError",
    "SlotError",
    "StoreDamagedError",
    "StoreError",
    "StoreFullError",
    "StoreLockedError",
    "StoreRecoveringError",
    "ThrottledError",
    "UnauthorizedError",
    "UpdateFailedError",
    "UpdateRolledBackError",
]
