"""Connection strings, whole and with every part missing, empty, doubled or garbled."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.connection_string import DeviceConnection, ServiceConnection
from fwsm.core.credentials import Certificate, SharedAccessSignature, SymmetricKey
from fwsm.errors import ConnectionStringError, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = base64.b64encode(bytes(range(7, 39))).decode()
DEVICE = f"HostName=hub.example;DeviceId=pump-7;SharedAccessKey={KEY}"
SERVICE = f"HostName=hub.example;SharedAccessKeyName=service;SharedAccessKey={KEY}"
DEVICE_FORM = "A device's connection string reads HostName=…;DeviceId=…;SharedAccessKey=…"
PARSERS: dict[str, Callable[[str], DeviceConnection | ServiceConnection]] = {
    DEVICE: DeviceConnection.parse,
    SERVICE: ServiceConnection.parse,
}
PARTS = [(whole, piece) for whole in PARSERS for piece in whole.split(";")]


def _shows_key(text: str) -> bool:
    return any(KEY[start : start + 6] in text for start in range(len(KEY) - 5))


def _refusal(whole: str, text: str) -> str:
    """What is said of a garbled form of `whole`."""
    with pytest.raises(ConnectionStringError) as caught:
        PARSERS[whole](text)
    error: BaseException | None = caught.value
    assert caught.value.fix
    assert caught.value.kind is Kind.NEEDS_OPERATOR
    while error is not None:
        assert not _shows_key(f"{error} {error!r}")
        error = error.__cause__
    return str(caught.value)


def test_device_connection_has_its_parts() -> None:
    """Hub, device and key; a gateway if there is one."""
    assert DeviceConnection.parse(DEVICE) == DeviceConnection("hub.example", "pump-7", SymmetricKey(KEY))
    assert DeviceConnection.parse(f"{DEVICE};GatewayHostName=edge.example").gateway_host == "edge.example"


def _token(host: str = "hub.example", device_id: str = "pump-7") -> str:
    return f"SharedAccessSignature sr={host}%2Fdevices%2F{device_id}&sig={KEY.replace('=', '%3D')}&se=1900000000"


def test_a_token_or_a_certificate_may_stand_for_the_key() -> None:
    """Names are compared as host names are."""
    place = "HostName=HUB.example;DeviceId=pump-7"
    token = DeviceConnection.parse(f"{place};SharedAccessSignature={_token()}").proof
    assert token == SharedAccessSignature(_token(), "hub.example", "pump-7", 1900000000)
    certificate = Certificate("cert.pem", "key.pem")
    assert DeviceConnection.parse(f"{place};x509=true", certificate).proof is certificate
    assert DeviceConnection.parse(f"{place};x509=false;SharedAccessKey={KEY}").proof == SymmetricKey(KEY)


@pytest.mark.parametrize(
    ("tail", "told"),
    [
        (
            f"SharedAccessKey={KEY};x509=true",
            (
                "the device's connection string has SharedAccessKey and x509: a device proves who it is in one way. "
                "Leave one of them out"
            ),
        ),
        (
            f"SharedAccessKey={KEY};SharedAccessSignature={_token()}",
            (
                "the device's connection string has SharedAccessKey and SharedAccessSignature: "
                "a device proves who it is in one way. Leave one of them out"
            ),
        ),
        (
            "x509=true",
            (
                "the connection string says x509=true, but there is no certificate. "
                "Set x509_cert_file and x509_key_file to the PEM files of certificate and key"
            ),
        ),
        ("x509=yes", "x509 is neither true nor false. Write x509=true, or leave it out"),
        (
            f"SharedAccessKey={KEY};ModuleId=m",
            (
                "the device's connection string names a ModuleId: "
                "firmware is the affair of the device, not of one of its modules. "
                "Use the connection string of the device"
            ),
        ),
        (f"SharedAccessKey={KEY};GatewayHostName=edge:1", f"GatewayHostName is not the name of a host. {DEVICE_FORM}"),
        (
            f"SharedAccessSignature={_token(device_id='pump-8')}",
            (
                "the shared access signature is for another hub or device than HostName and DeviceId: "
                "it is for the device 'pump-8' of hub.example. Make one for this device"
            ),
        ),
        (
            f"SharedAccessSignature={_token('other.example')}",
            (
                "the shared access signature is for another hub or device than HostName and DeviceId: "
                "it is for the device 'pump-7' of other.example. Make one for this device"
            ),
        ),
        (
            f"SharedAccessSignature={KEY}",
            (
                "this is not a shared access signature. "
                "A device's token reads SharedAccessSignature sr=HOST%2Fdevices%2FID&sig=…&se=SECONDS"
            ),
        ),
    ],
)
def test_what_does_not_go_together_is_refused(tail: str, told: str) -> None:
    """One proof, whole, and of this device."""
    assert _refusal(DEVICE, f"HostName=hub.example;DeviceId=pump-7;{tail}") == told


def test_a_policy_beside_a_device_is_overlooked() -> None:
    """What says whose the string is, is the DeviceId."""
    assert DeviceConnection.parse(f"{DEVICE};SharedAccessKeyName=device").device_id == "pump-7"


@pytest.mark.parametrize("end", "X;x")
def test_only_semicolons_are_cut_off(end: str) -> None:
    """A value may begin and end with any letter."""
    policy = f"{end}policy{end}".strip(";")
    text = f"HostName=hub.example;SharedAccessKey={KEY};SharedAccessKeyName={policy}"
    assert ServiceConnection.parse(text).policy == policy


def test_service_connection_has_its_parts() -> None:
    """Without a port the hub's REST side is on 443."""
    assert ServiceConnection.parse(SERVICE) == ServiceConnection(
        host="hub.example", port=443, resource="hub.example", policy="service", key=KEY
    )


