"""What the SDK does when something fails, and that the link makes the best of it.

docs/reference/sdk.md lists the cases, each with its test; those that are not here are in the tests of the module that
deals with them.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import ssl
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from azure.iot.device import IoTHubDeviceClient

from fwsm.core.connection_string import DeviceConnection
from fwsm.device.iothub import IoTHubLink
from fwsm.device.iothub.translation import translated
from fwsm.device.ports import MethodCall
from fwsm.errors import (
    ConfigError,
    DeviceTimeoutError,
    LinkAuthError,
    LinkError,
    LinkLostError,
    LinkTakenError,
)
from fwsm.hub import CutBeforeAck, CutInside, Hub, Lose, Operation, Refuse, WithholdAck, WithholdAnswer
from tests.device.iothub.bench import DEADLINE_S, Twins, new_link, report_in_time
from tests.device.iothub.certificates import make_server_certificate
from tests.device.iothub.states import States
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.device.ports import Message
    from fwsm.hub import Effect

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]


@contextlib.contextmanager
def _tls_server(address: str, file: Path) -> Iterator[None]:
    """A server at the port of a hub that shows the certificate in `file` and says nothing more."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def serve() -> None:
        with contextlib.suppress(OSError):  # the door was closed
            while True:
                peer, _ = door.accept()
                with peer, contextlib.suppress(OSError), context.wrap_socket(peer, server_side=True) as shown:
                    shown.recv(1)

    with socket.create_server((address, 8883)) as door:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            door.shutdown(socket.SHUT_RDWR)
            thread.join(PATIENCE_S)


# -- connecting --------------------------------------------------------------------------------------------------------


def test_a_hub_that_comes_up_after_the_device_is_found(address: str, states: States) -> None:
    """The SDK never tries a first connect again; the link does."""
    with Hub(address) as hub:
        hub.add_device("d1")
        link = new_link(hub, states)
        hub.pause()
        link.start(Twins())
        states.wait(lambda: len(states.told) >= 3)
        assert states.connections() == 0
        hub.resume()
        states.wait(lambda: states.connections() == 1)
        link.stop()


def test_a_name_that_does_not_resolve_is_told(hub: Hub, states: States) -> None:
    """With the system's reason, and tried again."""
    text = hub.device("d1").connection_string.replace(hub.address, "no-such-hub.invalid")
    link = new_link(hub, states, text)
    link.start(Twins())
    error = states.wait_error()
    assert type(error) is LinkError
    assert error.what == "the hub no-such-hub.invalid cannot be reached"
    assert error.why
    states.wait(lambda: len(states.told) >= 2)
    link.stop()


def test_an_acknowledgement_of_the_connect_that_never_comes_ends_at_the_deadline(hub: Hub, states: States) -> None:
    """The SDK would wait for a minute."""
    hub.faults.inject(Operation.CONNECT, WithholdAnswer())
    link = new_link(hub, states, deadline_s=DEADLINE_S)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    link.stop()
    missed = f"could not connect: the hub {hub.address} did not answer within 1 s"
    assert any(str(error).startswith(missed) for _, error in states.told)


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (Refuse(2), LinkError),
        (Refuse(3), LinkError),
        (Refuse(4), LinkAuthError),
        (Refuse(5), LinkAuthError),
        (CutBeforeAck(), LinkError),
        (CutInside(), LinkError),
    ],
    ids=str,
)
def test_whatever_the_first_connect_meets_the_next_one_follows(
    hub: Hub, states: States, effect: Effect, kind: type[LinkError]
) -> None:
    """A refusal of any kind, or a connection that is cut in the handshake, is told and is not the end."""
    hub.faults.inject(Operation.CONNECT, effect)
    link = new_link(hub, states)
    link.start(Twins())
    error = states.wait_error()
    assert isinstance(error, kind)
    assert isinstance(error, LinkAuthError) is (kind is LinkAuthError)
    states.wait(lambda: states.connections() == 1)
    assert link.last_error is None
    link.stop()


@pytest.mark.parametrize("effect", [WithholdAck(), CutBeforeAck()], ids=str)
def test_a_subscription_that_is_not_acknowledged_is_made_by_the_next_client(
    hub: Hub, states: States, effect: Effect
) -> None:
    """The SDK would make it again every 20 s, for ever, and hold up everything meanwhile."""
    hub.faults.inject(Operation.SUBSCRIBE, effect)
    link = new_link(hub, states, deadline_s=DEADLINE_S)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    assert hub.call_method("d1", "ping", response_timeout_s=PATIENCE_S).status == 200
    link.stop()
    errors = [error for _, error in states.told if error is not None]
    assert any(isinstance(each, LinkLostError) or "could not listen to direct methods" in each.what for each in errors)


