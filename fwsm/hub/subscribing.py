"""What the hub does when a device subscribes, and when it takes that back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.faults import CutBeforeAck, Operation, Refuse
from fwsm.hub.packets import SubAck, UnsubAck

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.packets import Subscribe, Unsubscribe
    from fwsm.hub.session import Session

__all__ = ["subscribe", "unsubscribe"]


def subscribe(engine: Engine, session: Session, packet: Subscribe) -> tuple[SubAck | None, bool]:
    """Take subscriptions; a fault may strike.

    Returns:
        What is said to the device, None for nothing; and whether the connection ends behind that.

    Raises:
        ForbiddenSubscriptionError: the hub has no such topic, or these are too many.
    """
    effect = engine.faults.strike(Operation.SUBSCRIBE, session.client_id)
    if isinstance(effect, Refuse):
        return SubAck(packet.packet_id, (effect.status,) * len(packet.filters)), False
    granted = session.subscribe(packet.filters)
    engine.sessions.keep(session)
    return None if effect else SubAck(packet.packet_id, granted), isinstance(effect, CutBeforeAck)


def unsubscribe(engine: Engine, session: Session, packet: Unsubscribe) -> UnsubAck:
    """Forget subscriptions; what is said to the device."""
    for topic_filter in packet.filters:
        session.subscriptions.pop(topic_filter, None)
    engine.sessions.keep(session)
    return UnsubAck(packet.packet_id)
