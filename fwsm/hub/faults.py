"""Faults on demand, so that a device can be tried against a bad day of the hub.

    hub.faults.inject(Operation.REPORTED_PATCH, Refuse(429), device_id="d1", times=3)

A fault is an effect on an operation of a device. The doors of the hub ask at one place per operation
whether a fault strikes (`strike`), and carry it out; without faults they behave as if this room were not there.
"""

from __future__ import annotations

import enum
import threading
from dataclasses import dataclass
from typing import TypeAlias

from fwsm.errors import HubError
from fwsm.hub.refusal import Why

__all__ = ["CutAfterAck", "CutBeforeAck", "Effect", "Fault", "Faults", "Operation", "Refuse", "WithholdAnswer"]


class Operation(enum.Enum):
    """Where a fault can strike."""

    CONNECT = "connect"
    TWIN_READ = "twin read"
    REPORTED_PATCH = "reported patch"


@dataclass(frozen=True, slots=True)
class Refuse:
    """The hub does nothing and says no: with a twin status such as 429 or 500, or a CONNACK code such as 3 or 5."""

    status: int


@dataclass(frozen=True, slots=True)
class WithholdAnswer:
    """The hub acts and acknowledges the message, but its answer never comes."""


@dataclass(frozen=True, slots=True)
class CutBeforeAck:
    """The hub acts, then the connection ends before the PUBACK: the device sends the same again."""


@dataclass(frozen=True, slots=True)
class CutAfterAck:
    """The hub acts, and the connection ends between the PUBACK and the answer: nothing is ever sent again."""


_CONNACK_CODES = range(2, 6)
_TWIN_STATUSES = frozenset(why.status for why in Why)

Effect: TypeAlias = Refuse | WithholdAnswer | CutBeforeAck | CutAfterAck


class Fault:
    """One order for a fault; made by `Faults.inject`."""

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

    def strike(self, operation: Operation, device_id: str) -> bool:
        """Say whether the fault strikes now, and count it if it does."""
        if operation is not self.operation or self.device_id not in {None, device_id}:
            return False
        with self._condition:
            if self._times_left == 0:
                return False
            self._times_left -= 1
            self._condition.notify_all()
            return True

    def wait_spent(self, timeout_s: float = 10.0) -> None:
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


def _check(operation: Operation, effect: Effect) -> None:
    if operation is Operation.CONNECT:
        if not isinstance(effect, Refuse) or effect.status not in _CONNACK_CODES:
            raise HubError(
                f"{effect} cannot strike a connect",
                why="a CONNECT has one answer and no separate acknowledgement, and IoT Hub never answers 1",
                fix="Use Refuse with a CONNACK code from 2 to 5, for example Refuse(3).",
            )
    elif isinstance(effect, Refuse) and effect.status not in _TWIN_STATUSES:
        raise HubError(
            f"{effect} cannot strike a {operation.value}",
            why="the hub has no such answer",
            fix=f"Use one of {', '.join(map(str, sorted(_TWIN_STATUSES)))}.",
        )


class Faults:
    """The orders of one hub. Tests write, the hub's thread reads."""

    def __init__(self) -> None:
        self._faults: tuple[Fault, ...] = ()
        self._lock = threading.Lock()

    def inject(self, operation: Operation, effect: Effect, *, device_id: str | None = None, times: int = 1) -> Fault:
        """Let `effect` strike the next `times` operations of `device_id`, or of any device when that is None.

        Raises:
            HubError: this operation has no such effect, or IoT Hub no such answer.
        """
        _check(operation, effect)
        fault = Fault(operation, effect, device_id, times)
        with self._lock:
            self._faults = (*(old for old in self._faults if old.times_left), fault)
        return fault

    def clear(self) -> None:
        """Forget all orders."""
        with self._lock:
            self._faults = ()

    def strike(self, operation: Operation, device_id: str) -> Effect | None:
        """Return the effect that strikes this operation, and count it; None on a good day."""
        return next((fault.effect for fault in self._faults if fault.strike(operation, device_id)), None)