@pytest.mark.parametrize(("first_day", "why"), [(1, "certificate is not yet valid"), (-2, "certificate has expired")])
def test_a_certificate_out_of_its_time_asks_for_the_clock(
    hub: Hub, states: States, tmp_path: Path, loopback: Callable[[], str], *, first_day: int, why: str
) -> None:
    """A machine that comes up with the time of 2020 sees each certificate so; the SDK calls it a ClientError."""
    begins = datetime.now(UTC) + timedelta(days=first_day)
    elsewhere = loopback()
    file = make_server_certificate(tmp_path, elsewhere, begins, begins + timedelta(days=1))
    text = hub.device("d1").connection_string.replace(hub.address, elsewhere)
    with _tls_server(elsewhere, file):
        link = IoTHubLink(text, ca_pem=file.read_text(), deadline_s=PATIENCE_S, on_state=states)
        link.start(Twins())
        error = states.wait_error()
        link.stop()
    assert isinstance(error, LinkAuthError)
    assert error.why == why
    assert "check the clock of this machine" in error.fix


def test_a_token_that_ends_under_a_connection_is_made_anew(hub: Hub, link: IoTHubLink, states: States) -> None:
    """The hub closes the connection without a word; the next client makes a token of the present time."""
    assert link.connected
    hub.expire_token("d1")
    states.wait(lambda: states.connections() == 2)


@pytest.mark.parametrize("ttl_s", [0, 60, 120])
def test_a_token_so_short_that_it_is_always_renewed_is_refused(hub: Hub, states: States, ttl_s: int) -> None:
    """The SDK would connect some hundred times a second."""
    with pytest.raises(ConfigError, match=f"cannot be valid for {ttl_s} s"):
        new_link(hub, states, token_ttl_s=ttl_s)


# -- the one place of a device -----------------------------------------------------------------------------------------

# A connection counts as lost before long when it has lasted less than two of the longest pauses.
_LONG_PAUSE_S = 2.0


def test_two_programs_that_push_each_other_out_are_told_apart_from_a_bad_network(hub: Hub, states: States) -> None:
    """The other one is on another machine, so no lock finds it. The link says what to look for, and heals by itself."""
    text = hub.device("d1").connection_string
    link = new_link(hub, states, backoff_cap_s=_LONG_PAUSE_S)
    twins = Twins()
    link.start(twins)
    states.wait(lambda: states.connections() == 1)
    other = IoTHubDeviceClient.create_from_connection_string(
        text, server_verification_cert=hub.ca_pem, connection_retry_interval=1
    )
    other.connect()
    try:
        states.wait(lambda: any(isinstance(error, LinkTakenError) for _, error in states.told))
    finally:
        other.shutdown()
    error = next(error for _, error in states.told if isinstance(error, LinkTakenError))
    assert str(error).startswith(f"another program seems to be the device 'd1' of {hub.address}: 3 times in a row")
    assert "the same credentials" in error.fix
    assert twins.troubles[0] is error
    assert isinstance(states.told[0][1] or states.told[1][1], LinkLostError)
    states.wait(lambda: states.told[-1][0])
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]
    link.stop()


def test_two_of_these_links_that_push_each_other_out_both_say_so(hub: Hub, states: States) -> None:
    """They know the hub by two names, so neither sees the other's lock. Once one has ended, the other stays."""
    key = hub.device("d1").primary_key
    text = f"HostName=fwsm-test.azure-devices.net;DeviceId=d1;SharedAccessKey={key};GatewayHostName={hub.address}"
    link = new_link(hub, states, backoff_cap_s=_LONG_PAUSE_S)
    link.start(Twins())
    states.wait(lambda: states.connections() == 1)
    states_of_other = States()
    other = new_link(hub, states_of_other, text, backoff_cap_s=_LONG_PAUSE_S)
    other.start(Twins())
    for each in (states, states_of_other):
        each.wait(lambda each=each: any(isinstance(error, LinkTakenError) for _, error in each.told))  # type: ignore[misc]
    other.stop()
    states.wait(lambda: states.told[-1][0])
    link.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]
    link.stop()


# -- calls that hang ---------------------------------------------------------------------------------------------------


def test_a_hub_that_is_silent_for_long_is_asked_for_ever(hub: Hub, hasty_link: IoTHubLink, states: States) -> None:
    """A spent quota looks so. Each report ends at its deadline, each time with a new client; then all is well."""
    fault = hub.faults.inject(Operation.REPORTED_PATCH, WithholdAnswer(), times=2)
    while fault.times_left:
        with pytest.raises(LinkError, match="did not answer within 1 s"):
            hasty_link.report({"a": 1})
    states.wait(lambda: states.connections() >= 3)
    report_in_time(hasty_link, {"a": 2})
    assert hub.reports("d1")[-1] == {"a": 2}


def test_an_answer_to_a_method_that_is_never_acknowledged_ends_the_client(
    hub: Hub, hasty_link: IoTHubLink, states: States
) -> None:
    """The SDK would wait for the acknowledgement for ever; the caller has its answer, and the next call works."""
    assert hasty_link.connected
    hub.faults.inject(Operation.METHOD_ANSWER, WithholdAck())
    assert hub.call_method("d1", "ping").status == 200
    states.wait(lambda: states.connections() >= 2)
    assert any(error is not None and "answer the method 'ping'" in error.what for _, error in states.told)
    assert hub.call_method("d1", "ping", connect_timeout_s=PATIENCE_S).status == 200


