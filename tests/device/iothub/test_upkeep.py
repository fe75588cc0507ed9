"""What an open session needs: the link on the unmodified SDK, against a hub that does not let it listen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.errors import DeviceOfflineError, LinkDeafError
from fwsm.hub import Operation, Refuse
from tests.device.iothub.bench import Twins, new_link
from tests.device.iothub.states import States
from tests.patience import eventually

if TYPE_CHECKING:
    from fwsm.errors import FwsmError
    from fwsm.hub import Hub

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]


def test_a_subscription_that_is_refused_is_made_again_on_the_same_connection(hub: Hub, states: States) -> None:
    """The SDK takes the refusal for a success, and no method would ever arrive."""
    refused = hub.faults.inject(Operation.SUBSCRIBE, Refuse(128), times=2)  # of methods, and of desired properties
    twins = Twins()
    link = new_link(hub, states)
    link.start(twins)
    refused.wait_spent()
    states.wait(lambda: bool(states.told) and states.told[-1] == (True, None))
    assert hub.call_method("d1", "ping").status == 200
    hub.update_twin("d1", desired={"x": 1})
    twins.wait(lambda: twins.read[-1].desired.get("x") == 1)
    assert all(connected for connected, _ in states.told)
    link.stop()


def test_a_hub_that_refuses_for_long_still_gets_reports_and_has_its_twin_read(
    hub: Hub, states: States, caplog: pytest.LogCaptureFixture
) -> None:
    """The link says what does not arrive, and asks ever more rarely until the hub takes the subscription."""
    _leave_a_session(hub)
    hub.faults.inject(Operation.SUBSCRIBE, Refuse(128), times=1_000_000)
    twins = Twins()
    link = new_link(hub, states, twin_every_s=0.4)
    link.start(twins)
    states.wait(lambda: states.connections() == 1)
    connected, error = states.told[-1]
    assert connected
    assert link.connected
    assert isinstance(error, LinkDeafError)
    assert str(link.last_error) == str(error)
    assert error.what.endswith("does not let this device listen to direct methods and desired properties")
    assert twins.troubles[-1] is error
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]
    hub.update_twin("d1", desired={"x": 1})
    twins.wait(lambda: twins.read[-1].desired.get("x") == 1)
    with pytest.raises(DeviceOfflineError):
        hub.call_method("d1", "ping")
    hub.faults.clear()
    states.wait(lambda: states.told[-1] == (True, None))
    assert hub.call_method("d1", "ping").status == 200
    assert link.last_error is None
    assert [connected for connected, _ in states.told] == [True, True]
    link.stop()
    assert any("direct methods" in line and "(next try" in line for line in caplog.messages)


def test_a_hub_that_gives_way_while_it_is_complained_of_is_not_complained_of_for_ever(hub: Hub) -> None:
    """Whoever is told takes their time; meanwhile the device has begun to hear."""

    class Slow(States):
        def __call__(self, connected: bool, error: FwsmError | None) -> None:
            if isinstance(error, LinkDeafError):
                hub.faults.clear()
                assert eventually(hears)
            super().__call__(connected, error)

    def hears() -> bool:
        return link._session is not None and link._session.deaf is None

    _leave_a_session(hub)
    hub.faults.inject(Operation.SUBSCRIBE, Refuse(128), times=1_000_000)
    states = Slow()
    link = new_link(hub, states)
    link.start(Twins())
    states.wait(lambda: bool(states.told) and states.told[-1] == (True, None))
    assert len(states.told) == 2
    link.stop()


def test_a_connection_that_is_lost_ends_the_asking(hub: Hub, states: States) -> None:
    """The next session asks for itself."""
    _leave_a_session(hub)
    hub.faults.inject(Operation.SUBSCRIBE, Refuse(128), times=1_000_000)
    link = new_link(hub, states)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    assert isinstance(link.last_error, LinkDeafError)
    hub.faults.clear()
    states.wait(lambda: states.told[-1] == (True, None))
    link.stop()


def _leave_a_session(hub: Hub) -> None:
    """Have the hub remember that the device gets the answers to its twin requests, as a fault strikes those as well."""
    states = States()
    link = new_link(hub, states)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    link.stop()
    hub.wait_disconnected("d1")
