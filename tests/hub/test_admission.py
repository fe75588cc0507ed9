"""CONNECT: who is let in, and with which code the others are not."""

from __future__ import annotations

import math
import time

import pytest

from fwsm.hub.admission import NotAdmittedError, admit
from fwsm.hub.engine import Engine
from fwsm.hub.packets import Connect, Will
from fwsm.hub.sas import new_key, sign
from fwsm.hub.shown import NOTHING_SHOWN, ShownCertificate
from fwsm.hub.state import EphemeralState
from tests.hub.pki import Pki

NOW = 1_000_000.0
SOON = 1_000_060


@pytest.fixture
def engine() -> Engine:
    """Return a hub without doors that knows d1, at a fixed time."""
    engine = Engine(EphemeralState(), lambda: NOW, lambda: 0.0)
    engine.registry.create("d1", {})
    return engine


def _connect(token: str, device_id: str = "d1", user_name: str | None = None) -> Connect:
    name = f"hub/{device_id}/?api-version=2019-10-01" if user_name is None else user_name
    return Connect(device_id, user_name=name, password=token.encode())


def _code(engine: Engine, packet: Connect) -> int:
    with pytest.raises(NotAdmittedError) as caught:
        admit(engine, packet)
    return caught.value.code


@pytest.mark.parametrize("slot", [0, 1])
@pytest.mark.parametrize("host", ["hub", "localhost:18883", "my.azure-devices.net"])
def test_device_is_let_in_with_either_key(engine: Engine, slot: int, host: str) -> None:
    """Both keys work, under whatever name the client knows this hub; the expiry of the token comes back."""
    key = engine.registry.get("d1").keys[slot]
    assert admit(engine, _connect(sign(f"{host}/devices/d1", key, SOON))).expires_at == SOON


@pytest.mark.parametrize("resource", ["hub", "hub/devices", "hub/devices/d1"])
@pytest.mark.parametrize("policy", ["device", "iothubowner"])
def test_policy_with_the_right_lets_devices_in(engine: Engine, policy: str, resource: str) -> None:
    """A gateway may hold a policy's key instead of those of its devices."""
    token = sign(resource, engine.policies.keys[policy], SOON, policy)
    assert admit(engine, _connect(token)).expires_at == SOON


@pytest.mark.parametrize(
    "user_name",
    [
        "hub/d1/?api-version=2021-04-12&DeviceClientType=py%20x",
        "hub/d1/?model-id=dtmi%3Ax&api-version=2020-09-30",
        "hub/d1/api-version=2016-11-14",
        "localhost:18883/d1/?api-version=anything",
    ],
)
def test_user_names_of_all_sdks_are_understood(engine: Engine, user_name: str) -> None:
    """Any version will do, and other fields may stand around it."""
    token = sign("hub/devices/d1", engine.registry.get("d1").primary_key, SOON)
    assert admit(engine, _connect(token, user_name=user_name)).expires_at == SOON


@pytest.mark.parametrize(
    "user_name", ["", "d1", "hub/d1", "hub/d1/", "hub/d1/?x=1", "/d1/?api-version=1", "hub//?api-version=1"]
)
def test_malformed_user_name_gets_4(engine: Engine, user_name: str) -> None:
    """The form is checked before anything else."""
    assert _code(engine, _connect("", user_name=user_name)) == 4


def test_module_is_let_in_with_its_own_key(engine: Engine) -> None:
    """Its client id and its resource name device and module; the device's key opens nothing here."""
    module = engine.registry.create("d1/m1", {})
    device_key = engine.registry.get("d1").primary_key
    good = sign("hub/devices/d1/modules/m1", module.primary_key, SOON)
    assert admit(engine, _connect(good, "d1/m1")).expires_at == SOON
    assert admit(engine, _connect(good, "d1/m1", "hub/d1/m1/?api-version=1&DeviceClientType=a/b")).expires_at == SOON
    attempts = [
        _connect(sign("hub/devices/d1/modules/m1", device_key, SOON), "d1/m1"),
        _connect(sign("hub/devices/d1", device_key, SOON), "d1/m1"),
        _connect(sign("hub/devices/d1/modules/m1", module.primary_key, SOON), "d1"),
        _connect(good, "d1/m1", "hub/d1/?api-version=1"),
        _connect(good, "d1/m2"),
    ]
    assert [_code(engine, packet) for packet in attempts] == [5] * len(attempts)


def test_missing_client_id_gets_4(engine: Engine) -> None:
    """The client id is the device id and cannot be left to the server."""
    assert _code(engine, _connect("", "", user_name="hub/d1/?api-version=1")) == 4


