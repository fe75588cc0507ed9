"""What is done to a device over many updates, drawn from a seed: the same seed gives the same plan."""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass
from typing import Any, Final

from fwsm.testing.image_faults import Fault, cut, no_ranges, refusal, truncated, wrong_range

__all__ = ["Act", "Content", "Round", "ServerFault", "Strike", "plan"]

# Of each kind at most so many in one round: with more, the table may give an update up, and would be right to.
_STRIKES = 3
_TIMES = 2
_WITHIN_S = 4.0
_LEAST_BYTES, _MOST_BYTES = 64 * 1024, 1024 * 1024
# Only what lives on can grow: in the last part of a run nobody is killed, and nothing is installed until the very end,
# because the device would boot. A run that is too short for growth to show does without.
_CALM_PART: Final = 2 / 5
_LONG_ENOUGH = 20

_HUB_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"operation": "reported patch", "effect": "refuse", "status": 429},
    {"operation": "reported patch", "effect": "refuse", "status": 500},
    {"operation": "reported patch", "effect": "delay", "seconds": 0.5},
    {"operation": "reported patch", "effect": "cutBeforeAck"},
    {"operation": "reported patch", "effect": "cutAfterAck"},
    {"operation": "reported patch", "effect": "cutInside"},
    {"operation": "reported patch", "effect": "lose"},
    {"operation": "twin read", "effect": "refuse", "status": 429},
    {"operation": "twin read", "effect": "cutInside"},
    {"operation": "twin read", "effect": "withholdAnswer"},
    {"operation": "connect", "effect": "refuse", "status": 3},
    {"operation": "connect", "effect": "cutBeforeAck"},
    {"operation": "connect", "effect": "delay", "seconds": 1},
    {"operation": "method call", "effect": "lose"},
    {"operation": "method answer", "effect": "lose"},
    {"operation": "method answer", "effect": "cutBeforeAck"},
)


class Content(enum.StrEnum):
    """What the image of an update is worth."""

    SOUND = "sound"
    SICK = "sick"  # boots, and fails its health check
    WRONG = "wrong"  # is not the one that was asked for


# What is drawn from: most of the images are good.
_CONTENTS: Final = (Content.SOUND, Content.SOUND, Content.SOUND, Content.SICK, Content.WRONG)


class Act(enum.StrEnum):
    """What befalls a process or a connection."""

    KILL_DEVICE = "SIGKILL of the device"
    KILL_HUB = "SIGKILL of the hub"
    DISCONNECT = "connection cut"
    EXPIRE = "token expired"
    HUB_FAULT = "hub fault"


@dataclass(frozen=True, slots=True)
class Strike:
    """Something that befalls the device at a moment.

    Attributes:
        at_s: so long after the trigger, in seconds.
        act: what.
        fault: of the hub, as its resource for faults takes it; empty for other acts.
    """

    at_s: float
    act: Act
    fault: dict[str, Any]

    def __str__(self) -> str:
        """As it is told."""
        words = [str(part) for name, part in self.fault.items() if name not in {"times", "deviceId"}]
        return f"{self.at_s:.1f} s {' '.join(words) or self.act}"


@dataclass(frozen=True, slots=True)
class ServerFault:
    """What the image server does wrong: under which name it is told, what, and how often."""

    name: str
    fault: Fault
    times: int


@dataclass(frozen=True, slots=True)
class Round:
    """One update.

    Attributes:
        number: from 1.
        content: what the image is worth.
        size_bytes: of the image.
        server: what its server does wrong.
        strikes: what befalls the device, in order.
    """

    number: int
    content: Content
    size_bytes: int
    server: tuple[ServerFault, ...]
    strikes: tuple[Strike, ...]

    @property
    def loses_reports(self) -> bool:
        """Whether the hub is told to lose a report: the device can notice that only when it connects again."""
        return any(strike.fault.get("effect") == "lose" for strike in self.strikes)


def plan(seed: int, updates: int, device_id: str) -> list[Round]:
    """Draw so many rounds; the last one is of a sound image, so that all ends with an update that is applied."""
    chance, numbers = random.Random(f"soak {seed}"), range(1, updates + 1)
    calm_from = updates - round(updates * _CALM_PART) if updates >= _LONG_ENOUGH else updates
    return [_round(chance, number, device_id, last=number == updates, calm=number >= calm_from) for number in numbers]


def _round(chance: random.Random, number: int, device_id: str, *, last: bool, calm: bool) -> Round:
    size_bytes = chance.randint(_LEAST_BYTES, _MOST_BYTES)
    acts = [Act.HUB_FAULT, Act.HUB_FAULT, Act.DISCONNECT, Act.EXPIRE]
    acts += [] if calm else [Act.KILL_DEVICE, Act.KILL_DEVICE, Act.KILL_DEVICE, Act.KILL_HUB]
    drawn = chance.choices(acts, k=chance.randint(0, _STRIKES))
    strikes = [_strike(chance, act, device_id) for act in drawn]
    return Round(
        number,
        Content.SOUND if last else Content.WRONG if calm else chance.choice(_CONTENTS),
        size_bytes,
        tuple(_server_fault(chance, size_bytes) for _ in range(chance.randint(0, 1))),
        tuple(sorted(strikes, key=lambda strike: strike.at_s)),
    )


def _strike(chance: random.Random, act: Act, device_id: str) -> Strike:
    at_s = round(chance.uniform(0, _WITHIN_S), 2)
    if act is not Act.HUB_FAULT:
        return Strike(at_s, act, {})
    fault = chance.choice(_HUB_FAULTS)
    return Strike(at_s, act, fault | {"times": chance.randint(1, _TIMES), "deviceId": device_id})


def _server_fault(chance: random.Random, size_bytes: int) -> ServerFault:
    at_bytes = chance.randrange(size_bytes)
    name, fault = chance.choice(
        (
            (f"cut at {at_bytes}", cut(at_bytes)),
            (f"truncated at {at_bytes}", truncated(at_bytes)),
            ("503", refusal(503)),
            ("429 with Retry-After", refusal(429, retry_after="1")),
            ("no ranges", no_ranges()),
            ("wrong range", wrong_range("bytes 1-2/3")),
        )
    )
    return ServerFault(name, fault, chance.randint(1, _TIMES))
