"""Shared access signatures, against the algorithm written out once more with other tools."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.sas import BadTokenError, SasToken, is_key, new_key, sign

KEY = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
NOW = 1_000_000.0


def _by_hand(resource: str, expires: int) -> str:
    encoded = urllib.parse.quote_plus(resource)
    mac = hmac.new(base64.b64decode(KEY), f"{encoded}\n{expires}".encode(), hashlib.sha256)
    return urllib.parse.quote(base64.b64encode(mac.digest()).decode(), safe="")


def test_token_of_the_documented_algorithm_is_accepted() -> None:
    """A token made as the documentation says passes, whatever the order of its fields."""
    signature = _by_hand("hub.example/devices/d1", 1_000_060)
    text = f"SharedAccessSignature sig={signature}&se=1000060&sr=hub.example%2Fdevices%2Fd1"
    token = SasToken.parse(text)
    token.check((new_key(), KEY), NOW)
    assert (token.resource, token.policy, token.expires_at) == ("devices/d1", None, 1_000_060)


def test_lower_case_percent_encoding_is_signed_as_sent() -> None:
    """The signature covers `sr` letter for letter: some clients write %2f."""
    encoded = "hub%2fdevices%2fd1"
    mac = hmac.new(base64.b64decode(KEY), f"{encoded}\n1000060".encode(), hashlib.sha256)
    signature = urllib.parse.quote(base64.b64encode(mac.digest()).decode(), safe="")
    token = SasToken.parse(f"SharedAccessSignature sr={encoded}&sig={signature}&se=1000060")
    token.check((KEY,), NOW)
    assert token.resource == "devices/d1"


@given(st.text(max_size=30), st.none() | st.text(min_size=1, max_size=10))
def test_own_tokens_are_accepted(resource: str, policy: str | None) -> None:
    """What `sign` makes, `parse` and `check` accept, for any resource and policy."""
    token = SasToken.parse(sign(f"hub/{resource}", KEY, 1_000_060, policy))
    token.check((KEY,), NOW)
    assert (token.resource, token.policy) == (resource.strip("/"), policy)


def test_port_in_the_host_is_not_part_of_the_resource() -> None:
    """Clients that dial another port write it into `sr`."""
    assert SasToken.parse(sign("localhost:18883/devices/d1", KEY, 1)).resource == "devices/d1"


def test_expired_token_is_refused() -> None:
    """A token ends in the second that it names, and the message hints at the clocks."""
    with pytest.raises(BadTokenError, match="clocks"):
        SasToken.parse(sign("hub", KEY, int(NOW))).check((KEY,), NOW)


def test_token_of_another_key_is_refused() -> None:
    """The right form with the wrong key is not enough."""
    with pytest.raises(BadTokenError, match="another key"):
        SasToken.parse(sign("hub", new_key(), 1_000_060)).check((KEY,), NOW)


@pytest.mark.parametrize("expiry", ["9" * 400, "1_000_060", " 1000060", "+1000060", "-1", "1e9", "\u0661"])
def test_expiry_is_a_time_in_digits(expiry: str) -> None:
    """What Python alone takes for a number is none, and a time too far away to reckon with is no time."""
    with pytest.raises(BadTokenError, match="malformed"):
        SasToken.parse(f"SharedAccessSignature sr=hub&sig=AAAA&se={expiry}")


@given(st.text(max_size=80))
def test_arbitrary_text_is_a_bad_token_at_worst(text: str) -> None:
    """No password makes the parser raise anything but BadTokenError."""
    for candidate in (text, f"SharedAccessSignature {text}", f"SharedAccessSignature sr=a&sig={text}&se={text}"):
        try:
            token = SasToken.parse(candidate)
        except BadTokenError:
            continue
        with pytest.raises(BadTokenError):
            token.check((KEY,), NOW)


@pytest.mark.parametrize(
    ("resource", "covered"),
    [("", True), ("devices", True), ("devices/d1", True), ("devices/d", False), ("devices/d1/x", False)],
)
def test_token_covers_what_lies_below_it(resource: str, *, covered: bool) -> None:
    """A resource covers itself and everything below, in whole segments."""
    assert SasToken.parse(sign(f"hub/{resource}", KEY, 1)).covers("devices/d1") is covered


@pytest.mark.parametrize(
    ("key", "good"),
    [
        (KEY, True),
        (base64.b64encode(b"x" * 15).decode(), False),
        (base64.b64encode(b"x" * 65).decode(), False),
        ("not base64!", False),
        ("ÿ", False),
        (None, False),
    ],
)
def test_key_is_base64_of_16_to_64_bytes(key: object, *, good: bool) -> None:
    """Keys are accepted by the limits of the service."""
    assert is_key(key) is good
