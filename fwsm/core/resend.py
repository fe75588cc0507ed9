"""Saying the whole section again: when that is due, and how much of it if the hub will not take all.

Reports are differences. When the hub has refused one, or has lost what it had (a twin restored from a backup, a device
registered anew), no later difference brings the rest back. Then the whole section is sent, with null for what is not to
be there. What the hub refuses is said in fewer words, down to what an operator cannot do without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fwsm.core.text import cut
from fwsm.core.update import State

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["editions", "lacks"]

_SHORT_TEXT: Final = 100
# What says how an update stands, and which one.
_VITAL: Final = ("updateId", "status", "substatus")
# Objects of which the numbers and codes are vital, and the text is not.
_TEXTS: Final = {"error": "message", "desired": "ad"}


def lacks(seen: object, section: Mapping[str, Any]) -> bool:
    """Whether the section that the hub has shows something else than it should.

    Properties that are not ours are not looked at. While an image is loaded, nobody but the download knows how far.

    Args:
        seen: the value of `iothubDM.firmwareUpdate` on the twin, whatever that is.
        section: what it should be; None means absent.
    """
    if not isinstance(seen, dict):
        return True
    loading = section.get("status") == State.DOWNLOADING.status
    wanted = {name: value for name, value in section.items() if not (loading and name == "progress")}
    return not _shows(seen, wanted)


def _shows(seen: object, wanted: object) -> bool:
    """Whether a value of the twin is the one that is wanted; a twin has no nulls, so None is what is not there."""
    if not isinstance(wanted, dict):
        return seen == wanted
    return isinstance(seen, dict) and all(_shows(seen.get(name), value) for name, value in wanted.items())


def editions(part: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The section, or a part of it, at full length, with short texts, and with what is vital only.

    Each stands for the whole, and none is there twice. The last is about 200 bytes and otherwise nulls, which make
    room: the hub takes it if it takes anything.
    """
    found: list[dict[str, Any]] = []
    for edition in (dict(part), _with_short_texts(part), _vital(part)):
        if edition not in found:
            found.append(edition)
    return tuple(found)


def _with_short_texts(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in part.items()}


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(inner) for name, inner in value.items()}
    return cut(value, _SHORT_TEXT) if isinstance(value, str) else value


def _vital(part: Mapping[str, Any]) -> dict[str, Any]:
    least = {name: _short(value) if name in _VITAL else None for name, value in part.items()}
    return least | {name: {**_short(part[name]), text: None} for name, text in _TEXTS.items() if part.get(name)}
