"""Faults strike what they were ordered for, as often as ordered."""

from __future__ import annotations

import threading

import pytest

from fwsm.errors import HubError
from fwsm.hub.faults import CutAfterAck, CutBeforeAck, Effect, Faults, Operation, Refuse, WithholdAnswer
from tests.patience import PATIENCE_S


def test_good_day_has_no_faults() -> None:
    """Without orders nothing strikes."""
    assert Faults().strike(Operation.TWIN_READ, "d1") is None


def test_fault_strikes_its_operation_and_device_only() -> None:
    """Others are left alone and do not use the order up."""
    faults = Faults()
    fault = faults.inject(Operation.REPORTED_PATCH, CutBeforeAck(), device_id="d1", times=2)
    assert faults.strike(Operation.REPORTED_PATCH, "d2") is None
    assert faults.strike(Operation.TWIN_READ, "d1") is None
    assert [faults.strike(Operation.REPORTED_PATCH, "d1") for _ in range(3)] == [CutBeforeAck(), CutBeforeAck(), None]
    assert fault.times_left == 0


def test_fault_for_a_device_strikes_its_modules() -> None:
    """One for a module strikes that module only."""
    faults = Faults()
    faults.inject(Operation.REPORTED_PATCH, Refuse(429), device_id="d1")
    assert faults.strike(Operation.REPORTED_PATCH, "d11/m1") is None
    assert faults.strike(Operation.REPORTED_PATCH, "d1/m1") == Refuse(429)
    faults.inject(Operation.REPORTED_PATCH, Refuse(500), device_id="d1/m1")
    assert [faults.strike(Operation.REPORTED_PATCH, name) for name in ("d1", "d1/m2", "d1/m1")] == [
        None,
        None,
        Refuse(500),
    ]


def test_orders_strike_one_after_the_other() -> None:
    """A later order waits until an earlier one for the same operation is spent; none of them means any device."""
    faults = Faults()
    faults.inject(Operation.REPORTED_PATCH, Refuse(429))
    faults.inject(Operation.REPORTED_PATCH, Refuse(500))
    assert faults.strike(Operation.REPORTED_PATCH, "d1") == Refuse(429)
    assert faults.strike(Operation.REPORTED_PATCH, "d2") == Refuse(500)


def test_cleared_faults_do_not_strike() -> None:
    """Orders can be taken back."""
    faults = Faults()
    faults.inject(Operation.TWIN_READ, WithholdAnswer())
    faults.clear()
    assert faults.strike(Operation.TWIN_READ, "d1") is None


def test_test_can_wait_for_a_fault_to_strike() -> None:
    """Waiting ends with the last strike, from another thread."""
    faults = Faults()
    fault = faults.inject(Operation.TWIN_READ, WithholdAnswer())
    striker = threading.Thread(target=faults.strike, args=(Operation.TWIN_READ, "d1"))
    striker.start()
    fault.wait_spent(timeout_s=PATIENCE_S)
    striker.join()
    assert fault.times_left == 0


def test_waiting_for_a_fault_is_bounded() -> None:
    """A fault that never strikes is reported with what was expected."""
    fault = Faults().inject(Operation.TWIN_READ, WithholdAnswer(), times=2)
    with pytest.raises(HubError, match=r"twin read has not struck.*2 times left"):
        fault.wait_spent(timeout_s=0.01)


@pytest.mark.parametrize(
    ("operation", "effect"),
    [
        (Operation.CONNECT, CutAfterAck()),
        (Operation.CONNECT, Refuse(1)),
        (Operation.CONNECT, Refuse(429)),
        (Operation.TWIN_READ, Refuse(3)),
        (Operation.REPORTED_PATCH, Refuse(418)),
    ],
)
def test_impossible_fault_is_refused(operation: Operation, effect: Effect) -> None:
    """What IoT Hub could not do is not ordered, and the message says what can be."""
    with pytest.raises(HubError, match="Use "):
        Faults().inject(operation, effect)
