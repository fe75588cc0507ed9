"""The desired property `iothubDM.firmwareUpdate`: what of it is news, and how it is acknowledged.

A direct method is heard once. The desired property stands on the twin and is read after each connect, so the device
keeps what it has last done about it, and acts only on what has changed since:

- The same content again is no news, whatever its `$version` is: other parts of the twin count it up, too.
- Other content is news, and is as a method with that content. Content that was there and is gone is news as well.
- What was refused because an update was being applied is still wanted, and is looked at again once that has settled;
  unless a later command was carried out meanwhile. The newest word counts.
- A lower `$version` than the one acted on is late, and ignored. But a device that was registered anew counts from 1
  again: then there is no acknowledgement of ours on the twin, or one of a version that the twin has not reached.

The acknowledgement has the form of IoT Plug and Play (`ac`, `av`, `ad`). It does not repeat the value, which may hold
a signed URL.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.text import cut

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ACTED_ON", "MALFORMED", "NOT_NOW", "Acknowledgement", "Wish"]

ACTED_ON: Final = 200
MALFORMED: Final = 400
NOT_NOW: Final = 409

_LONGEST_TEXT: Final = 1000
_SECTION: Final = "firmwareUpdate"
_TOLD: Final = "desired"
_OVERTAKEN: Final = "a later command was carried out instead"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the device has last done about the desired property, and says of it.

    Attributes:
        version: `$version` of the desired properties then; 0 if there was none.
        digest: of the content; None if the property was not there.
        code: 200 acted on, 400 malformed, 409 not now.
        text: for people.
        again: whether it is to be looked at again once the update has settled.
    """

    version: int
    digest: str | None
    code: int
    text: str
    again: bool = False

    def patch(self) -> dict[str, Any]:
        """The part of the reported section that shows it; what is not there any more is not acknowledged."""
        if self.digest is None:
            return {_TOLD: None}
        return {_TOLD: {"ac": self.code, "av": self.version, "ad": cut(self.text, _LONGEST_TEXT)}}

    def overtaken(self) -> Acknowledgement:
        """The same after a later command was carried out."""
        return replace(self, text=_OVERTAKEN, again=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """The desired property as it stands on the twin.

    Attributes:
        content: its JSON value; None if it is not there.
        version: `$version` of the desired properties; 0 if there is none.
        told: the version that the twin says we have acknowledged last; None if it says nothing.
        told_code: with which code.
    """

    content: object
    version: int
    told: int | None = None
    told_code: int | None = None

    @classmethod
    def on(cls, desired: Mapping[str, Any], reported: Mapping[str, Any]) -> Wish:
        """Find it on a twin; whatever stands where the section belongs is taken for it."""
        wanted = desired.get("iothubDM")
        content = wanted.get(_SECTION) if isinstance(wanted, dict) else wanted
        told: Any = reported
        for name in ("iothubDM", _SECTION, _TOLD):
            told = told.get(name) if isinstance(told, dict) else None
        told = told if isinstance(told, dict) else {}
        return cls(content, _number(desired.get("$version")) or 0, _number(told.get("av")), _number(told.get("ac")))

    @property
    def digest(self) -> str | None:
        """Tells contents apart; None if there is none. The order of keys does not matter.

        What is no JSON, or nested too deeply for it, is refused anyway, so all of that counts as the same.
        """
        if self.content is None:
            return None
        try:
            text = json.dumps(self.content, sort_keys=True, separators=(",", ":"))
        except (TypeError, ValueError, RecursionError):
            text = ""
        return hashlib.sha256(text.encode()).hexdigest()

    def is_news(self, last: Acknowledgement | None) -> bool:
        """Whether there is something to do that has not been done.

        Args:
            last: what was last done; None if that is not known, as on a new device, or one that has lost its database.
        """
        if last is None and self.content is None:
            return self.told is not None
        if last is None:
            return self.told != self.version or self.told_code == NOT_NOW
        return last.again or self.digest != last.digest

    def is_late(self, last: Acknowledgement | None) -> bool:
        """Whether a later one has been acted on already."""
        known = last is not None and self.version < last.version
        return known and self.told is not None and self.told <= self.version

    def acknowledged(self, code: int, text: str, *, again: bool = False) -> Acknowledgement:
        """What was done about it."""
        return Acknowledgement(self.version, self.digest, code, text, again)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
