"""One client's life, against the embedded hub; what the link makes of it is tried in test_link."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.device.iothub.client import Network
from fwsm.device.iothub.loop import LoopThread
from fwsm.device.iothub.session import Session, Settings
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import LinkError, ReportRefusedError
from fwsm.hub.events import Connected, Event
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.device.ports import Message
    from fwsm.hub import Hub

pytestmark = [pytest.mark.e2e, pytest.mark.sdk]

_GRACE_S = 0.2


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """A loop for sessions."""
    loop = LoopThread("test-session")
    yield loop
    loop.stop(PATIENCE_S)


@pytest.fixture
def calls() -> queue.SimpleQueue[MethodCall]:
    """The method calls that arrive."""
    return queue.SimpleQueue()


def _session(
    hub: Hub,
    loop: LoopThread,
    calls: queue.SimpleQueue[MethodCall],
    token_ttl_s: int = 3600,
    grace_s: float = _GRACE_S,
) -> Session:
    def deliver(message: Message) -> None:
        if isinstance(message, MethodCall):
            calls.put(message)

    return _session_for(hub, loop, deliver, token_ttl_s, grace_s)


def _session_for(
    hub: Hub,
    loop: LoopThread,
    deliver: Callable[[Message], None],
    token_ttl_s: int = 3600,
    grace_s: float = _GRACE_S,
) -> Session:
    connection = DeviceConnection.parse(hub.device("d1").connection_string)
    network = Network(hub.ca_pem, token_ttl_s=token_ttl_s)
    settings = Settings(network, deadline_s=PATIENCE_S, renewal_grace_s=grace_s)
    return Session(loop, connection, settings, deliver)


@pytest.fixture
def session(hub: Hub, loop: LoopThread, calls: queue.SimpleQueue[MethodCall]) -> Iterator[Session]:
    """An open session."""
    session = _session(hub, loop, calls)
    session.open()
    session.listen()
    yield session
    session.close(PATIENCE_S)


def test_a_report_that_is_not_json_is_refused(hub: Hub, session: Session) -> None:
    """What cannot be sent at all would be refused again and again, so it is told apart from a lost connection."""
    with pytest.raises(ReportRefusedError, match="not JSON serializable"):
        session.report({"a": object()})
    session.report({"a": 1})
    assert hub.reports("d1") == [{"a": 1}]


def test_no_report_overtakes_a_twin_that_is_being_read(hub: Hub, loop: LoopThread) -> None:
    """Whoever compares the twin with what was reported would miss one that came between its reading and its arrival."""
    told: list[str] = []
    senders: list[threading.Thread] = []

    def send() -> None:
        reading.report({"a": 1})
        told.append("reported")

    def deliver(message: Message) -> None:
        assert isinstance(message, Twin)
        senders.append(threading.Thread(target=send))
        senders[0].start()
        senders[0].join(0.5)  # for ever, as it waits for this to return
        told.append(f"read {message.reported.get('a')}")

    reading = _session_for(hub, loop, deliver)
    reading.open()
    reading.read_twin()
    senders[0].join(PATIENCE_S)
    assert told == ["read None", "reported"]
    reading.close(PATIENCE_S)


def test_the_first_error_of_a_session_stays(session: Session) -> None:
    """Whatever follows, a session tells why it ended, and every later call raises that."""
    session.abandon(LinkError("first"))
    session.abandon(LinkError("second"))
    assert session.ended.is_set()
    assert str(session.error) == "first"
    with pytest.raises(LinkError, match="first"):
        session.report({"a": 1})


def test_a_lost_connection_ends_the_session(hub: Hub, session: Session) -> None:
    """The SDK does not come back by itself: a session whose connection was cut is over at once."""
    hub.disconnect("d1")
    assert session.ended.wait(PATIENCE_S)
    assert str(session.error) == f"the connection to the hub {hub.address} was lost"
    assert not hub.connected("d1")


def test_a_client_that_went_away_without_a_word_ends_the_session(loop: LoopThread, session: Session) -> None:
    """A client that is disconnected, has told no error and is not back after the grace period is given up."""
    loop.submit(session._client.disconnect()).result(PATIENCE_S)
    assert session.ended.wait(PATIENCE_S)
    assert "was lost" in str(session.error)


def _outlasts_a_renewal(session: Session, hub: Hub, grace_s: float) -> bool:
    session.open()
    renewed = threading.Event()

    def watch(event: Event) -> None:
        if isinstance(event, Connected):
            renewed.set()

    hub._live.engine.events.subscribe(watch)
    assert renewed.wait(PATIENCE_S)
    return not session.ended.wait(2 * grace_s)


def test_the_renewal_of_a_token_is_no_loss(hub: Hub, loop: LoopThread, calls: queue.SimpleQueue[MethodCall]) -> None:
    """The SDK renews its token by connecting anew; the session outlasts that and its grace period."""
    for grace_s in (_GRACE_S, 2.0, 20.0):  # a slow machine needs longer for the handshake
        session = _session(hub, loop, calls, token_ttl_s=122, grace_s=grace_s)  # renewed two seconds from now
        if _outlasts_a_renewal(session, hub, grace_s):
            break
        session.close(PATIENCE_S)
    session.report({"a": 1})
    session.close(PATIENCE_S)


def test_an_answer_for_a_connection_that_has_gone_is_dropped(hub: Hub, calls: queue.SimpleQueue[MethodCall]) -> None:
    """An answer that comes late, even after the loop's end, does no harm."""
    loop = LoopThread("test-late-answer")
    session = _session(hub, loop, calls)
    session.open()
    session.listen()
    caller = threading.Thread(target=_call_in_vain, args=(hub,))
    caller.start()
    call = calls.get(timeout=PATIENCE_S)
    session.close(PATIENCE_S)
    call.respond(200, {"too": "late"})
    loop.stop(PATIENCE_S)
    call.respond(200, {"too": "late"})
    caller.join(PATIENCE_S)
    assert not caller.is_alive()


def test_an_answer_that_is_not_json_does_not_raise(
    hub: Hub, session: Session, calls: queue.SimpleQueue[MethodCall]
) -> None:
    """An answer that cannot be sent leaves the caller to its timeout and the session alive."""
    caller = threading.Thread(target=_call_in_vain, args=(hub,))
    caller.start()
    calls.get(timeout=PATIENCE_S).respond(200, {"an": object()})
    caller.join(PATIENCE_S)
    session.report({"a": 1})


def test_closing_what_was_never_opened_does_nothing(
    hub: Hub, loop: LoopThread, calls: queue.SimpleQueue[MethodCall]
) -> None:
    """A session can be closed whatever became of it."""
    session = _session(hub, loop, calls)
    session.close(PATIENCE_S)
    assert session.ended.is_set()


def _call_in_vain(hub: Hub) -> None:
    with pytest.raises(Exception, match="d1"):
        hub.call_method("d1", "ping", response_timeout_s=0.5)
