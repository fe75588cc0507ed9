"""The link on the unmodified SDK, against the embedded hub."""

from __future__ import annotations

import logging
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.device.clock import SystemClock
from fwsm.device.iothub import IoTHubLink
from fwsm.errors import (
    ConfigError,
    FwsmError,
    LinkAuthError,
    LinkBusyError,
    LinkError,
    LinkTakenError,
    ReportRefusedError,
)
from fwsm.hub import CutAfterAck, CutBeforeAck, Effect, Hub, Operation, Refuse, WithholdAnswer
from tests.device.iothub.bench import DEADLINE_S, Twins, new_link, report_in_time
from tests.device.iothub.states import States
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from fwsm.core.moment import Moment
    from fwsm.device.ports import Link

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]


def _link_threads(name: str = "fwsm-link") -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(name)]


def test_it_is_a_link(link: IoTHubLink) -> None:
    """The class has what the port asks for, and says that it is connected."""
    port: Link = link
    assert port is link
    assert link.connected
    assert link.last_error is None


def test_a_report_returns_when_the_hub_has_it(hub: Hub, link: IoTHubLink) -> None:
    """When `report` returns, the twin has the patch."""
    link.report({"iothubDM": {"firmwareUpdate": {"status": "waiting", "error": None}}})
    assert hub.reports("d1") == [{"iothubDM": {"firmwareUpdate": {"status": "waiting", "error": None}}}]
    assert hub.twin("d1")["properties"]["reported"]["iothubDM"] == {"firmwareUpdate": {"status": "waiting"}}


@pytest.mark.parametrize("payload", [{"fwPackageUri": "https://x"}, None, [1, "two"], 7])
def test_a_direct_method_is_delivered_and_answered(hub: Hub, link: IoTHubLink, payload: Any) -> None:
    """Name and payload of a call arrive, and its answer goes back."""
    assert link.connected
    answer = hub.call_method("d1", "firmwareUpdate", payload, response_timeout_s=PATIENCE_S)
    assert (answer.status, answer.payload) == (200, {"name": "firmwareUpdate", "payload": payload})


def test_a_report_waits_for_a_hub_that_is_away(hub: Hub, states: States) -> None:
    """A report that is made while the hub cannot be reached arrives once it can."""
    link = new_link(hub, states)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    hub.pause()
    states.wait(lambda: states.told[-1][1] is not None)
    sender = threading.Thread(target=link.report, args=({"while": "away"},))
    sender.start()
    hub.resume()
    sender.join(PATIENCE_S)
    assert hub.reports("d1") == [{"while": "away"}]
    link.stop()


def test_a_report_gives_up_when_the_hub_stays_away(hub: Hub, hasty_link: IoTHubLink, states: States) -> None:
    """Without a connection `report` raises at its deadline, and says what is wrong."""
    hub.pause()
    states.wait(lambda: any(error is not None and "cannot be reached" in error.what for _, error in states.told))
    assert any(f"{hub.address} cannot be reached: Connection refused" in str(error) for _, error in states.told)
    with pytest.raises(LinkError) as caught:
        hasty_link.report({"a": 1})
    assert type(caught.value) is LinkError
    assert str(caught.value) in [str(error) for _, error in states.told]
    assert not hasty_link.connected
    assert hasty_link.last_error is not None


def test_an_answer_that_never_comes_ends_at_the_deadline(hub: Hub, hasty_link: IoTHubLink, states: States) -> None:
    """The SDK would wait for ever; the link gives up, discards the client, and the next call works."""
    fault = hub.faults.inject(Operation.REPORTED_PATCH, WithholdAnswer())
    with pytest.raises(LinkError, match=f"{hub.address} did not answer within 1 s"):
        hasty_link.report({"a": 1})
    assert fault.times_left == 0
    report_in_time(hasty_link, {"a": 2})
    assert hub.twin("d1")["properties"]["reported"]["a"] == 2
    assert states.connections() >= 2


