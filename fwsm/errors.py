"""Everything that fwsm raises on purpose.

    FwsmError
    ├── ConfigError                 a setting is missing or wrong
    │   └── ConnectionStringError   a connection string lacks a part or has a bad one
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

import enum
from typing import ClassVar

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
    "LinkError",
    "LinkLostError",
    "LinkTakenError",
    "NoSpaceError",
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


class Kind(enum.StrEnum):
    """What helps against a failure. The value is stored and reported; it never changes."""

    TRANSIENT = "transient"  # time helps: try again by itself
    PERMANENT = "permanent"  # nothing helps: this update cannot succeed
    NEEDS_OPERATOR = "needsOperator"  # a person has to change something; then a retry can succeed


class FwsmError(Exception):
    """What happened, why, and what to do next.

    Attributes:
        what: the fact, as one clause without a full stop.
        why: the cause as far as it is known; may be empty.
        fix: what the reader can do next; may be empty.
        retry_after_s: how long the other side asked us to wait, in seconds; None if it did not say.
    """

    kind: ClassVar[Kind] = Kind.PERMANENT
    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", fix: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text}. {self.fix}" if self.fix else text


class ConfigError(FwsmError):
    """A setting is missing or wrong."""

    kind = Kind.NEEDS_OPERATOR
    code = "configuration"
    exit_code = 11


class ConnectionStringError(ConfigError):
    """A connection string lacks a part or has a bad one. Its key is never in the message."""

    code = "connectionString"


class RequestError(FwsmError):
    """A request for an update is malformed.

    Attributes:
        field: the name of the offending field as the sender wrote it, or "payload" for the whole.
    """

    code = "badRequest"
    exit_code = 2

    def __init__(self, what: str, *, field: str, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.field = field


class RefusedError(FwsmError):
    """A well-formed command that may not be carried out in this state."""

    code = "refused"
    exit_code = 19


class LifecycleError(FwsmError):
    """A trigger that the table does not allow in this state; nothing has changed."""

    code = "lifecycle"


class StoreError(FwsmError):
    """The database said no; nothing has changed."""

    kind = Kind.TRANSIENT
    code = "store"
    exit_code = 20


class StoreLockedError(StoreError):
    """Another agent owns this state directory."""

    kind = Kind.NEEDS_OPERATOR
    code = "storeLocked"
    exit_code = 13


class StoreDamagedError(StoreError):
    """What is in the database cannot be used; an agent sets it aside and goes on with a new one."""

    code = "storeDamaged"


class StoreRecoveringError(StoreError):
    """The database was lost, and the hub has not said yet what it knows."""

    code = "storeRecovering"


class StoreFullError(StoreError):
    """The disk under the database is full."""

    kind = Kind.NEEDS_OPERATOR
    code = "storeFull"
    exit_code = 18


class LinkError(FwsmError):
    """The device's connection to the hub failed; trying again may help."""

    kind = Kind.TRANSIENT
    code = "link"
    exit_code = 14


class LinkAuthError(LinkError):
    """The hub does not accept this identity: a wrong key, an unknown or disabled device, or a wrong clock."""

    kind = Kind.NEEDS_OPERATOR
    code = "linkAuth"
    exit_code = 15


class LinkLostError(LinkError):
    """The connection was there, and has gone; the next one may last."""

    code = "linkLost"


class LinkTakenError(LinkError):
    """Another program, on this machine or another, connects as this device."""

    kind = Kind.NEEDS_OPERATOR
    code = "linkTaken"
    exit_code = 13


class LinkBusyError(LinkError):
    """The hub asks for patience: all its devices together ask too much of it (429)."""

    code = "linkBusy"
    exit_code = 10


class ReportRefusedError(LinkError):
    """The hub refuses this report; sending the same again will not help."""

    kind = Kind.PERMANENT
    code = "reportRefused"


class ArtifactError(FwsmError):
    """The file of an update could not be got."""

    code = "artifact"
    exit_code = 7


class DownloadError(ArtifactError):
    """The transfer broke off; the bytes so far are kept."""

    kind = Kind.TRANSIENT
    code = "downloadInterrupted"


class ArtifactMissingError(ArtifactError):
    """The server does not have the file (HTTP 404 or 410)."""

    code = "artifactMissing"


class ArtifactForbiddenError(ArtifactError):
    """The server does not give us the file (HTTP 401 or 403), often because a signed URL has expired."""

    kind = Kind.NEEDS_OPERATOR
    code = "artifactForbidden"


class ArtifactDamagedError(ArtifactError):
    """The bytes are not those that were promised: wrong digest, wrong size."""

    code = "artifactDamaged"
    exit_code = 9


class NoSpaceError(ArtifactError):
    """The file does not fit on the disk."""

    kind = Kind.NEEDS_OPERATOR
    code = "noSpace"
    exit_code = 18


class InstallError(FwsmError):
    """Writing, activating, confirming or rolling back an image failed."""

    code = "install"
    exit_code = 7


class SlotError(InstallError):
    """A slot cannot be used as asked."""

    code = "slot"


class HealthError(InstallError):
    """The new firmware runs but does not work."""

    code = "health"
    exit_code = 8


class ServiceError(FwsmError):
    """The hub answered the operator with an error."""

    code = "service"
    exit_code = 14


class UnauthorizedError(ServiceError):
    """The hub does not accept this policy or key."""

    kind = Kind.NEEDS_OPERATOR
    code = "unauthorized"
    exit_code = 15


class DeviceNotFoundError(ServiceError):
    """The hub knows no such device."""

    code = "deviceNotFound"
    exit_code = 16


class DeviceOfflineError(ServiceError):
    """The device is not connected, or does not listen to direct methods."""

    kind = Kind.TRANSIENT
    code = "deviceOffline"
    exit_code = 5


class DeviceTimeoutError(ServiceError):
    """The device did not answer in time; it may have acted all the same."""

    kind = Kind.TRANSIENT
    code = "deviceTimeout"
    exit_code = 6


class ThrottledError(ServiceError):
    """The hub asks for patience."""

    kind = Kind.TRANSIENT
    code = "throttled"
    exit_code = 10


class HubUnreachableError(ServiceError):
    """No connection to the hub."""

    kind = Kind.TRANSIENT
    code = "hubUnreachable"


class JobFailedError(ServiceError):
    """Some of the devices of a job, or the job as a whole, did not do what they were asked for."""

    kind = Kind.NEEDS_OPERATOR
    code = "jobFailed"
    exit_code = 21


class UpdateFailedError(ServiceError):
    """The device reports that its update failed; it runs the firmware it had."""

    code = "updateFailed"
    exit_code = 7


class UpdateRolledBackError(UpdateFailedError):
    """The device reports that the new firmware did not work and that its old one runs again."""

    code = "updateRolledBack"
    exit_code = 8


class HubError(FwsmError):
    """The embedded hub cannot do what was asked."""

    code = "hub"
    exit_code = 1


class HubAddressError(HubError):
    """The hub cannot listen on the address that it was told to use."""

    code = "hubAddress"
    exit_code = 11


class HubLockedError(HubError):
    """Another hub runs on this directory."""

    code = "hubLocked"
    exit_code = 13


class PortInUseError(HubError):
    """Another process listens on the address that the hub was told to use."""

    code = "portInUse"
    exit_code = 17
