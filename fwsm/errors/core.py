"""What a setting, a part, a request or a command may be refused for."""

from __future__ import annotations

from fwsm.errors.root import FwsmError, Kind

__all__ = ["ConfigError", "ConnectionStringError", "LifecycleError", "PartError", "RefusedError", "RequestError"]


class ConfigError(FwsmError):
    """A setting is missing or wrong.

    Attributes:
        setting: the name of the setting that is to be mended, where whoever raises it knows; else "".
    """

    kind = Kind.NEEDS_OPERATOR
    code = "configuration"
    exit_code = 11

    def __init__(self, what: str, *, why: str = "", fix: str = "", setting: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.setting = setting


class ConnectionStringError(ConfigError):
    """A connection string lacks a part or has a bad one. Its key is never in the message."""

    code = "connectionString"


class PartError(FwsmError):
    """A part that the program brought has answered what its protocol does not allow."""

    code = "badAnswer"


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