def test_the_twin_is_read_after_each_connect_and_after_each_change(
    hub: Hub, link: IoTHubLink, states: States, twins: Twins
) -> None:
    """What was desired while the device was away is found when it is back, and every change is found at once."""
    assert [twin.desired["$version"] for twin in twins.read] == [1]
    link.report({"a": 1})
    hub.update_twin("d1", desired={"x": {"y": 1}})
    twins.wait(lambda: twins.read[-1].desired == {"x": {"y": 1}, "$version": 2})
    assert twins.read[-1].reported["a"] == 1
    hub.pause()
    states.wait(lambda: not states.told[-1][0])
    hub.resume()
    twins.wait(lambda: len(twins.read) == 3)
    hub.update_twin("d1", desired={"x": None})
    twins.wait(lambda: twins.read[-1].desired == {"$version": 3})


def test_a_twin_that_is_withheld_is_read_on_the_next_connection(
    hub: Hub, hasty_link: IoTHubLink, states: States, twins: Twins
) -> None:
    """A hint is never lost, whatever becomes of the reading."""
    assert hasty_link.connected
    fault = hub.faults.inject(Operation.TWIN_READ, WithholdAnswer())
    hub.update_twin("d1", desired={"x": 1})
    fault.wait_spent()
    twins.wait(lambda: twins.read[-1].desired == {"x": 1, "$version": 2})
    assert states.connections() >= 2
    assert any(error is not None and "did not answer within 1 s" in error.why for _, error in states.told)


@pytest.mark.parametrize("status", [429, 500])
def test_a_twin_is_asked_for_again_while_the_hub_is_in_trouble(
    hub: Hub, link: IoTHubLink, states: States, twins: Twins, status: int
) -> None:
    """A throttled reading is made again, on the same connection."""
    assert link.connected
    hub.faults.inject(Operation.TWIN_READ, Refuse(status), times=2)
    hub.update_twin("d1", desired={"x": 1})
    twins.wait(lambda: twins.read[-1].desired == {"x": 1, "$version": 2})
    assert states.connections() == 1


@pytest.mark.parametrize("status", [500, 503])
def test_a_hub_in_trouble_is_asked_again(hub: Hub, link: IoTHubLink, states: States, status: int) -> None:
    """The report is sent again within the same call, on the same connection."""
    hub.faults.inject(Operation.REPORTED_PATCH, Refuse(status), times=2)
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]
    assert states.connections() == 1


def test_a_hub_that_throttles_is_left_alone(hub: Hub, link: IoTHubLink, states: States) -> None:
    """One try, and the caller learns that the hub throttles; the connection goes on."""
    fault = hub.faults.inject(Operation.REPORTED_PATCH, Refuse(429), times=2)
    with pytest.raises(LinkBusyError, match="429") as caught:
        link.report({"a": 1})
    assert fault.times_left == 1
    assert caught.value.__cause__ is not None
    assert states.connections() == 1


@pytest.mark.parametrize("status", [400, 413])
def test_a_refused_report_is_not_sent_again(hub: Hub, link: IoTHubLink, status: int) -> None:
    """What the hub will never take is told apart at once, and the connection goes on."""
    fault = hub.faults.inject(Operation.REPORTED_PATCH, Refuse(status), times=2)
    with pytest.raises(ReportRefusedError, match=str(status)):
        link.report({"a": 1})
    assert fault.times_left == 1


@pytest.mark.parametrize("effect", [CutBeforeAck(), CutAfterAck()])
def test_a_connection_cut_under_a_report_costs_nothing(
    hub: Hub, link: IoTHubLink, states: States, effect: Effect
) -> None:
    """The same call sends the report again on the next connection; the hub has it once more, which changes nothing."""
    hub.faults.inject(Operation.REPORTED_PATCH, effect)
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}, {"a": 1}]
    assert states.connections() == 2


def test_methods_still_arrive_after_a_cut(hub: Hub, link: IoTHubLink, states: States) -> None:
    """A device whose connection was cut comes back by itself and listens again."""
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    assert link.connected
    assert hub.call_method("d1", "ping", response_timeout_s=PATIENCE_S).payload == {"name": "ping", "payload": None}


def test_reconnecting_leaves_nothing_behind(hub: Hub, link: IoTHubLink, states: States) -> None:
    """However often the connection is lost, threads and open files stay as few as after the second loss."""

    def lose(connections: range) -> None:
        for number in connections:
            hub.disconnect("d1")
            states.wait(lambda number=number: states.connections() == number)  # type: ignore[misc]

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    lose(range(2, 4))
    enough = files() + 3
    lose(range(4, 12))
    assert link.connected
    # The last client may still be on its way out.
    assert eventually(lambda: len(_link_threads()) <= 6 and files() <= enough), (_link_threads(), files(), enough)