def test_what_proves_nothing_gets_5(engine: Engine) -> None:
    """Unknown devices, wrong keys, other devices' tokens, too wide, too weak, expired or no tokens are all refused."""
    engine.registry.create("d2", {})
    engine.registry.create("off", {"status": "disabled"})
    key = engine.registry.get("d1").primary_key
    attempts = [
        _connect(sign("hub/devices/nobody", key, SOON), "nobody"),
        _connect(sign("hub/devices/off", engine.registry.get("off").primary_key, SOON), "off"),
        _connect(sign("hub/devices/d1", new_key(), SOON)),
        _connect(sign("hub/devices/d2", engine.registry.get("d2").primary_key, SOON)),
        _connect(sign("hub/devices/d2", key, SOON)),
        _connect(sign("hub", key, SOON)),
        _connect(sign("hub/devices/d1", key, int(NOW))),
        _connect(sign("hub", engine.policies.keys["service"], SOON, "service")),
        _connect(sign("hub/devices/d1", key, SOON), user_name="hub/d2/?api-version=1"),
        _connect(""),
        Connect("d1", user_name="hub/d1/?api-version=1"),
        Connect("d1", user_name="hub/d1/?api-version=1", password=b"\xff"),
    ]
    assert [_code(engine, packet) for packet in attempts] == [5] * len(attempts)


THUMBPRINT = "AB" * 20


def _shown(*thumbprints: str) -> ShownCertificate:
    return ShownCertificate((Pki().device("x1"),), frozenset(thumbprints))


@pytest.fixture
def certified(engine: Engine) -> Engine:
    """Return the hub with x1, which uses a certificate."""
    pair = {"primaryThumbprint": THUMBPRINT, "secondaryThumbprint": "CD" * 32}
    engine.registry.create("x1", {"authentication": {"type": "selfSigned", "x509Thumbprint": pair}})
    return engine


@pytest.mark.parametrize("thumbprint", [THUMBPRINT, "CD" * 32])
def test_certificate_lets_its_device_in_for_good(certified: Engine, thumbprint: str) -> None:
    """Either thumbprint will do; nothing expires."""
    packet = Connect("x1", user_name="hub/x1/?api-version=1")
    admission = admit(certified, packet, _shown(thumbprint, "EF" * 20))
    assert (admission.expires_at, admission.sender.kind, admission.sender.scope) == (math.inf, "x509", "device")


def test_certificate_of_another_gets_5(certified: Engine) -> None:
    """Another certificate, none, or a good one at a device that uses keys."""
    packet = Connect("x1", user_name="hub/x1/?api-version=1")
    attempts = [(packet, _shown("EF" * 20)), (packet, NOTHING_SHOWN)]
    attempts.append((Connect("d1", user_name="hub/d1/?api-version=1"), _shown(THUMBPRINT)))
    for attempt, shown in attempts:
        with pytest.raises(NotAdmittedError, match="certificate") as caught:
            admit(certified, attempt, shown)
        assert caught.value.code == 5


def test_authority_lets_in_whom_it_has_signed_for() -> None:
    """By name: its certificate is for one device, and for none that proves itself in another way."""
    pki = Pki()
    engine = Engine(EphemeralState(), time.time, lambda: 0.0)
    engine.authorities.put("factory", pki.pem, verified=True)
    for device_id, kind in (("x1", "certificateAuthority"), ("x2", "certificateAuthority"), ("d1", "sas")):
        engine.registry.create(device_id, {"authentication": {"type": kind}})
    packet = Connect("x1", user_name="hub/x1/?api-version=1")
    admission = admit(engine, packet, ShownCertificate.of(pki.device("x1")))
    assert (admission.expires_at, admission.sender.kind) == (math.inf, "x509")
    others = [
        (packet, ShownCertificate.of(pki.device("x2"))),
        (packet, ShownCertificate.of(Pki().device("x1"))),
        (packet, NOTHING_SHOWN),
        (Connect("d1", user_name="hub/d1/?api-version=1"), ShownCertificate.of(pki.device("d1"))),
    ]
    for attempt, shown in others:
        with pytest.raises(NotAdmittedError, match="certificate") as caught:
            admit(engine, attempt, shown)
        assert caught.value.code == 5


def test_policy_lets_a_device_with_a_certificate_in(certified: Engine) -> None:
    """A gateway's token counts also for a device that has no keys."""
    token = sign("hub", certified.policies.keys["device"], SOON, "device")
    admission = admit(certified, _connect(token, "x1"))
    assert (admission.sender.kind, admission.sender.scope) == ("sas", "hub")


def test_model_of_the_user_name_is_noted(engine: Engine) -> None:
    """A Plug and Play device names its model when it connects."""
    token = sign("hub/devices/d1", engine.registry.get("d1").primary_key, SOON)
    name = "hub/d1/?api-version=2020-09-30&model-id=dtmi%3Acontoso%3Athermostat%3B1"
    assert admit(engine, _connect(token, user_name=name)).sender.model_id == "dtmi:contoso:thermostat;1"


@pytest.mark.parametrize(
    "will", [Will("devices/d2/messages/events/", b""), Will("x", b""), Will("devices/d1/messages/events/", b"", 2)]
)
def test_will_that_is_no_telemetry_gets_2(engine: Engine, will: Will) -> None:
    """A will is a message of the device's own, or the device stays outside."""
    key = engine.registry.get("d1").primary_key
    packet = Connect("d1", user_name="hub/d1/?api-version=1", password=sign("hub", key, SOON).encode(), will=will)
    assert _code(engine, packet) == 2


def test_too_many_connections_get_3(engine: Engine) -> None:
    """An S1 unit takes a hundred in a second."""
    engine.throttles.set(1)
    packet = _connect(sign("hub/devices/d1", engine.registry.get("d1").primary_key, SOON))
    for _ in range(100):
        admit(engine, packet)
    assert _code(engine, packet) == 3
