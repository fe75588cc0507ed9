"""What is asked of the agent."""

from __future__ import annotations

from fwsm.device.inbox import Inbox
from fwsm.device.order import Order
from fwsm.device.ports import Twin


def test_it_rings_and_keeps_the_order() -> None:
    """Whatever comes is taken in the order in which it came."""
    rung: list[int] = []
    inbox = Inbox(lambda: rung.append(1))
    assert inbox.empty()
    twin, order = Twin({}, {}), Order("firmwareUpdateStatus", None)
    inbox.put(twin)
    inbox.put(order)
    assert len(rung) == 2
    assert [inbox.get(), inbox.get()] == [twin, order]
    assert inbox.empty()


def test_an_order_that_nobody_takes_is_cancelled() -> None:
    """Whether it came before the end or after it; whoever waits for it hears of it."""
    inbox = Inbox(lambda: None)
    early, late = Order("firmwareUpdateStatus", None), Order("firmwareUpdateStatus", None)
    inbox.put(Twin({}, {}))
    inbox.put(early)
    inbox.close()
    inbox.put(late)
    assert early.done.cancelled()
    assert late.done.cancelled()
    assert inbox.empty()
