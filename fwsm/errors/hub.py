"""What the embedded hub cannot do."""

from __future__ import annotations

from fwsm.errors.root import FwsmError

__all__ = ["HubAddressError", "HubError", "HubLockedError", "PortInUseError"]


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
