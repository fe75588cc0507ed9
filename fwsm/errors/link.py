"""What the device's connection to the hub may say."""

from __future__ import annotations

from fwsm.errors.root import FwsmError, Kind

__all__ = [
    "LinkAuthError",
    "LinkBusyError",
    "LinkDeafError",
    "LinkError",
    "LinkLostError",
    "LinkTakenError",
    "ReportRefusedError",
]


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


class LinkTakenError(LinkError):
    """Another program, on this machine or another, connects as this device."""

    kind = Kind.NEEDS_OPERATOR
    code = "linkTaken"
    exit_code = 13


class LinkLostError(LinkError):
    """The connection was there, and has gone; the next one may last."""

    code = "linkLost"


class LinkDeafError(LinkError):
    """The connection is there, but the hub refuses to let the device listen."""

    code = "linkDeaf"


class LinkBusyError(LinkError):
    """The hub asks for patience: all its devices together ask too much of it (429)."""

    code = "linkBusy"
    exit_code = 10


class ReportRefusedError(LinkError):
    """The hub refuses this report; sending the same again will not help."""

    kind = Kind.PERMANENT
    code = "reportRefused"
