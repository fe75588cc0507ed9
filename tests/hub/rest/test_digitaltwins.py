"""Digital twins over REST; their commands are called by a real client in tests/e2e/test_service_clients.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/digitaltwins/d1"


def test_digital_twin_is_read_and_patched(hub: Hub, owner: Operator) -> None:
    """The etag is that of the device twin, in quotes; a stale one is refused."""
    hub.add_device("d1")
    first = owner.ask("GET", PATH)
    patch = [{"op": "add", "path": "/target", "value": 20}]
    changed = owner.ask("PATCH", PATH, patch, If_Match=first.headers["etag"])
    assert (changed.status, changed.headers["location"], changed.body) == (202, PATH, None)
    assert hub.twin("d1")["properties"]["desired"]["target"] == 20
    read = owner.ask("GET", PATH)
    assert (read.headers["etag"], read.body["$dtId"]) == (changed.headers["etag"], "d1")
    assert read.body["$metadata"]["target"] == {"desiredValue": 20, "desiredVersion": 2}
    assert refused(owner.ask("PATCH", PATH, patch, If_Match=first.headers["etag"])) == (412, "PreconditionFailed")
    assert owner.ask("PATCH", PATH, [{"op": "remove", "path": "/target"}]).status == 202
    assert "target" not in hub.twin("d1")["properties"]["desired"]


@pytest.mark.parametrize("path", ["/commands/go", "/components/t1/commands/go"])
def test_command_of_a_device_that_is_away_is_refused(hub: Hub, owner: Operator, path: str) -> None:
    """As a direct method is; timeouts stand in the query and have the same bounds."""
    hub.add_device("d1")
    assert refused(owner.ask("POST", PATH + path)) == (404, "DeviceNotOnline")
    for wrong in ("responseTimeoutInSeconds=4", "responseTimeoutInSeconds=x", "connectTimeoutInSeconds=301"):
        assert refused(owner.ask("POST", f"{PATH}{path}?{wrong}", {})) == (400, "ArgumentInvalid")


def test_payload_of_a_command_may_come_in_chunks(hub: Hub, owner: Operator) -> None:
    """It is read whether its length is said before or not."""
    hub.add_device("d1")
    connection = owner.connection()
    connection.request("POST", f"{PATH}/commands/go", iter([b"no ", b"JSON"]), {"Authorization": owner.token()})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert (answer.status, answer.headers["iothub-errorcode"]) == (400, "IotHubFormatError")


def test_digital_twin_of_nobody_is_not_found(owner: Operator) -> None:
    """404, for each of them."""
    for method, path, body in (("GET", "", None), ("PATCH", "", []), ("POST", "/commands/go", 1)):
        assert refused(owner.ask(method, PATH + path, body)) == (404, "DeviceNotFound")