@pytest.mark.parametrize(
    ("name", "host", "port"),
    [
        ("127.0.3.9:8443", "127.0.3.9", 8443),
        ("my_hub.azure-devices.net", "my_hub.azure-devices.net", 443),
        ("[::1]:8443", "[::1]", 8443),
        ("hub.example:1", "hub.example", 1),
        ("hub.example:65535", "hub.example", 65535),
    ],
)
def test_service_host_may_carry_a_port(name: str, host: str, port: int) -> None:
    """The token is made out for the HostName as given."""
    connection = ServiceConnection.parse(SERVICE.replace("hub.example", name))
    assert (connection.host, connection.port, connection.resource) == (host, port, name)


@pytest.mark.parametrize("whole", PARSERS)
@pytest.mark.parametrize("form", ["{}", " {} \n", "\ufeff{}\r\n", "{};", ";{}", "{};GatewayHostName=edge.example"])
def test_what_copying_adds_is_taken(whole: str, form: str) -> None:
    """White space, a byte order mark and semicolons around it, and a gateway, do no harm."""
    assert PARSERS[whole](form.format(whole)).host == "hub.example"


@pytest.mark.parametrize("host", ["::1", "[::1]", "fd00::12"])
def test_a_device_may_leave_the_brackets_out(host: str) -> None:
    """The hub of this package prints the address so, and the SDK of the devices dials what it reads."""
    assert DeviceConnection.parse(DEVICE.replace("hub.example", host)).host == host
    assert DeviceConnection.parse(f"{DEVICE};GatewayHostName={host}").gateway_host == host
    for other in (host, "[::1]"):
        text = f"HostName={host};DeviceId=pump-7;SharedAccessSignature={_token(other)}"
        if host == "fd00::12" != other:
            assert "for another hub or device" in _refusal(DEVICE, text)
        else:
            assert DeviceConnection.parse(text).proof == SharedAccessSignature(
                _token(other), other, "pump-7", 1900000000
            )


def test_an_operator_is_told_of_the_brackets() -> None:
    """For a port may follow there."""
    assert _refusal(SERVICE, SERVICE.replace("hub.example", "::1")) == (
        "HostName is not the name of a host: an IPv6 address stands in brackets there. "
        "An operator's connection string reads HostName=…;SharedAccessKeyName=…;SharedAccessKey=…"
    )


def test_order_does_not_matter() -> None:
    """The portal's order is a habit, not a rule."""
    turned = ";".join(reversed(DEVICE.split(";")))
    assert DeviceConnection.parse(turned).device_id == "pump-7"


@pytest.mark.parametrize(("whole", "piece"), PARTS)
def test_missing_part_is_named(whole: str, piece: str) -> None:
    """The message says which part is not there."""
    text = ";".join(part for part in whole.split(";") if part != piece)
    assert f"{piece.partition('=')[0]} is missing in the" in _refusal(whole, text)


@pytest.mark.parametrize(("whole", "piece"), PARTS)
def test_empty_part_is_named(whole: str, piece: str) -> None:
    """A part without a value is as good as none, and told apart from a missing one."""
    name = piece.partition("=")[0]
    assert f"{name} is empty" in _refusal(whole, whole.replace(piece, f"{name}="))


