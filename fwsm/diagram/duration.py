"""Seconds as a person says them, in at most two units."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

__all__ = ["in_words"]

_ENOUGH: Final = 1000  # of so many days nobody wants to know the hours
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def in_words(span_s: float) -> str:
    """So and so many seconds: `0.04 s`, `4.2 s`, `41 s`, `3 m 10 s`, `9 d 2 h`, `20833 d`.

    Args:
        span_s: at least 0.
    """
    if span_s < 0.995:  # noqa: PLR2004  # from here on it is rounded to one digit
        return f"{span_s:.2f} s" if span_s else "0 s"
    if span_s < 9.95:  # noqa: PLR2004  # and from here to whole seconds
        return f"{span_s:.1f} s"
    left = round(span_s)
    for (unit_s, unit), (part_s, part) in pairwise(_UNITS):
        if left >= unit_s:
            whole, rest = divmod(left, unit_s)
            exact = rest >= part_s and whole < _ENOUGH
            return f"{whole} {unit} {rest // part_s} {part}" if exact else f"{whole} {unit}"
    return f"{left} s"
