"""Faults on demand, so that a device can be tried against a bad day of the hub.

    hub.faults.inject(Operation.REPORTED_PATCH, Refuse(429), device_id="d1", times=3)

A fault is an effect on an operation of a device. The doors of the hub ask at one place per operation
whether a fault strikes (`strike`), and carry it out; without faults they behave as if this room were not there.
"""

from __future__ import annotations

import enum
import math
import threading
from dataclasses import dataclass
from typing import TypeAlias

from fwsm.errors import HubError
from fwsm.hub.refusal import Why

__all__ = [
    "EFFECTS",
    "CutAfterAck",
    "CutBeforeAck",
    "CutInside",
    "Delay",
    "Effect",
    "Fault",
    "Faults",
    "Lose",
    "Operation",
    "Refuse",
    "WithholdAck",
    "WithholdAnswer",
]


class Operation(enum.Enum):
    """Where a fault can strike; the first six are packets of the device, the others of the hub."""

    CONNECT = "connect"
    SUBSCRIBE = "subscribe"
    TWIN_READ = "twin read"
    REPORTED_PATCH = "reported patch"
    TELEMETRY = "telemetry"
    METHOD_ANSWER = "method answer"
    METHOD_CALL = "method call"
    DESIRED_CHANGE = "desired change"
    CLOUD_MESSAGE = "cloud message"


@dataclass(frozen=True, slots=True)
class Refuse:
    """The hub does nothing and says no: a twin status such as 429, a CONNACK code such as 3 or 5, a SUBACK of 128."""

    status: int


