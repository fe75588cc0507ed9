"""What an identity says of itself, and what a description makes of it."""

from __future__ import annotations

import pytest

from fwsm.hub.identity import Identity, is_id

SHA1, SHA256 = "ab:" * 19 + "ab", "CD" * 32


def test_certificates_take_the_place_of_keys() -> None:
    """An identity has keys or thumbprints; those are compared in one form, however they were written."""
    device = Identity("d1", "", "").described(
        {
            "authentication": {
                "type": "selfSigned",
                "x509Thumbprint": {"primaryThumbprint": SHA1, "secondaryThumbprint": SHA256.lower()},
            }
        }
    )
    assert not device.keys
    assert device.thumbprints == frozenset({"AB" * 20, SHA256})
    shown = device.document()["authentication"]
    assert shown == {
        "symmetricKey": {"primaryKey": None, "secondaryKey": None},
        "x509Thumbprint": {"primaryThumbprint": "AB" * 20, "secondaryThumbprint": SHA256},
        "type": "selfSigned",
    }
    back = device.described({"authentication": {"type": "sas"}})
    assert (len(back.keys), back.thumbprints, back.authentication_type) == (2, frozenset(), "sas")


def test_one_thumbprint_is_enough() -> None:
    """The other may come later, when the certificate is renewed."""
    body = {"authentication": {"type": "selfSigned", "x509Thumbprint": {"secondaryThumbprint": SHA256}}}
    device = Identity("d1", "", "").described(body)
    assert device.thumbprints == {SHA256}
    assert device.thumbprint_document() == {"primaryThumbprint": None, "secondaryThumbprint": SHA256}


def test_module_shows_what_modules_have() -> None:
    """No status of its own, but a name and whoever looks after it."""
    module = Identity("d1", "", "", module_id="m1").described({"deviceId": "d1", "managedBy": "edge"})
    document = module.document()
    assert (document["deviceId"], document["moduleId"], document["managedBy"]) == ("d1", "m1", "edge")
    assert "status" not in document


@pytest.mark.parametrize(("text", "good"), [("a-:.+%_#*?!(),=@$'Z9", True), ("", False), ("a/b", False), ("ä", False)])
def test_ids_are_those_of_iot_hub(text: str, *, good: bool) -> None:
    """Among them is never a slash, which parts device and module."""
    assert is_id(text) is good