def test_a_connection_cut_inside_an_answer_costs_nothing(
    hub: Hub, link: IoTHubLink, states: States, twins: Twins
) -> None:
    """Half a packet is no answer, to a report or to a reading of the twin; the next connection has the whole."""
    hub.faults.inject(Operation.REPORTED_PATCH, CutInside())
    link.report({"a": 1})
    assert hub.twin("d1")["properties"]["reported"]["a"] == 1
    assert states.connections() == 2
    fault = hub.faults.inject(Operation.TWIN_READ, CutInside())
    hub.update_twin("d1", desired={"b": 1})
    fault.wait_spent()
    twins.wait(lambda: twins.read[-1].desired.get("b") == 1)
    assert states.connections() == 3


# -- methods and changes -----------------------------------------------------------------------------------------------


def test_a_method_under_way_across_a_cut_harms_nobody(hub: Hub, states: States) -> None:
    """Its caller has a timeout; the late answer is dropped, and the next call is answered."""
    calls: queue.SimpleQueue[MethodCall] = queue.SimpleQueue()

    def deliver(message: Message) -> None:
        if isinstance(message, MethodCall):
            calls.put(message)

    link = new_link(hub, states)
    link.start(deliver)
    states.wait(lambda: states.connections() == 1)
    failed: list[Exception] = []

    def ask() -> None:
        try:
            hub.call_method("d1", "first", response_timeout_s=1.0)
        except Exception as error:  # noqa: BLE001 - looked at below
            failed.append(error)

    caller = threading.Thread(target=ask)
    caller.start()
    first = calls.get(timeout=PATIENCE_S)
    hub.disconnect("d1")
    states.wait(lambda: states.connections() == 2)
    first.respond(200, {"too": "late"})
    caller.join(PATIENCE_S)
    assert [type(error) for error in failed] == [DeviceTimeoutError]
    second = threading.Thread(target=lambda: hub.call_method("d1", "second", response_timeout_s=PATIENCE_S))
    second.start()
    calls.get(timeout=PATIENCE_S).respond(200, {})
    second.join(PATIENCE_S)
    assert not second.is_alive()
    link.stop()


def test_a_hub_that_has_forgotten_the_subscriptions_is_told_them_again(
    hub: Hub, link: IoTHubLink, states: States, twins: Twins
) -> None:
    """The SDK relies on the hub's memory when it comes back, and would be deaf; each new client subscribes."""
    assert link.connected
    key = hub.device("d1").primary_key
    hub.remove_device("d1")
    hub.add_device("d1", primary_key=key)
    states.wait(lambda: states.connections() == 2)
    assert hub.call_method("d1", "ping").status == 200
    hub.update_twin("d1", desired={"x": 1})
    twins.wait(lambda: twins.read[-1].desired.get("x") == 1)


def test_a_change_whose_hint_is_lost_is_found_all_the_same(hub: Hub, states: States) -> None:
    """Hints come unacknowledged, so the twin is also read now and then."""
    twins = Twins()
    link = new_link(hub, states, twin_every_s=0.4)
    link.start(twins)
    states.wait(lambda: states.connections() == 1)
    hub.faults.inject(Operation.DESIRED_CHANGE, Lose())
    hub.update_twin("d1", desired={"x": 1})
    twins.wait(lambda: twins.read[-1].desired.get("x") == 1)
    assert states.connections() == 1
    link.stop()


# -- what leaks --------------------------------------------------------------------------------------------------------


def test_exceptions_that_leak_out_of_the_sdk_are_told_in_our_words(hub: Hub) -> None:
    """Its synchronous client, when it listens without a connection, raises what is in no public module."""
    text = hub.device("d1").connection_string
    client = IoTHubDeviceClient.create_from_connection_string(
        text, server_verification_cert=hub.ca_pem, auto_connect=False, connection_retry=False
    )
    leaked: Exception | None = None
    try:
        client.on_method_request_received = print
    except Exception as error:  # noqa: BLE001 - which class it is, is the question
        leaked = error
    client.shutdown()
    assert leaked is not None
    assert type(leaked).__module__.startswith("azure.iot.device.common.")
    assert isinstance(translated(leaked, "listen", DeviceConnection.parse(text)), LinkLostError)


def test_a_program_that_stopped_its_link_ends_at_once(hub: Hub) -> None:
    """With the hub away the SDK alone would keep the process for some ten seconds."""
    program = (
        "import sys, threading\n"
        "from fwsm.device.iothub import IoTHubLink\n"
        "failed = threading.Event()\n"
        "link = IoTHubLink(sys.argv[1], ca_pem=sys.stdin.read(), on_state=lambda up, error: error and failed.set())\n"
        "link.start(lambda message: None); failed.wait(30); link.stop(); print('stopped', flush=True)\n"
    )
    text = hub.device("d1").connection_string
    hub.pause()
    command = [sys.executable, "-c", program, text]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(hub.ca_pem)
        process.stdin.close()
        assert process.stdout.readline() == "stopped\n"
        stopped_s = time.monotonic()
        assert process.wait(PATIENCE_S) == 0
        assert time.monotonic() - stopped_s < 8
