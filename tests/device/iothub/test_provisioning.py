"""What is remembered of the Device Provisioning Service, and what is made of its answers."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import Enrollment, SymmetricKey
from fwsm.core.proxy import Proxy
from fwsm.device.durable import Disk
from fwsm.device.iothub import IoTHubLink
from fwsm.device.iothub.client import Network
from fwsm.device.iothub.loop import LoopThread
from fwsm.device.iothub.provisioning import AssignedIdentity, AssignmentFile
from fwsm.errors import LinkAuthError, LinkError
from fwsm.testing.clock import FakeClock
from tests.device.iothub.certificates import make_certificate
from tests.device.iothub.proxies import HttpProxy
from tests.device.iothub.states import States
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fwsm.hub import Hub
    from fwsm.hub.provisioning import ProvisioningService

ENROLLMENT = Enrollment("0ne1", "r1", SymmetricKey("c2VjcmV0"), gateway_host="edge")
ASSIGNED = DeviceConnection("hub.example", "d1", ENROLLMENT.proof, "edge")


def test_an_answer_is_remembered_without_the_key(tmp_path: Path) -> None:
    """For the enrolment that it was given to, and for no other."""
    path = tmp_path / "made" / "assignment.json"
    AssignmentFile(path, Disk()).save(ENROLLMENT, ASSIGNED)
    assert AssignmentFile(path, Disk()).load(ENROLLMENT) == ASSIGNED
    assert AssignmentFile(path, Disk()).load(Enrollment("0ne1", "r2", ENROLLMENT.proof)) is None
    assert "c2VjcmV0" not in path.read_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": "a b", "deviceId": "d"}',
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": "hub", "deviceId": ""}',
        '{"idScope": "0ne1", "registrationId": "r1", "assignedHub": 7, "deviceId": "d"}',
    ],
)
def test_a_garbled_memory_is_none(tmp_path: Path, text: str) -> None:
    """The service is asked again."""
    path = tmp_path / "assignment.json"
    path.write_text(text)
    assert AssignmentFile(path, Disk()).load(ENROLLMENT) is None


def test_a_disk_that_keeps_nothing_is_no_failure(tmp_path: Path) -> None:
    """The device goes on with the answer, and asks again at its next start."""
    (tmp_path / "file").write_text("")
    AssignmentFile(tmp_path / "file" / "assignment.json", Disk()).save(ENROLLMENT, ASSIGNED)


async def _others_ended() -> None:
    """What was given up goes on in the loop until it has tidied up."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others)


def _timers() -> list[str]:
    """The SDK's timers that would keep the program from ending."""
    timers = [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)]
    for timer in timers:
        if timer.finished.is_set():
            timer.join(PATIENCE_S)
    names = [getattr(timer.function, "__name__", "") for timer in timers if timer.is_alive()]
    return [name for name in names if name in {"register_timeout", "query_timeout"}]


@pytest.fixture
def service(hub: Hub, loopback: Callable[[], str]) -> Iterator[ProvisioningService]:
    """A provisioning service in front of the hub."""
    with hub.provisioning(loopback()) as service:
        yield service


@pytest.fixture
def loop() -> Iterator[LoopThread]:
    """Where registrations run."""
    loop = LoopThread("test-provisioning")
    yield loop
    loop.stop(PATIENCE_S)


def _enrollment(service: ProvisioningService, key: str, name: str = "r1") -> Enrollment:
    return Enrollment(service.id_scope, name, SymmetricKey(key), service.address)


def _identity(hub: Hub, enrollment: Enrollment, clock: FakeClock, deadline_s: float = PATIENCE_S) -> AssignedIdentity:
    return AssignedIdentity(enrollment, Network(hub.ca_pem), clock=clock, deadline_s=deadline_s, file=None)


@pytest.mark.e2e
@pytest.mark.sdk
@pytest.mark.parametrize("proof", ["key", "certificate"])
def test_a_device_is_assigned_once_and_connects_by_that(
    hub: Hub, service: ProvisioningService, tmp_path: Path, proof: str
) -> None:
    """The first start asks the service; the second one does not need it."""
    if proof == "key":
        enrollment = _enrollment(service, service.enroll("r1", device_id="p1").primary_key)
    else:
        shown = make_certificate(tmp_path)
        service.enroll("r1", device_id="p1", thumbprint=shown.thumbprint)
        enrollment = Enrollment(service.id_scope, "r1", shown.certificate, service.address)
    _connects(hub, enrollment, tmp_path)
    service.stop()
    _connects(hub, enrollment, tmp_path)


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_proxy_leads_to_the_service_and_to_the_hub(hub: Hub, service: ProvisioningService, tmp_path: Path) -> None:
    """To both of them, in this order."""
    key = service.enroll("r1", device_id="p1").primary_key
    with HttpProxy(hub.address, login="me:se@cret") as proxy:
        _connects(hub, _enrollment(service, key), tmp_path, Proxy("http", hub.address, proxy.port, "me", "se@cret"))
    assert proxy.asked == [f"{service.address}:8883", f"{hub.address}:8883"]


