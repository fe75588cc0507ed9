"""Text that comes from elsewhere, made fit for logs, answers and the twin."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["cut", "is_seen", "said_by", "when"]

# What Unicode says to ignore in display (Default_Ignorable_Code_Point), and the blank of Braille: Python calls them
# printable.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_SHOWN_FROM_S: Final = 0.05  # less would be shown as none


def is_seen(text: str) -> bool:
    """Whether a reader sees each of its characters, so that two texts that differ look different."""
    return text.isprintable() and _UNSEEN.search(text) is None


def said_by(error: BaseException) -> str:
    """What an error says; a foreign one whose text cannot be made says that much, instead of raising another one."""
    try:
        return str(error)
    except Exception as another:  # noqa: BLE001  # it is somebody else's code
        return f"(its text cannot be made: {type(another).__name__})"


def when(pause_s: float) -> str:
    """When something comes after a pause, to a tenth of a second."""
    return f"in {pause_s:.1f} s" if pause_s >= _SHOWN_FROM_S else "at once"


def cut(text: str, length: int) -> str:
    """The text with blanks for what cannot be printed, and at most `length` characters long.

    That is: control characters, halves of surrogate pairs (JSON can carry them, UTF-8 and so the database cannot), and
    marks that change the direction or hide what is beside them.
    """
    shown = text[:length]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else " " for character in shown)
    return shown if len(text) <= length else f"{shown[:-1]}…"
