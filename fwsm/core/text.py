"""Text that comes from elsewhere, made fit for logs, answers and the twin."""

from __future__ import annotations

__all__ = ["cut"]


def cut(text: str, length: int) -> str:
    """The text with blanks for what cannot be printed, and at most `length` characters long.

    That is: control characters, halves of surrogate pairs (JSON can carry them, UTF-8 and so the database cannot), and
    marks that change the direction or hide what is beside them.
    """
    shown = text[:length]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else " " for character in shown)
    return shown if len(text) <= length else f"{shown[:-1]}…"