@pytest.mark.parametrize(("whole", "piece"), PARTS)
def test_doubled_part_is_named(whole: str, piece: str) -> None:
    """Nobody can know which of the two is meant."""
    assert f"has {piece.partition('=')[0]} twice" in _refusal(whole, f"{whole};{piece}")


@pytest.mark.parametrize(("whole", "piece"), PARTS)
def test_part_in_another_case_is_corrected(whole: str, piece: str) -> None:
    """The hub's own tools take only the exact names."""
    name = piece.partition("=")[0]
    assert f"it should be written {name}" in _refusal(whole, whole.replace(f"{name}=", f"{name.lower()}="))


@pytest.mark.parametrize("whole", PARSERS)
def test_unknown_part_is_counted_not_shown(whole: str) -> None:
    """What stands there may be half of a key."""
    assert "part 2 of the connection string has an unknown name: known are HostName" in _refusal(
        whole, whole.replace(";", f";{KEY[:20]}=x;", 1)
    )


@pytest.mark.parametrize("whole", PARSERS)
@pytest.mark.parametrize(("text", "number"), [("", 1), ("   ", 1), ("a,b", 1), (f"HostName=h;;DeviceId=d;{KEY}", 2)])
def test_part_without_an_equals_sign_is_counted(whole: str, text: str, number: int) -> None:
    """Parts are counted from one, as people do."""
    assert f"part {number} of the connection string has no '='" in _refusal(whole, text)


@pytest.mark.parametrize("whole", PARSERS)
@pytest.mark.parametrize("bad", [os.fsdecode(b"\xff"), chr(0xD800), chr(0xDFFF)])
def test_bytes_that_are_no_text_are_refused(whole: str, bad: str) -> None:
    """An environment may hold any; a key or a name of them could not be sent anywhere."""
    said = "the connection string is no text: there are bytes in it that are not UTF-8."
    assert said in _refusal(whole, whole.replace("=", f"={bad}", 1))


@pytest.mark.parametrize("whole", PARSERS)
@pytest.mark.parametrize(
    "host",
    ["https://hub.example", "hub.example/", "hub example", ":8443", "hub:", "hub:x", "hüb.example", "h\n", "[hub]"],
)
def test_host_that_is_none_is_refused(whole: str, host: str) -> None:
    """A URL or a host with a stray character would fail much later and less clearly."""
    assert "HostName is not the name of a host" in _refusal(whole, whole.replace("hub.example", host))


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_port_out_of_range_is_refused(port: str) -> None:
    """The number is shown."""
    assert f"HostName has the port {port}" in _refusal(SERVICE, SERVICE.replace("hub.example", f"hub.example:{port}"))


def test_device_has_no_choice_of_port() -> None:
    """A port would be taken for a part of the name."""
    assert "HostName carries a port" in _refusal(DEVICE, DEVICE.replace("hub.example", "hub.example:8883"))


@pytest.mark.parametrize("whole", PARSERS)
@pytest.mark.parametrize(
    "key", [KEY[:-1], KEY[1:], f"{KEY[:9]} {KEY[9:]}", f"{KEY[:9]}%{KEY[9:]}", "schlüssel", "===="]
)
def test_key_that_is_no_base64_is_refused(whole: str, key: str) -> None:
    """A key that lost something in copying is told apart from one that the hub does not accept."""
    assert "SharedAccessKey is not base64" in _refusal(whole, whole.replace(KEY, key))


def test_operators_string_is_not_taken_for_a_devices() -> None:
    """The two are easily mixed up, so the message says which one it is."""
    assert "it names a policy, so it is an operator's" in _refusal(DEVICE, SERVICE)
    assert "it is a device's" in _refusal(SERVICE, DEVICE)


def test_repr_shows_no_key() -> None:
    """Records end up in logs."""
    assert not _shows_key(repr(DeviceConnection.parse(DEVICE)))
    assert not _shows_key(repr(ServiceConnection.parse(SERVICE)))


@given(
    whole=st.sampled_from(list(PARSERS)),
    at=st.integers(0, len(SERVICE)),
    length=st.integers(0, 12),
    put=st.text("=;: ,\n\"'Kk9é/", max_size=3),
)
def test_no_damage_makes_the_key_visible(whole: str, at: int, length: int, put: str) -> None:
    """Cut out anything, put in anything: it parses without showing the key, or is refused without showing it."""
    text = whole[:at] + put + whole[at + length :]
    try:
        connection = PARSERS[whole](text)
    except ConnectionStringError:
        _refusal(whole, text)
    else:
        assert not _shows_key(repr(connection))
