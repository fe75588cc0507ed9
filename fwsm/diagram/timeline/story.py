"""What a timeline says in words, whatever it is drawn with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fwsm.core.text import cut
from fwsm.diagram.duration import in_words
from fwsm.diagram.journey import Sign
from fwsm.diagram.overlay import at_utc, plural, update_name
from fwsm.diagram.tally import Spent
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.core.update import State
    from fwsm.diagram.journey import Journey, Stay

__all__ = ["clock_words", "facts", "folded", "headline", "incident_words", "remarks", "require_stays", "short"]

_LONGEST: Final = 200


def require_stays(journey: Journey) -> None:
    """Check that there is something to draw.

    Raises:
        ConfigError: all of the history was pruned.
    """
    if not journey.stays:
        raise ConfigError(
            f"nothing is left of the history of update {update_name(journey.update)}",
            why="the device has pruned it",
            fix="Draw where it stands: --current",
        )


def headline(journey: Journey) -> str:
    """Which update, and where it stands."""
    return f"Update {update_name(journey.update)}: {journey.update.state}"


def facts(journey: Journey) -> tuple[str, ...]:
    """When, how long, and what happened on the way."""
    begin, end = journey.stays[0].entry.at, journey.until if journey.open else journey.stays[-1].entry.at
    whole = sum((Spent.of(stay.span_s) for stay in journey.stays), Spent())
    signs = [stay.sign for stay in journey.stays]
    counts = (
        plural(signs.count(Sign.RESTART), "restart"),
        plural(sum(stay.rebooted for stay in journey.stays), "reboot"),
        plural(signs.count(Sign.RETRY), "retry", "retries"),
        plural(len(journey.incidents), "incident"),
    )
    told = len(journey.stays) - journey.pending
    reports = f"{told} of {len(journey.stays)} reports acknowledged"
    return (
        f"{at_utc(begin)[:-4]} to {_shortened(end, begin)} UTC",
        f"{whole}{' so far' if journey.open else ''}",
        *(count for count in counts if not count.startswith("0 ")),
        reports,
    )


def remarks(journey: Journey) -> tuple[str, ...]:
    """What a reader has to know to read it right."""
    said = []
    if not journey.whole:
        said.append("The beginning of its history was pruned.")
    if any(stay.span_s is None for stay in journey.stays):
        said.append("The clock was set meanwhile, so times before and after do not compare.")
    return tuple(said)


def folded(parts: tuple[str, ...], longest: int) -> list[str]:
    """Parts with commas between them, in as few lines as they fit in; each part that ends a sentence goes without."""
    lines: list[str] = []
    for part in parts:
        joint = " " if lines and lines[-1].endswith(".") else ", "
        if lines and len(f"{lines[-1]}{joint}{part}") < longest:
            lines[-1] += joint + part
        else:
            if lines and joint == ", ":
                lines[-1] += ","
            lines.append(part)
    return lines


def clock_words(stay: Stay, following: datetime) -> str:
    """How the clock was set between an entry and the next moment."""
    moved_s = (following - stay.entry.at).total_seconds()
    return f"the clock was set {'back' if moved_s < 0 else 'forward'} by about {in_words(abs(moved_s))}"


def incident_words(code: str, message: str) -> str:
    """An incident in one line."""
    return cut(f"{code}: {message}", _LONGEST)


def short(state: State) -> str:
    """What a state is called where there is little room."""
    return state.substatus or state.status


def _shortened(end: datetime, begin: datetime) -> str:
    return f"{end:%H:%M:%S}" if end.date() == begin.date() else f"{end:%Y-%m-%d %H:%M:%S}"
