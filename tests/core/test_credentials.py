"""Tokens and enrolments, whole and garbled; nothing that is secret is shown."""

from __future__ import annotations

import pytest

from fwsm.core.credentials import (
    Certificate,
    Enrollment,
    SharedAccessSignature,
    SymmetricKey,
    dialled,
    is_host,
)
from fwsm.errors import ConfigError, ConnectionStringError

KEY = "c2VjcmV0IGtleSBvZiB0aGUgZGV2aWNl"
TOKEN = f"SharedAccessSignature sr=hub.example%2Fdevices%2Fpump%207&sig={KEY}&se=1900000000"

FORM = "A device's token reads SharedAccessSignature sr=HOST%2Fdevices%2FID&sig=…&se=SECONDS"
NOT_FOR_A_DEVICE = (
    "the shared access signature is not for a device: its sr is not HOST/devices/ID. "
    "Make one for this device alone, with its own key"
)


def test_a_token_says_whose_it_is_and_when_it_ends() -> None:
    """White space around it does no harm, as in a file."""
    token = SharedAccessSignature.parse(f"{TOKEN}\n")
    assert (token.host, token.device_id, token.expires_at) == ("hub.example", "pump 7", 1900000000)
    assert token.text == TOKEN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", f"this is not a shared access signature. {FORM}"),
        (TOKEN.removeprefix("SharedAccessSignature "), f"this is not a shared access signature. {FORM}"),
        (TOKEN.replace("sr=", "rs="), f"the shared access signature has no sr. {FORM}"),
        (TOKEN.replace(KEY, ""), f"the shared access signature has no sig. {FORM}"),
        (TOKEN.replace("&se=1900000000", ""), f"the shared access signature has no se. {FORM}"),
        (
            TOKEN.replace("1900000000", "tomorrow"),
            f"se of the shared access signature is not a time in seconds. {FORM}",
        ),
        (TOKEN.replace("%2Fdevices%2Fpump%207", ""), NOT_FOR_A_DEVICE),
        (TOKEN.replace("hub.example", "hub%20example"), NOT_FOR_A_DEVICE),
        (TOKEN.replace("pump%207", "pump%2Fmodules%2Fm"), NOT_FOR_A_DEVICE),
    ],
)
def test_a_garbled_token_is_refused_and_not_shown(text: str, told: str) -> None:
    """The part that is wrong is named."""
    with pytest.raises(ConnectionStringError) as caught:
        SharedAccessSignature.parse(text)
    assert str(caught.value) == told


def test_a_signature_may_end_with_equals_signs() -> None:
    """As base64 does, where nobody has quoted it."""
    text = TOKEN.replace(KEY, f"{KEY}==")
    assert SharedAccessSignature.parse(text).text == text


def test_a_key_that_is_not_base64_is_refused_and_not_shown() -> None:
    """The message uses the name by which the reader knows it."""
    with pytest.raises(ConnectionStringError, match=r"^dps_symmetric_key is not base64.*Copy it") as caught:
        SymmetricKey.parse("lo$t", "dps_symmetric_key", "Copy it")
    assert "lo$t" not in str(caught.value)
    assert SymmetricKey.parse(KEY, "k", "f").key == KEY


@pytest.mark.parametrize("scope", ["", "0ne/1", "a" * 65, "0né"])
def test_an_impossible_id_scope_is_refused(scope: str) -> None:
    """It is shown, for it is no secret."""
    with pytest.raises(ConfigError) as caught:
        Enrollment(scope, "r1", SymmetricKey(KEY))
    assert str(caught.value) == (
        f"dps_id_scope is {scope!r}: it must be letters and digits, such as 0ne00A1B2C3. "
        "Copy the ID scope from the overview of the provisioning service"
    )


@pytest.mark.parametrize("name", ["", "a b", "-a", "a.", "a" * 129, "né"])
def test_an_impossible_registration_id_is_refused(name: str) -> None:
    """The service would not know it."""
    with pytest.raises(ConfigError) as caught:
        Enrollment("0ne1", name, SymmetricKey(KEY))
    assert str(caught.value) == (
        f"registration_id is {name!r}: "
        "it must be 1 to 128 letters, digits and -._: with a letter or digit at both ends. "
        "Use the registration ID of the enrolment, or one of the device's own in a group"
    )


@pytest.mark.parametrize("name", ["a", "Pump-7_b.c:d", "a" * 128])
def test_the_longest_and_the_shortest_registration_id_is_fine(name: str) -> None:
    """So is every sign that the service allows."""
    assert Enrollment("0ne1", name, SymmetricKey(KEY)).registration_id == name


def test_no_secret_is_in_a_repr() -> None:
    """Keys, tokens and passphrases stay out of logs."""
    for each in (SymmetricKey(KEY), SharedAccessSignature.parse(TOKEN), Certificate("c", "k", KEY)):
        assert KEY not in repr(each)


def test_a_host_has_no_port_and_no_path() -> None:
    """Names and addresses of both kinds."""
    assert all(map(is_host, ("hub.example", "127.0.0.1", "[::1]", "::1", "fd00::7:8", "my_hub")))
    assert not any(map(is_host, ("", "hub:8883", "hub/", "a b", "https://hub")))
    assert not any(map(is_host, ("[]", "[hub]", "[::1", "::1]", "1:2", ":::", "[fe80::1%eth0]", "[::1]:8883", "::1\n")))


def test_a_host_is_dialled_without_brackets() -> None:
    """They are there for the eye, and for a port."""
    given = {"[::1]": "::1", "::1": "::1", "hub.example": "hub.example", "[": "[", "[x": "[x", "x]": "x]"}
    assert {host: dialled(host) for host in given} == given
