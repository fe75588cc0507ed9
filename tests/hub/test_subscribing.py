"""Subscriptions, and the faults that strike them; the rules of topics are in test_session and test_connection."""

from __future__ import annotations

import pytest

from fwsm.hub.engine import Engine
from fwsm.hub.faults import CutBeforeAck, Effect, Operation, Refuse, WithholdAck
from fwsm.hub.packets import SubAck, Subscribe, UnsubAck, Unsubscribe
from fwsm.hub.session import ForbiddenSubscriptionError, Session
from fwsm.hub.state import EphemeralState
from fwsm.hub.subscribing import subscribe, unsubscribe
from fwsm.hub.topics import DESIRED, METHODS

PACKET = Subscribe(7, ((METHODS, 1), (DESIRED, 0)))


@pytest.fixture
def engine() -> Engine:
    """A hub without doors, whose clocks stand still."""
    return Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)


def test_what_was_taken_is_acknowledged_and_can_be_taken_back(engine: Engine) -> None:
    """Codes come in the order of the filters."""
    session = Session("d1", clean=False)
    assert subscribe(engine, session, PACKET) == (SubAck(7, (1, 0)), False)
    assert session.subscriptions == {METHODS: 1, DESIRED: 0}
    assert unsubscribe(engine, session, Unsubscribe(8, (METHODS, "unknown"))) == UnsubAck(8)
    assert session.subscriptions == {DESIRED: 0}


@pytest.mark.parametrize(
    ("effect", "receipt", "cut", "taken"),
    [
        (Refuse(128), SubAck(7, (128, 128)), False, False),
        (WithholdAck(), None, False, True),
        (CutBeforeAck(), None, True, True),
    ],
    ids=str,
)
def test_faults_strike(engine: Engine, effect: Effect, receipt: SubAck | None, cut: bool, taken: bool) -> None:
    """A refusal does nothing; the others act, and say nothing. One strikes once."""
    engine.faults.inject(Operation.SUBSCRIBE, effect, device_id="d1")
    session = Session("d1", clean=False)
    assert subscribe(engine, session, PACKET) == (receipt, cut)
    assert bool(session.subscriptions) is taken
    assert subscribe(engine, session, PACKET) == (SubAck(7, (1, 0)), False)


def test_a_topic_that_the_hub_does_not_have_is_refused(engine: Engine) -> None:
    """The connection ends by that."""
    with pytest.raises(ForbiddenSubscriptionError):
        subscribe(engine, Session("d1", clean=False), Subscribe(7, (("devices/d2/#", 1),)))
