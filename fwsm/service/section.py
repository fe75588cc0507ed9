"""What a device says about its update: the reported section `iothubDM.firmwareUpdate`, as an operator reads it.

A device of the 2016 tutorial sends status, error, fwPackageUri and the times; ours adds `updateId` and more. A twin may
hold anything, so a value of the wrong kind counts as absent. The tutorial's code writes `downloadfailed` where its
text writes `downloadFailed`; both are understood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from fwsm.core.update import State
from fwsm.errors import UpdateFailedError, UpdateRolledBackError

__all__ = ["Section"]

_SETTLED: Final = frozenset(state.status for state in State if state.settled)
_WRITTEN: Final = {state.status.lower(): state.status for state in State}


@dataclass(frozen=True, slots=True)
class Section:
    """One state of the section.

    Attributes:
        document: all of it, as it was reported.
    """

    document: dict[str, Any]

    @classmethod
    def of(cls, twin: dict[str, Any]) -> Section | None:
        """Return the section of a twin in the shape of the REST resource; None if nothing was reported yet."""
        value: Any = twin
        for name in ("properties", "reported", "iothubDM", "firmwareUpdate"):
            value = value.get(name) if isinstance(value, dict) else None
        return cls(value) if isinstance(value, dict) and value else None

    @property
    def status(self) -> str:
        """One of the seven, or what the device made up; "" if it gave none."""
        status = self._text("status")
        return _WRITTEN.get(status.lower(), status)

    @property
    def substatus(self) -> str:
        """The part of `applying`, or `rolledBack`; "" if there is none."""
        return self._text("substatus")

    @property
    def update_id(self) -> str:
        """Which update this is about; "" for a device that does not say."""
        return self._text("updateId")

    @property
    def reason(self) -> str:
        """Why it waits; "" if it does not."""
        return self._text("reason")

    @property
    def until(self) -> str:
        """Till when it waits, ISO 8601; "" if that is not known."""
        return self._text("until")

    @property
    def percent(self) -> int | None:
        """How much of the image is loaded, 0 to 100; None if the device did not say."""
        progress = self.document.get("progress")
        percent = _number(progress.get("percent")) if isinstance(progress, dict) else None
        return None if percent is None else min(max(percent, 0), 100)

    @property
    def resumed(self) -> int:
        """How often the update went on after a restart."""
        return _number(self.document.get("resumed")) or 0

    @property
    def settled(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.status in _SETTLED

    @property
    def error(self) -> str:
        """`code: message` of the failure; "" if there is none."""
        error = self.document.get("error")
        if not isinstance(error, dict):
            return str(error or "")
        return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))

    def require_success(self, device_id: str) -> None:
        """Check that a settled section tells of a success.

        Raises:
            UpdateRolledBackError: the new firmware did not work, the old one runs again.
            UpdateFailedError: the update failed.
        """
        if self.status == State.APPLY_COMPLETE:
            return
        fix = "Mend the cause, then trigger the update again"
        if self.status == State.APPLY_FAILED and self.substatus == "rolledBack":
            raise UpdateRolledBackError(f"{device_id} has rolled back to its old firmware", why=self.error, fix=fix)
        raise UpdateFailedError(f"the update of {device_id} failed ({self.status})", why=self.error, fix=fix)

    def _text(self, name: str) -> str:
        value = self.document.get(name)
        return value if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) else None
