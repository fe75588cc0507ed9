"""The parts of a timeline's picture: boxes and points, with what they mean."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fwsm.core.update import State
    from fwsm.diagram.geometry import Box, Point

__all__ = ["Band", "Bar", "Lane", "Link", "Mark", "Shape", "Word"]


class Shape(enum.StrEnum):
    """What a mark is of."""

    RESTART = "restart"
    RETRY = "retry"
    DEFERRED = "deferred"
    COMMAND = "command"
    REBOOT = "reboot"
    REPORTED = "reported"
    PENDING = "pending"
    INCIDENT = "incident"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the picture.

    Attributes:
        name: what stands before it.
        state: whose it is; None for reports and incidents.
        y: its middle.
        sums: what stands behind it, in three lines at most.
    """

    name: str
    state: State | None
    y: float
    sums: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """A visit.

    Attributes:
        state: where.
        box: from when to when.
        open: whether it still goes on.
        title: what it is, in words.
    """

    state: State
    box: Box
    open: bool
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment.

    Attributes:
        shape: of what kind.
        at: its middle.
        title: what it was, in words.
        scale: how large it is drawn, so that those of a lane do not hide each other; 1 is as large as can be.
    """

    shape: Shape
    at: Point
    title: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Link:
    """The way from one bar to the next, straight up or down.

    Attributes:
        shape: what led there; None if the work went on.
        box: the line, without width.
        title: the trigger.
    """

    shape: Shape | None
    box: Box
    title: str


@dataclass(frozen=True, slots=True)
class Band:
    """A cut through all lanes.

    Attributes:
        box: the room that it takes.
        label: how long it was, or that nobody knows.
        title: the same in more words.
    """

    box: Box
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Word:
    """A time above a bar, or what an incident was."""

    text: str
    box: Box
