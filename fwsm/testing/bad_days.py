"""The bad days that a rehearsal can play, by name. Apart from what plays them, which needs the embedded hub."""

from __future__ import annotations

import enum
from typing import Self

__all__ = ["BadDay"]


class BadDay(enum.StrEnum):
    """What goes wrong with an update. The value is its name on the command line.

    Attributes:
        story: what happens, in some words.
    """

    story: str

    def __new__(cls, name: str, story: str = "") -> Self:
        """Make one from its name and its story."""
        made = str.__new__(cls, name)
        made._value_, made.story = name, story
        return made

    HUB_DOWN = "hub-down", "the hub is away from the middle of the download until the update is over"
    SERVER_CUTS = "server-cuts", "the image server resets the connection again and again"
    WRONG_DIGEST = "wrong-digest", "the image is not the one that the operator meant"
    BAD_FIRMWARE = "bad-firmware", "the new firmware fails its health check, and the device rolls back"
    POWER_CUT = (
        "power-cut",
        "the whole device loses power: downloading, applying, and in the first boot of the new firmware",
    )
