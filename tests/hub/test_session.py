"""Sessions: what is remembered between connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.hub.engine import Engine
from fwsm.hub.session import ForbiddenSubscriptionError, Session
from fwsm.hub.state import EphemeralState
from fwsm.hub.topics import DESIRED, METHODS, TWIN_ANSWERS

if TYPE_CHECKING:
    from fwsm.hub.session import Sessions


def _sessions() -> tuple[Engine, Sessions]:
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    engine.registry.create("d1", {})
    return engine, engine.sessions


def test_persistent_session_is_there_again() -> None:
    """With CleanSession 0 the subscriptions survive."""
    _, sessions = _sessions()
    first, present = sessions.open("d1", clean=False)
    assert not present
    first.subscriptions[METHODS] = 1
    second, present = sessions.open("d1", clean=False)
    assert present
    assert second.subscriptions == {METHODS: 1}


def test_clean_session_starts_empty_and_leaves_nothing() -> None:
    """With CleanSession 1 an older session is forgotten, and this one as well."""
    _, sessions = _sessions()
    sessions.open("d1", clean=False)[0].subscriptions[METHODS] = 1
    clean, present = sessions.open("d1", clean=True)
    assert (clean.subscriptions, present) == ({}, False)
    clean.subscriptions[METHODS] = 1
    after, present = sessions.open("d1", clean=False)
    assert (after.subscriptions, present) == ({}, False)


def test_session_ends_with_its_device() -> None:
    """A device that is made again is not subscribed to anything."""
    engine, sessions = _sessions()
    sessions.open("d1", clean=False)[0].subscriptions[METHODS] = 1
    engine.registry.delete("d1", "*")
    engine.registry.create("d1", {})
    assert not sessions.open("d1", clean=False)[1]


def test_subscriptions_are_granted_with_qos_1_at_most() -> None:
    """One for each filter that was asked for, in that order."""
    session = Session("d1", clean=True)
    assert session.subscribe(((METHODS, 0), (DESIRED, 2))) == (0, 1)
    assert session.subscribe(((METHODS, 1),)) == (1,)
    assert session.subscriptions == {METHODS: 1, DESIRED: 1}


@pytest.mark.parametrize(
    ("filters", "fault"),
    [
        (((METHODS, 1), ("devices/d2/messages/devicebound/#", 1)), "not a topic filter"),
        (((TWIN_ANSWERS, 1),) * 6, "at most 5"),
    ],
)
def test_forbidden_subscription_takes_nothing(filters: tuple[tuple[str, int], ...], fault: str) -> None:
    """Neither it nor what was asked for in the same breath."""
    session = Session("d1", clean=True)
    with pytest.raises(ForbiddenSubscriptionError, match=fault):
        session.subscribe(filters)
    assert session.subscriptions == {}
