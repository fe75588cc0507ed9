"""The REST client against the embedded hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.connection_string import DeviceConnection, ServiceConnection
from fwsm.errors import (
    DeviceNotFoundError,
    DeviceOfflineError,
    RefusedError,
    RequestError,
    ServiceError,
    UnauthorizedError,
)
from fwsm.service import Client, Transport
from fwsm.service.sas import SharedAccess
from tests.service.player import Player
from tests.service.scripted import answering

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from tests.service.scripted import Site


def test_twin_is_read(hub: Hub, client: Client) -> None:
    """The twin has the shape of the REST resource."""
    hub.add_device("d1")
    hub.update_twin("d1", desired={"a": 1})
    assert client.twin("d1")["properties"]["desired"]["a"] == 1


def test_device_answers_a_method(hub: Hub, client: Client) -> None:
    """Payload and answer go through as they are, a status of the device's own choice included."""
    with Player(hub, "d1", status=409, payload={"why": ["busy", 1]}) as player:
        answer = client.call_method("d1", "m", {"x": "ä"})
    assert (answer.status, answer.payload) == (409, {"why": ["busy", 1]})
    assert player.calls == [{"x": "ä"}]


def test_registered_device_gets_a_connection_string(hub: Hub, client: Client) -> None:
    """What the registry hands out is what a device connects with: the hub's name, without the operators' port."""
    identity = client.add_device("d1")
    assert identity.connection_string == hub.device("d1").connection_string
    assert DeviceConnection.parse(str(identity.connection_string)).host == hub.address
    assert client.device("d1") == identity
    assert str(identity.connection_string) not in repr(identity)


def test_device_with_a_certificate_is_registered_by_its_thumbprint(hub: Hub, client: Client) -> None:
    """It has no key to put into a connection string."""
    string = client.add_device("d1", thumbprint="ab" * 20).connection_string
    assert string == hub.device("d1").connection_string == f"HostName={hub.address};DeviceId=d1;x509=true"
    with pytest.raises(ServiceError, match="40 or 64 hexadecimal digits"):
        client.add_device("d2", thumbprint="short")


def test_devices_are_listed_by_name(hub: Hub, client: Client) -> None:
    """The list says who is connected."""
    hub.add_device("d2")
    with Player(hub, "d1"):
        found = [(identity.device_id, identity.connected, identity.enabled) for identity in client.devices()]
    assert found == [("d1", True, True), ("d2", False, True)]


def test_removed_device_is_gone(client: Client) -> None:
    """After its removal a device is unknown."""
    client.add_device("d1")
    client.remove_device("d1")
    with pytest.raises(DeviceNotFoundError, match="knows no device 'd1'"):
        client.device("d1")


def test_odd_names_of_devices_are_quoted(client: Client) -> None:
    """Every character that a device id may have reaches the hub as itself."""
    name = "a-:.+%_#*?!(),=@$'Z"
    client.add_device(name)
    assert [identity.device_id for identity in client.devices()] == [name]
    assert client.twin(name)["deviceId"] == name


@pytest.mark.parametrize("name", ["", "a b", "a/b", "x" * 129])
def test_impossible_name_is_told_before_anything_is_sent(client: Client, name: str) -> None:
    """A name that no device can have is a malformed request."""
    with pytest.raises(RequestError, match="no device id"):
        client.twin(name)


def test_device_that_exists_is_not_registered_again(client: Client) -> None:
    """Registering never changes the keys of a device that is there."""
    client.add_device("d1")
    with pytest.raises(RefusedError, match="DeviceAlreadyExists"):
        client.add_device("d1")


def test_offline_device_is_told_from_an_unknown_one(hub: Hub, client: Client) -> None:
    """Both are 404 on the wire."""
    hub.add_device("d1")
    with pytest.raises(DeviceOfflineError, match="d1 is offline"):
        client.call_method("d1", "m")
    with pytest.raises(DeviceNotFoundError):
        client.call_method("d2", "m")


def test_call_outside_the_limits_is_refused(hub: Hub, client: Client) -> None:
    """The hub's own words reach the operator."""
    hub.add_device("d1")
    with pytest.raises(ServiceError, match="responseTimeoutInSeconds"):
        client.call_method("d1", "m", response_timeout_s=1)


@pytest.mark.parametrize("text", ["service", "iothubowner"])
def test_policy_without_the_right_or_the_key_is_refused(hub: Hub, text: str) -> None:
    """The policy `service` may not write the registry; a wrong key may do nothing."""
    connection = ServiceConnection.parse(hub.policy_connection_string(text))
    if text == "iothubowner":
        connection = ServiceConnection(connection.host, connection.port, connection.resource, text, "d3Jvbmc=")
    with (
        Client(Transport(SharedAccess(connection), ca_file=hub.ca_path)) as client,
        pytest.raises(UnauthorizedError) as caught,
    ):
        client.add_device("d1")
    assert connection.key not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>welcome</html>", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (b"{}", "it has no status of the device"),
        (b'{"status": "200"}', "it has no status of the device"),
    ],
    ids=["a page", "too deep", "an array", "no status", "a text"],
)
def test_answer_of_something_else_is_told(site: Site, body: bytes, why: str) -> None:
    """A host that is no IoT Hub may answer 200 to anything."""
    _, transport = site.serve(answering(200, body))
    with pytest.raises(ServiceError, match="cannot be read") as caught:
        Client(transport).call_method("d1", "m")
    assert caught.value.why == why


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"[{}]"])
def test_list_of_something_else_is_told(site: Site, body: bytes) -> None:
    """Only a list of objects with a device id is a list of devices."""
    _, transport = site.serve(answering(200, body))
    with pytest.raises(ServiceError, match=r"not a list of objects|does not describe a device"):
        Client(transport).devices()


@pytest.mark.parametrize(
    "authentication", [b"null", b'{"type": "sas", "symmetricKey": null}', b'{"symmetricKey": {"primaryKey": null}}']
)
def test_device_whose_key_is_not_shown_has_no_connection_string(site: Site, authentication: bytes) -> None:
    """A policy may be allowed to see the device and not its key."""
    body = b'{"deviceId": "d1", "status": "disabled", "authentication": %s}' % authentication
    _, transport = site.serve(answering(200, body))
    identity = Client(transport).device("d1")
    assert (identity.connection_string, identity.enabled, identity.connected) == (None, False, False)
