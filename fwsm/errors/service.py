"""What an operator's command may come to."""

from __future__ import annotations

from fwsm.errors.root import FwsmError, Kind

__all__ = [
    "DeviceNotFoundError",
    "DeviceOfflineError",
    "DeviceTimeoutError",
    "HubUnreachableError",
    "JobFailedError",
    "ServiceError",
    "ThrottledError",
    "UnauthorizedError",
    "UpdateFailedError",
    "UpdateRolledBackError",
]


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
