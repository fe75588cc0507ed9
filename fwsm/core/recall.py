"""What the twin still knows of an update: the inverse of `section`.

A device that has lost its database is told its own last report by the hub. That is less than the record was: the twin
lacks the query of the address, the digest, all deadlines and counters, and it may be days behind. So a record that was
recalled is only fit to be brought to an end. What the installer finds in the slots is newer than what was told, and
outranks it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.twin import shown_uri
from fwsm.core.update import Failure, Probe, Progress, Request, State, Update
from fwsm.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.core.update import Artifact

__all__ = ["recall", "witnessed"]

# The boot in which the state was entered is not told; no boot has this name.
_NO_BOOT: Final = ""
_LONGEST_TEXT: Final = 4096  # the hub's own limit for one value
_LARGEST: Final = 2**63 - 1


def recall(reported: Mapping[str, Any]) -> Update | None:
    """The update that the reported properties tell of.

    Args:
        reported: the reported properties of the twin, whatever is in there.

    Returns:
        None if they tell of no update, or not enough of one: its id, its address and its state.
    """
    section = _object(_object(reported).get("iothubDM")).get("firmwareUpdate")
    told = _object(section)
    update_id, uri, state = _text(told.get("updateId")), _address(told.get("fwPackageUri")), _state(told)
    if not update_id or uri is None or state is None:
        return None
    return Update(
        id=update_id,
        request=Request(uri=uri, version=_text(told.get("fwVersion"))),
        state=state,
        boot_id=_NO_BOOT,
        attempt=_number(told.get("attempt")) or 1,
        resumed=_number(told.get("resumed")) or 0,
        failure=_failure(told.get("error")),
        rolled_back=state is State.APPLY_FAILED and told.get("substatus") == "rolledBack",
        reason=_text(told.get("reason")),
        until=_time(told.get("until")),
        progress=_progress(told.get("progress")),
        started_waiting_at=_time(told.get("startedWaitingTime")),
        download_complete_at=_time(told.get("downloadCompleteTime")),
        started_applying_at=_time(told.get("startedApplyingImage")),
        # In any other state it is the time of an earlier update.
        applied_at=_time(told.get("lastFirmwareUpdate")) if state is State.APPLY_COMPLETE else None,
    )


def witnessed(update: Update, image: Artifact | None, probe: Probe | None) -> Update:
    """A recalled update with what the installer knows of it.

    Args:
        update: what the twin tells.
        image: the image that it brought into a slot; None if none is known.
        probe: how far the installation got; None if that cannot be told.
    """
    if image is not None:
        update = replace(update, request=replace(update.request, sha256=image.sha256), artifact=image)
    if probe is Probe.DONE and update.state not in _BEHIND_INSTALLING:
        return replace(update, state=State.INSTALLING, failure=None, reason=None, until=None)
    return update


# An image in its slot says nothing new about these: it was there when they were told. In all others the twin is behind,
# or the boot that it does not name matters; coming back to an installation that is done leads to where it stands.
_BEHIND_INSTALLING: Final = {State.ROLLING_BACK, State.APPLY_COMPLETE, State.APPLY_FAILED}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    fits = isinstance(value, str) and len(value) <= _LONGEST_TEXT and value.isprintable()
    return str(value) if fits else None


def _address(value: object) -> str | None:
    text = _text(value)
    try:
        return shown_uri(text) if text else None
    except ValueError:
        return None


def _state(told: Mapping[str, Any]) -> State | None:
    status, substatus = told.get("status"), told.get("substatus")
    if not isinstance(status, str) or not (substatus is None or isinstance(substatus, str)):
        return None
    if (status, substatus) == (State.APPLY_FAILED.status, "rolledBack"):
        return State.APPLY_FAILED
    try:
        return State.named(f"{status}.{substatus}" if substatus is not None else status)
    except ValueError:
        return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST else None


def _failure(value: object) -> Failure | None:
    code, message = _text(_object(value).get("code")), _text(_object(value).get("message"))
    # Its kind is not told. It decides nothing any more, for what is recalled is only brought to an end.
    return Failure(code, message or "", Kind.NEEDS_OPERATOR) if code else None


def _progress(value: object) -> Progress | None:
    done, total = (_number(_object(value).get(name)) for name in ("bytes", "totalBytes"))
    return None if done is None else Progress(done, total)


def _time(value: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
