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


def test_authority_is_verified_by_a_certificate_for_its_code(owner: Operator) -> None:
    """Or at once, if the caller says so; the names are those of Azure's resource."""
    pki = Pki("factory")
    assert owner.ask("PUT", f"{PATH}/a", {"certificate": pki.pem}).body["isVerified"] is False
    answer = owner.ask("POST", f"{PATH}/a/generateVerificationCode")
    assert (answer.status, set(answer.body)) == (200, {"name", "verificationCode"})
    code = answer.body["verificationCode"]
    wrong = owner.ask("POST", f"{PATH}/a/verify", {"certificate": pki.device_pem("d1")})
    assert refused(wrong) == (400, "ArgumentInvalid")
    verified = owner.ask("POST", f"{PATH}/a/verify", {"certificate": pki.device_pem(code)})
    assert (verified.status, verified.body["isVerified"]) == (200, True)
    assert owner.ask("PUT", f"{PATH}/b", {"certificate": pki.pem, "isVerified": True}).body["isVerified"] is True
    assert refused(owner.ask("PUT", f"{PATH}/b", {"certificate": pki.pem, "isVerified": 1})) == (400, "ArgumentInvalid")
    assert refused(owner.ask("POST", f"{PATH}/c/generateVerificationCode")) == (404, "GenericNotFound")


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
    assert reader.ask("POST", f"{PATH}/a/generateVerificationCode").status == 401
    assert reader.ask("POST", f"{PATH}/a/verify", {}).status == 401
