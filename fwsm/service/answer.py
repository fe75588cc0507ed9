"""What a device answers to a command: its status, its words, and the reason if it refuses.

A device of the 2016 tutorial answers with a text, ours with `{"message": …, "updateId": …}`, and when it refuses with
`reason` and `fix` beside that; any JSON will do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from fwsm.errors import RefusedError

__all__ = ["Answer"]

_REFUSED_FROM: Final = 400
_UNKNOWN: Final = 404


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answered to a command.

    Attributes:
        device_id: who answered.
        command: what it was asked for: "update", "cancel", "retry" or "status".
        status: of the device's own choice; below 400 it has done it.
        payload: any JSON value.
    """

    device_id: str
    command: str
    status: int
    payload: Any

    @property
    def accepted(self) -> bool:
        """Whether the device has done it."""
        return self.status < _REFUSED_FROM

    @property
    def update_id(self) -> str | None:
        """The update that it is about; None if the device gave none."""
        return self._text("updateId") or None

    @property
    def text(self) -> str:
        """The device's words; "" if it said nothing."""
        return _words(self.payload)

    def require_accepted(self) -> None:
        """Check that the device has done what it was asked for.

        Raises:
            RefusedError: it has not, with its reason.
        """
        if self.accepted:
            return
        fix = self._text("fix")
        if not fix and self.status == _UNKNOWN and self.command != "update":
            fix = "Not every device has this method; one of the 2016 tutorial does not"
        raise RefusedError(
            f"{self.device_id} refused the {self.command} (status {self.status})",
            why=(self._text("reason") or self.text).rstrip("."),
            fix=fix,
        )

    def _text(self, name: str) -> str:
        found = self.payload.get(name) if isinstance(self.payload, dict) else None
        return found if isinstance(found, str) else ""


def _words(payload: Any) -> str:
    if payload is None or isinstance(payload, str):
        return payload or ""
    if isinstance(payload, dict):
        for name in ("message", "error", "reason"):
            if payload.get(name):
                return _words(payload[name])
    return json.dumps(payload, ensure_ascii=False)
