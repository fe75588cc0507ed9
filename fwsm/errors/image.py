"""What may go wrong between the file of an update and firmware that works."""

from __future__ import annotations

from fwsm.errors.root import FwsmError, Kind

__all__ = [
    "ArtifactDamagedError",
    "ArtifactError",
    "ArtifactForbiddenError",
    "ArtifactMissingError",
    "DownloadError",
    "HealthError",
    "InstallError",
    "NoSpaceError",
    "SlotError",
]


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
