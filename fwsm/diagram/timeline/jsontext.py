"""The timeline as JSON, for programs: what all drawings are made from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fwsm.diagram.journey import Journey, Stay

__all__ = ["text"]


def text(journey: Journey) -> str:
    """One object: the update, its entries in order, the incidents. Times are ISO 8601 in UTC, spans are seconds.

    A span is null where the clock was set meanwhile.
    """
    update = journey.update
    whole = {
        "updateId": update.id,
        "fwVersion": update.request.version,
        "state": update.state.value,
        "asOf": journey.until.isoformat(),
        "whole": journey.whole,
        "entries": [_entry(stay) for stay in journey.stays],
        "incidents": [
            {"at": incident.at.isoformat(), "code": incident.code, "message": incident.message}
            for incident in journey.incidents
        ],
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _entry(stay: Stay) -> dict[str, Any]:
    entry = stay.entry
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "state": entry.state.value,
        "trigger": entry.trigger,
        "attempt": entry.attempt,
        "error": entry.failure_code,
        "seconds": stay.span_s,
        "sign": stay.sign.value if stay.sign else None,
        "rebooted": stay.rebooted,
        "reported": stay.reported,
    }