@dataclass(frozen=True, slots=True)
class Delay:
    """The hub takes the packet up so many seconds later, and whatever the device sends behind it later still."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WithholdAnswer:
    """The hub acts and acknowledges the message, but its answer never comes; at a connect, the CONNACK."""


@dataclass(frozen=True, slots=True)
class WithholdAck:
    """The hub acts and answers, but the PUBACK never comes."""


@dataclass(frozen=True, slots=True)
class CutBeforeAck:
    """The hub acts, then the connection ends before the PUBACK, the device's or the hub's: the same is sent again."""


@dataclass(frozen=True, slots=True)
class CutAfterAck:
    """The hub acts, and the connection ends between the PUBACK and the answer: nothing is ever sent again."""


@dataclass(frozen=True, slots=True)
class CutInside:
    """The hub acts, and the connection ends in the middle of the packet with which it answers, or which it sends."""


@dataclass(frozen=True, slots=True)
class Lose:
    """The hub behaves as if all were well, but what was said is lost.

    A report does not reach the twin, telemetry not the feed, a method answer not its caller, a method call, a desired
    change or a cloud-to-device message not the device.
    """


Effect: TypeAlias = Refuse | Delay | WithholdAnswer | WithholdAck | CutBeforeAck | CutAfterAck | CutInside | Lose

# By the names that REST has for them.
EFFECTS: dict[str, type[Effect]] = {
    "refuse": Refuse,
    "delay": Delay,
    "withholdAnswer": WithholdAnswer,
    "withholdAck": WithholdAck,
    "cutBeforeAck": CutBeforeAck,
    "cutAfterAck": CutAfterAck,
    "cutInside": CutInside,
    "lose": Lose,
}

_TWIN_STATUSES = frozenset(why.status for why in Why)

# What can go wrong where, and the codes of a refusal. IoT Hub never answers a CONNECT with 1.
_TWIN_EFFECTS: tuple[type[Effect], ...] = (
    Refuse, Delay, WithholdAnswer, WithholdAck, CutBeforeAck, CutAfterAck, CutInside,
)  # fmt: skip
_POSSIBLE: dict[Operation, tuple[tuple[type[Effect], ...], frozenset[int]]] = {
    Operation.CONNECT: ((Refuse, Delay, WithholdAnswer, CutBeforeAck, CutInside), frozenset(range(2, 6))),
    Operation.SUBSCRIBE: ((Refuse, WithholdAck, CutBeforeAck), frozenset({128})),
    Operation.TWIN_READ: (_TWIN_EFFECTS, _TWIN_STATUSES),
    Operation.REPORTED_PATCH: ((*_TWIN_EFFECTS, Lose), _TWIN_STATUSES),
    Operation.TELEMETRY: ((Delay, WithholdAck, CutBeforeAck, CutAfterAck, CutInside, Lose), frozenset()),
    Operation.METHOD_ANSWER: ((Delay, WithholdAck, CutBeforeAck, CutAfterAck, CutInside, Lose), frozenset()),
    Operation.METHOD_CALL: ((Lose,), frozenset()),
    Operation.DESIRED_CHANGE: ((Lose,), frozenset()),
    Operation.CLOUD_MESSAGE: ((Lose, CutBeforeAck, CutInside), frozenset()),
}


class Fault:
    """One order for a fault; made by `Faults.inject`. One for a device strikes its modules as well."""

    def __init__(self, operation: Operation, effect: Effect, device_id: str | None, times: int) -> None:
        self.operation = operation
        self.effect = effect
        self.device_id = device_id
        self._times_left = times
        self._condition = threading.Condition()

    @property
    def times_left(self) -> int:
        """How often it will still strike."""
        return self._times_left

    def strike(self, operation: Operation, client_id: str) -> bool:
        """Say whether the fault strikes now, and count it if it does."""
        if operation is not self.operation or self.device_id not in {None, client_id, client_id.partition("/")[0]}:
            return False
        with self._condition:
            if self._times_left == 0:
                return False
            self._times_left -= 1
            self._condition.notify_all()
            return True

    def wait_spent(self, timeout_s: float = 30.0) -> None:
        """Wait until the fault has struck as often as it was ordered to.

        Raises:
            HubError: it has not within `timeout_s`.
        """
        with self._condition:
            if not self._condition.wait_for(lambda: self._times_left == 0, timeout_s):
                raise HubError(
                    f"the fault at {self.operation.value} has not struck",
                    why=f"the device did nothing of that kind within {timeout_s:g} s ({self._times_left} times left)",
                )


def _check(operation: Operation, effect: Effect, times: int) -> None:
    effects, statuses = _POSSIBLE[operation]
    if not isinstance(effect, effects):
        raise HubError(
            f"{effect} cannot strike a {operation.value}",
            why="nothing of that kind can happen there",
            fix=f"Use one of {', '.join(kind.__name__ for kind in effects)}.",
        )
    if isinstance(effect, Refuse) and effect.status not in statuses:
        raise HubError(
            f"{effect} cannot strike a {operation.value}",
            why="IoT Hub has no such answer",
            fix=f"Use one of {', '.join(map(str, sorted(statuses)))}.",
        )
    if isinstance(effect, Delay) and not (math.isfinite(effect.seconds) and effect.seconds > 0):
        raise HubError(f"a delay of {effect.seconds} s is none", fix="Use a number of seconds above 0.")
    if times < 1:
        raise HubError(f"a fault cannot strike {times} times", fix="Use 1 or more.")


class Faults:
    """The orders of one hub. Tests write, the hub's thread reads."""

    def __init__(self) -> None:
        self._faults: tuple[Fault, ...] = ()
        self._lock = threading.Lock()

    def inject(self, operation: Operation, effect: Effect, *, device_id: str | None = None, times: int = 1) -> Fault:
        """Let `effect` strike the next `times` operations of `device_id`, or of any device when that is None.

        A module is named `{device}/{module}`; a fault for a device strikes its modules as well.

        Raises:
            HubError: this operation has no such effect, or IoT Hub no such answer.
        """
        _check(operation, effect, times)
        fault = Fault(operation, effect, device_id, times)
        with self._lock:
            self._faults = (*self.pending(), fault)
        return fault

    def pending(self) -> tuple[Fault, ...]:
        """Return the orders that will still strike, oldest first."""
        return tuple(fault for fault in self._faults if fault.times_left)

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._faults = ()

    def strike(self, operation: Operation, client_id: str) -> Effect | None:
        """Return the effect that strikes this operation, and count it; None on a good day."""
        if not self._faults:
            return None
        return next((fault.effect for fault in self._faults if fault.strike(operation, client_id)), None)