def test_a_refusal_on_the_way_back_is_not_the_end(hub: Hub, link: IoTHubLink, states: States) -> None:
    """After one 'not authorised' the SDK stops for good; the link tries again, and says what was wrong meanwhile."""
    hub.faults.inject(Operation.CONNECT, Refuse(5))
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    assert any(isinstance(error, LinkAuthError) for _, error in states.told)
    assert link.last_error is None


def test_a_hub_that_turns_a_connection_away_is_tried_again(hub: Hub, link: IoTHubLink, states: States) -> None:
    """CONNACK 3 is transient."""
    hub.faults.inject(Operation.CONNECT, Refuse(3), times=3)
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    assert link.connected


class LaterClock(SystemClock):
    """The machine's clock, put forward."""

    later_s = 0.0

    def now(self) -> Moment:
        """So much later than it is."""
        moment = super().now()
        return replace(moment, boottime_s=moment.boottime_s + self.later_s)


def test_a_connection_that_lasted_is_followed_by_the_next_one_at_once(hub: Hub, states: States) -> None:
    """The pauses limit how often a device connects; a network that ends connections now and then costs nothing more."""
    clock, text = LaterClock(), hub.device("d1").connection_string
    link = IoTHubLink(
        text, clock=clock, ca_pem=hub.ca_pem, backoff_base_s=0.1, backoff_cap_s=1_000_000.0, on_state=states
    )
    link.start(Twins())
    for number in range(1, 6):  # from the third loss on it seems to be another program's doing
        states.wait(lambda number=number: states.connections() == number)  # type: ignore[misc]
        clock.later_s += 1_000_000.0
        hub.disconnect("d1")
    states.wait(lambda: states.connections() == 6)
    assert any(isinstance(error, LinkTakenError) for _, error in states.told)
    link.stop()


def test_the_end_of_a_good_session_is_logged_too(hub: Hub, states: States, caplog: pytest.LogCaptureFixture) -> None:
    """Once, as a failed try is, which also says when the next one comes."""
    link = new_link(hub, states, backoff_cap_s=0.0)
    link.start(lambda _message: None)
    states.wait(lambda: states.connections() == 1)
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    link.stop()
    lost = next(str(error) for _, error in states.told if error is not None)
    ours = [record for record in caplog.records if record.name.startswith("fwsm.device.")]
    assert [record.getMessage() for record in ours if record.levelno >= logging.WARNING] == [lost]


def test_a_throttled_hub_at_the_start_does_not_cost_the_connection(hub: Hub, states: States) -> None:
    """The first twin read is tried again on the same connection."""
    hub.faults.inject(Operation.TWIN_READ, Refuse(429), times=2)
    link = new_link(hub, states)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    assert [error for _, error in states.told if error] == []
    link.stop()


@pytest.mark.parametrize("wrong", ["key", "device"])
def test_a_refused_identity_is_told_clearly(hub: Hub, states: States, wrong: str) -> None:
    """A wrong key and an unknown device read as such, without the key, and are tried again."""
    other = hub.add_device("d2")
    text = hub.device("d1").connection_string
    if wrong == "key":
        text = text.replace(hub.device("d1").primary_key, other.primary_key)
    else:
        text = text.replace("DeviceId=d1", "DeviceId=d3")
    link = new_link(hub, states, text)
    link.start(Twins())
    error = states.wait_error()
    assert isinstance(error, LinkAuthError)
    assert "key is wrong, the hub has no such device" in str(error)
    assert "SharedAccessKey=" not in str(error)
    states.wait(lambda: len(states.told) >= 3)
    link.stop()


def test_a_device_that_is_registered_later_gets_in(hub: Hub, states: States) -> None:
    """A refused identity is not given up: once the registry knows it, the link connects."""
    key = hub.device("d1").primary_key
    text = hub.device("d1").connection_string.replace("DeviceId=d1", "DeviceId=late")
    link = new_link(hub, states, text)
    link.start(Twins())
    assert isinstance(states.wait_error(), LinkAuthError)
    hub.add_device("late", primary_key=key)
    states.wait(lambda: states.connections() == 1)
    link.stop()


