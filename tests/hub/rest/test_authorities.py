"""Authorities over REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hub.pki import Pki
from tests.hub.rest.asking import Operator, refused

if TYPE_CHECKING:
    from fwsm.hub import Hub

PATH = "/$fwsm/authorities"


def test_authority_lives_from_registration_to_removal(owner: Operator) -> None:
    """It is shown with what identifies it."""
    pem = Pki("factory").pem
    made = owner.ask("PUT", f"{PATH}/a", {"certificate": pem})
    assert made.status == 200
    assert (made.body["name"], made.body["subject"], made.body["certificate"]) == ("a", "CN=factory", pem)
    assert owner.ask("GET", PATH).body == [made.body]
    assert owner.ask("DELETE", f"{PATH}/a").status == 204
    assert owner.ask("GET", PATH).body == []
    assert owner.ask("DELETE", f"{PATH}/a").status == 404
    assert refused(owner.ask("PUT", f"{PATH}/a", {})) == (400, "ArgumentInvalid")


def test_device_of_an_authority_is_shown_as_such(owner: Operator) -> None:
    """As the service's own SDKs write it."""
    described = {"deviceId": "d1", "authentication": {"type": "certificateAuthority"}}
    created = owner.ask("PUT", "/devices/d1", described).body
    assert created["authentication"] == {
        "type": "certificateAuthority",
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
    }
    assert owner.ask("GET", "/twins/d1").body["authenticationType"] == "certificateAuthority"


def test_reading_alone_does_not_register(hub: Hub) -> None:
    """It takes the right to write the registry."""
    reader = Operator(hub, "registryRead")
    assert reader.ask("GET", PATH).status == 200
    assert reader.ask("PUT", f"{PATH}/a", {"certificate": Pki().pem}).status == 401
