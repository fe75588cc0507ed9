"""Saying the whole section again: when that is due, and how much of it if the hub will not take all.

Reports are differences. When the hub has refused one, or has lost what it had (a twin restored from a backup, a device
registered anew), no later difference brings the rest back. Then the whole section is sent, with null for what is not to
be there; and if the hub refuses that too, less of it, down to what an operator cannot do without.
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


def lacks(seen: object, section: Mapping[str, Any]) -> bool:
    """Whether the section that the hub has shows something else than it should.

    Properties that are not ours are not looked at. While an image is loaded, nobody but the download knows how far.

    Args:
        seen: the value of `iothubDM.firmwareUpdate` on the twin, whatever that is.
        section: what it should be; None means absent.
    """
    if not isinstance(seen, dict):
        return True
    loading = section["status"] == State.DOWNLOADING.status
    return any(seen.get(name) != value for name, value in section.items() if not (loading and name == "progress"))


def editions(section: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """The section at full length, with short texts, and with what is vital only; each stands for the whole.

    The last is about 200 bytes and otherwise nulls, which make room: the hub takes it if it takes anything.
    """
    return dict(section), _with_short_texts(section), _vital(section)


def _with_short_texts(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in section.items()}


def _short(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    return cut(value, _SHORT_TEXT) if isinstance(value, str) else value


def _vital(section: Mapping[str, Any]) -> dict[str, Any]:
    least: dict[str, Any] = {name: _short(value) if name in _VITAL else None for name, value in section.items()}
    if section["error"] is not None:
        least["error"] = {"code": section["error"]["code"], "message": None}
    return least