def test_an_untrusted_hub_is_told_clearly(hub: Hub, states: States) -> None:
    """Without the hub's CA the certificate is not trusted, and the message asks for it."""
    connection = DeviceConnection.parse(hub.device("d1").connection_string)
    link = IoTHubLink(connection, clock=SystemClock(), on_state=states, deadline_s=PATIENCE_S)
    link.start(Twins())
    error = states.wait_error()
    assert isinstance(error, LinkAuthError)
    assert "not trusted" in error.what
    assert "CA certificate" in error.fix
    link.stop()


def test_a_ca_that_is_none_is_refused_at_once(address: str) -> None:
    """Text that is no certificate is a bad setting, told before anything starts."""
    connection = DeviceConnection.parse(f"HostName={address};DeviceId=d1;SharedAccessKey=c2VjcmV0")
    for text in ("", "no certificate"):
        with pytest.raises(ConfigError, match="PEM"):
            IoTHubLink(connection, clock=SystemClock(), ca_pem=text)


def test_stop_lets_a_waiting_report_go_and_leaves_no_thread(hub: Hub, states: States) -> None:
    """With the hub away, a report that waits raises LinkError at `stop`, and only threads of the SDK remain."""
    link = new_link(hub, states, deadline_s=3600.0, backoff_cap_s=3600.0)
    hub.pause()
    link.start(Twins())
    states.wait_error()
    raised: list[LinkError] = []
    began = threading.Event()

    def send() -> None:
        began.set()
        try:
            link.report({"a": 1})
        except LinkError as error:
            raised.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    assert began.wait(PATIENCE_S)
    link.stop()
    sender.join(PATIENCE_S)
    assert [str(error) for error in raised] == ["the link was stopped"]
    for thread in _link_threads():
        thread.join(PATIENCE_S)
    assert _link_threads() == []
    assert states.told[-1] == (False, None)
    assert not link.connected


def test_stop_when_connected_disconnects(hub: Hub, link: IoTHubLink) -> None:
    """A stopped link has left the hub, takes no report, and may be stopped again."""
    link.stop()
    hub.wait_disconnected("d1")
    with pytest.raises(LinkError, match="the link was stopped"):
        link.report({"a": 1})
    link.stop()
    assert hub.reports("d1") == []


def test_stop_of_a_link_that_never_started_does_nothing(hub: Hub, states: States) -> None:
    """A link can be thrown away unused."""
    link = new_link(hub, states)
    link.stop()
    assert states.told == []


def test_a_peer_that_is_silent_is_given_up(address: str) -> None:
    """A peer that takes the connection and says nothing runs into the deadline, and `stop` returns all the same."""
    states = States()
    connection = DeviceConnection.parse(f"HostName={address};DeviceId=silent;SharedAccessKey=c2VjcmV0")
    with socket.create_server((address, 8883)) as silent:
        link = IoTHubLink(connection, clock=SystemClock(), deadline_s=DEADLINE_S, on_state=states)
        link.start(Twins())
        peer, _ = silent.accept()  # on a busy machine the first tries may be over before they have come so far
        error = states.wait_error()
        assert "did not answer within 1 s" in str(error)
        link.stop()  # although the peer stays silent
        # The SDK serves all clients of the process with one thread, which the handshake holds: set it free.
        peer.close()
    for thread in _link_threads("fwsm-link-silent"):
        thread.join(PATIENCE_S)
    assert _link_threads("fwsm-link-silent") == []


def test_a_renewal_of_the_token_that_fails_is_a_loss(hub: Hub, states: States) -> None:
    """When the hub turns the SDK away in the middle of a renewal, the link connects with a new client."""
    link = new_link(hub, states, token_ttl_s=122)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    hub.faults.inject(Operation.CONNECT, Refuse(3)).wait_spent()  # the renewal comes within two seconds
    states.wait(lambda: states.connections() == 2)
    link.stop()


def test_an_error_in_the_callback_does_not_end_the_link(hub: Hub) -> None:
    """A callback of the embedder that fails is logged, and the link works."""

    def broken(connected: bool, error: FwsmError | None) -> None:
        raise ValueError(connected, error)

    connection = DeviceConnection.parse(hub.device("d1").connection_string)
    link = IoTHubLink(connection, clock=SystemClock(), ca_pem=hub.ca_pem, deadline_s=PATIENCE_S, on_state=broken)
    link.start(Twins())
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]
    link.stop()
