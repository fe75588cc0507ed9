"""What the twin shows of an update: record -> reported patch.

The names are those of Microsoft's 2016 firmware-update tutorial (`iothubDM.firmwareUpdate`); for what it did not have,
that of its 2018 successor (`fwVersion`) and our own.
"""

from __future__ import annotations

from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from fwsm.core.text import cut
from fwsm.core.update import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fwsm.core.update import Failure, Progress, Update

__all__ = ["changed", "incident", "progress_patch", "section", "shown_uri", "wrapped"]

# A twin value holds 4 KB at most (device twins guide); whatever goes in has to leave room for escapes.
_LONGEST_TEXT: Final = 1000
_LONGEST_REASON: Final = 128  # a policy's own word
_LONGEST_CODE: Final = 64  # of an error of the program's own


def section(update: Update) -> dict[str, Any]:
    """All that the twin shall show of an update: the value of `iothubDM.firmwareUpdate`. None means absent."""
    failure = update.failure
    shown: dict[str, Any] = {
        "updateId": update.id,
        "fwPackageUri": shown_uri(update.request.uri),
        "fwVersion": update.request.version,
        "status": update.state.status,
        "substatus": update.state.substatus or ("rolledBack" if update.rolled_back else None),
        "error": _error(failure) if failure else None,
        "reason": cut(update.reason, _LONGEST_REASON) if update.reason else None,
        "until": _iso(update.until),
        "progress": _progress(update.progress),
        "attempt": update.attempt,
        "resumed": update.resumed,
        "startedWaitingTime": _iso(update.started_waiting_at),
        "downloadCompleteTime": _iso(update.download_complete_at),
        "startedApplyingImage": _iso(update.started_applying_at),
    }
    if update.applied_at:  # until then the twin keeps the time of the last update that worked
        shown["lastFirmwareUpdate"] = _iso(update.applied_at)
    return shown


def changed(before: Update | None, after: Update) -> dict[str, Any]:
    """What of the section is new; all of it for a new update. Merging it into the twin shows the record after.

    While an image is loaded the twin is told more of the progress than the record knows, so that is always said then.
    """
    new = section(after)
    if before is None or before.id != after.id:
        return new
    old = section(before)
    if before.state is State.DOWNLOADING:
        del old["progress"]
    return {name: value for name, value in new.items() if name not in old or old[name] != value}


def progress_patch(progress: Progress) -> dict[str, Any]:
    """The section's part that shows how far a download is."""
    return {"progress": _progress(progress)}


def incident(code: str, at: datetime) -> dict[str, Any]:
    """The section's part that shows what last went wrong beside the update; it stays until the next one."""
    return {"incident": {"code": code, "at": _iso(at)}}


def wrapped(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the section where it belongs in the reported properties."""
    return {"iothubDM": {"firmwareUpdate": dict(part)}}


@lru_cache(maxsize=8)
def shown_uri(uri: str) -> str:
    """The URI without what may be a secret: user, password, query and fragment."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _error(failure: Failure) -> dict[str, str]:
    return {"code": cut(failure.code, _LONGEST_CODE), "message": cut(failure.message, _LONGEST_TEXT)}


def _progress(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return {"bytes": progress.bytes, "totalBytes": progress.total_bytes, "percent": progress.percent}


@lru_cache(maxsize=32)  # the times of a record are shown again with each state that follows
def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
