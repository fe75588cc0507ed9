"""What the device twin shows after a row: read off a record that has really taken it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from fwsm.core.entry import Facts, successor
from fwsm.core.moment import Moment
from fwsm.core.twin import section
from fwsm.core.update import Limits, Request, Update

if TYPE_CHECKING:
    from fwsm.core.lifecycle import Row

__all__ = ["Shown"]

_NOW: Final = Moment(wall=datetime(2016, 9, 30, tzinfo=UTC), boottime_s=0.0, boot_id="")
_REQUEST: Final = Request("https://example.com/firmware.bin")


@dataclass(frozen=True, slots=True)
class Shown:
    """A part of the reported properties `iothubDM.firmwareUpdate`.

    Attributes:
        status: one of the tutorial's seven.
        substatus: what we add to it; None if nothing.
        error: `error.code` if the row itself names a failure; one that comes with the trigger has its own code.
    """

    status: str
    substatus: str | None
    error: str | None

    @classmethod
    def after(cls, row: Row) -> Shown | None:
        """What is shown after a row, or None if it changes nothing."""
        if row.target is None:
            return None
        before = Update(id="", request=_REQUEST, state=row.source, boot_id="")
        facts = Facts(now=_NOW)
        part = section(successor(before, row.target, facts, Limits(), effects=row.effects, failure=row.failure))
        error = part["error"]
        return cls(status=part["status"], substatus=part["substatus"], error=error["code"] if error else None)
