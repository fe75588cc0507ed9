"""What every error of this package is."""

from __future__ import annotations

import enum
from typing import ClassVar

__all__ = ["FwsmError", "Kind"]


class Kind(enum.StrEnum):
    """What helps against a failure. The value is stored and reported; it never changes."""

    TRANSIENT = "transient"  # time helps: try again by itself
    PERMANENT = "permanent"  # nothing helps: this update cannot succeed
    NEEDS_OPERATOR = "needsOperator"  # a person has to change something; then a retry can succeed


class FwsmError(Exception):
    """What happened, why, and what to do next.

    Attributes:
        what: the fact, as one clause without a full stop.
        why: the cause as far as it is known; may be empty.
        fix: what the reader can do next; may be empty.
        retry_after_s: how long the other side asked us to wait, in seconds; None if it did not say, or said what is no
            number of seconds.
    """

    kind: ClassVar[Kind] = Kind.PERMANENT
    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    # Of a class of the program's own that forgets to call what makes an error.
    what: str = "something went wrong"
    why: str = ""
    fix: str = ""
    retry_after_s: float | None = None

    def __init__(self, what: str, *, why: str = "", fix: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(what, why, fix)
        self.what = what
        self.why = why
        self.fix = fix
        self.retry_after_s = retry_after_s if _is_pause(retry_after_s) else None

    def __str__(self) -> str:
        text = f"{self.what}: {self.why}" if self.why else self.what
        return f"{text}. {self.fix}" if self.fix else text


def _is_pause(asked_s: object) -> bool:
    return isinstance(asked_s, int | float) and 0 <= asked_s < float("inf")