def _connects(hub: Hub, enrollment: Enrollment, state_dir: Path, proxy: Proxy | None = None) -> None:
    states = States()
    file = state_dir / "assignment.json"
    link = IoTHubLink(
        enrollment, ca_pem=hub.ca_pem, assignment=file, on_state=states, proxy=proxy, deadline_s=PATIENCE_S
    )
    link.start(lambda _message: None)
    try:
        states.wait(lambda: states.connections() == 1)
        assert hub.connected("p1")
    finally:
        link.stop()
    assert [error for _, error in states.told if error] == []


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_device_that_was_moved_is_assigned_anew(hub: Hub, service: ProvisioningService, loop: LoopThread) -> None:
    """After five minutes of refusals the service is asked again; not before, and not for an outage."""
    clock = FakeClock()
    identity = _identity(hub, _enrollment(service, service.enroll("r1").primary_key), clock)
    assert identity.connection(loop).device_id == "r1"
    identity.noted(LinkAuthError("refused"))
    clock.advance(299.0)
    assert identity.connection(loop).device_id == "r1"
    assert service.registered() == ["r1"]
    service.enroll("r1", device_id="moved", primary_key=hub.device("r1").primary_key)
    clock.advance(1.0)
    assert identity.connection(loop).device_id == "moved"
    identity.noted(LinkError("away"))
    clock.advance(3600.0)
    identity.connection(loop)
    identity.noted(None)
    clock.advance(24 * 3600.0)
    identity.connection(loop)
    assert service.registered() == ["r1", "r1"]


@pytest.mark.e2e
@pytest.mark.sdk
def test_without_the_service_the_device_stays_where_it_was(
    hub: Hub, service: ProvisioningService, loop: LoopThread
) -> None:
    """It goes on with the hub that it knows."""
    clock = FakeClock()
    identity = _identity(hub, _enrollment(service, service.enroll("r1").primary_key), clock)
    assigned = identity.connection(loop)
    service.stop()
    identity.noted(LinkAuthError("refused"))
    clock.advance(300.0)
    assert identity.connection(loop) == assigned


@pytest.mark.e2e
@pytest.mark.sdk
def test_what_the_service_refuses_is_told(hub: Hub, service: ProvisioningService, loop: LoopThread) -> None:
    """A wrong key, and a service without a hub; a person has to act."""
    key = service.enroll("r1").primary_key
    strange = _identity(hub, _enrollment(service, key, "r2"), FakeClock())
    with pytest.raises(LinkAuthError, match="does not let the device 'r2' in: its key is wrong, the enrolment"):
        strange.connection(loop)
    service.let(linked=False)
    with pytest.raises(LinkAuthError, match="assigns no hub to this device"):
        _identity(hub, _enrollment(service, key), FakeClock()).connection(loop)


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_service_that_throttles_is_waited_for(hub: Hub, service: ProvisioningService, loop: LoopThread) -> None:
    """The SDK asks again when it was told to."""
    service.let(throttled=1)
    identity = _identity(hub, _enrollment(service, service.enroll("r1").primary_key), FakeClock())
    assert identity.connection(loop).device_id == "r1"


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_service_that_is_silent_is_given_up(hub: Hub, service: ProvisioningService, loop: LoopThread) -> None:
    """At the deadline, without a timer of the SDK that would keep the program; and at once when the link stops."""
    service.let(withheld=2)
    enrollment = _enrollment(service, service.enroll("r1").primary_key)
    with pytest.raises(LinkError, match=r"could not register this device: .* did not answer within 2 s"):
        _identity(hub, enrollment, FakeClock(), deadline_s=2.0).connection(loop)
    identity = _identity(hub, enrollment, FakeClock())
    stopping = threading.Timer(1.0, identity.abandon)
    stopping.start()
    with pytest.raises(LinkError, match="the link was stopped"):
        identity.connection(loop)
    with pytest.raises(LinkError, match="the link was stopped"):
        identity.connection(loop)
    loop.submit(_others_ended()).result(PATIENCE_S)
    assert _timers() == []


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_service_that_is_not_there_is_told(hub: Hub, loopback: Callable[[], str], loop: LoopThread) -> None:
    """By its name, with the reason."""
    address = loopback()
    nowhere = Enrollment("0ne1", "r1", SymmetricKey("a2V5"), address)
    with pytest.raises(LinkError, match=f"the provisioning service {address} cannot be reached: Connection refused"):
        _identity(hub, nowhere, FakeClock()).connection(loop)
