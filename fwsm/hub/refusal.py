"""How the hub says no: one exception, with the code that IoT Hub has for the case.

The same refusal leaves by every door. A device reads the status in the topic (Python SDK) or `errorCode` in the
body (Node SDK), so a twin answer carries both. An operator gets an HTTP status, the header
`iothub-errorcode` and a body of the older shape `{"Message", "ExceptionMessage"}`; for direct methods the newer
shape sits inside `Message` as a JSON string. Codes: "Understand and resolve Azure IoT Hub errors" and the error
enumerations of the service SDKs.
"""

from __future__ import annotations

import contextlib
import enum
import json
import secrets
from typing import TYPE_CHECKING, Any

from fwsm.errors import DeviceNotFoundError, DeviceOfflineError, DeviceTimeoutError, FwsmError, HubError
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Refusal", "Why", "refusals_as_errors"]


class Why(enum.Enum):
    """The reasons: HTTP status, error code, error name."""

    ARGUMENT_INVALID = (400, 400004, "ArgumentInvalid")
    BAD_TARGET = (400, 400401, "InvalidConfigurationTargetCondition")
    BAD_CONTENT = (400, 400402, "InvalidConfigurationContent")
    BAD_METRIC = (400, 400404, "InvalidConfigurationCustomMetricsQuery")
    FORMAT = (400, 400006, "IotHubFormatError")
    NO_BLOB_CONTAINER = (400, 400008, "BlobContainerValidationError")
    UNAUTHORIZED = (401, 401002, "IotHubUnauthorizedAccess")
    QUEUE_FULL = (403, 403004, "DeviceMaximumQueueDepthExceeded")
    ROUTE_NOT_FOUND = (404, 404000, "GenericNotFound")
    DEVICE_NOT_FOUND = (404, 404001, "DeviceNotFound")
    JOB_NOT_FOUND = (404, 404002, "JobNotFound")
    MODULE_NOT_FOUND = (404, 404010, "ModuleNotFound")
    CONFIGURATION_NOT_FOUND = (404, 404301, "ConfigurationNotFound")
    DEVICE_NOT_ONLINE = (404, 404103, "DeviceNotOnline")
    HTTP_METHOD_NOT_ALLOWED = (405, 405000, "GenericMethodNotAllowed")
    NOT_ALLOWED_NOW = (405, 405102, "OperationNotAllowedInCurrentState")
    DEVICE_EXISTS = (409, 409001, "DeviceAlreadyExists")
    JOB_EXISTS = (409, 409104, "JobAlreadyExists")
    MODULE_EXISTS = (409, 409301, "ModuleAlreadyExistsOnDevice")
    CONFIGURATION_EXISTS = (409, 409401, "ConfigurationAlreadyExists")
    PRECONDITION = (412, 412001, "PreconditionFailed")
    TOO_LARGE = (413, 413001, "MessageTooLarge")
    TOO_MANY_MODULES = (413, 413003, "TooManyModulesOnDevice")
    TOO_MANY_CONFIGURATIONS = (413, 413101, "ConfigurationCountLimitExceeded")
    THROTTLED = (429, 429001, "ThrottlingException")
    TOO_MANY_JOBS = (429, 429004, "ThrottlingMaxActiveJobCountExceeded")
    SERVER_ERROR = (500, 500001, "ServerError")
    # The published enumerations have no code for an answer of the device that is not JSON; 502 is what the Node
    # service SDK maps to its BadDeviceResponse.
    BAD_DEVICE_RESPONSE = (502, 502000, "BadDeviceResponse")
    UNAVAILABLE = (503, 503001, "ServiceUnavailable")
    DEVICE_TIMEOUT = (504, 504101, "GatewayTimeout")

    def __init__(self, status: int, code: int, label: str) -> None:
        self.status = status
        self.code = code
        self.label = label

    @classmethod
    def of_status(cls, status: int) -> Why:
        """Return the most general reason with this HTTP status; raises StopIteration for one that no reason has."""
        return next(why for why in cls if why.status == status)


class Refusal(Exception):  # noqa: N818 - an answer of the hub, not a fault of the program
    """The hub does not do what it was asked, for a reason that IoT Hub has a code for.

    Args:
        why: the reason.
        message: what was wrong with this request.
    """

    def __init__(self, why: Why, message: str) -> None:
        super().__init__(message)
        self.why = why
        self.message = message
        self._tracking_id = secrets.token_hex(16).upper()

    def detail(self, now: float) -> dict[str, Any]:
        """Return the newer shape of an error body; `now` is in epoch seconds."""
        return {
            "errorCode": self.why.code,
            "message": self.message,
            "trackingId": self._tracking_id,
            "timestampUtc": timestamp(now),
        }

    def http_body(self, now: float, *, nested: bool = False) -> dict[str, Any]:
        """Return the older shape; with `nested`, as for direct methods, `Message` holds the newer one as JSON."""
        message = json.dumps(self.detail(now)) if nested else f"ErrorCode:{self.why.label};{self.message}"
        return {"Message": message, "ExceptionMessage": f"Tracking ID:{self._tracking_id}-TimeStamp:{timestamp(now)}"}


_PUBLIC: dict[Why, type[FwsmError]] = {
    Why.DEVICE_NOT_FOUND: DeviceNotFoundError,
    Why.MODULE_NOT_FOUND: DeviceNotFoundError,
    Why.DEVICE_NOT_ONLINE: DeviceOfflineError,
    Why.DEVICE_TIMEOUT: DeviceTimeoutError,
}


@contextlib.contextmanager
def refusals_as_errors() -> Iterator[None]:
    """Turn refusals into errors of the public tree, for callers in Python."""
    try:
        yield
    except Refusal as refusal:
        error = _PUBLIC.get(refusal.why, HubError)
        raise error(refusal.message.rstrip("."), why=f"the hub refused: {refusal.why.label}") from None
