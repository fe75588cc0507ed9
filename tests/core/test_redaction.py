"""No secret gets out."""

from __future__ import annotations

import pytest

from fwsm.core.redaction import redacted

GONE = "[redacted]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("get https://h/fw.img?sig=secret now", "get https://h/fw.img now"),
        ("get HTTPS://h/fw.img#secret", "get HTTPS://h/fw.img"),
        ("https://user:secret@h:8/fw", "https://h:8/fw"),
        ('{"uri": "https://h/fw?sig=secret", "b": 1}', '{"uri": "https://h/fw", "b": 1}'),
        (r'{"text": "see \"https://h/fw?sig=secret\""}', r'{"text": "see \"https://h/fw\""}'),
        ("two: http://a?secret http://b?secret.", "two: http://a http://b"),
    ],
)
def test_user_query_and_fragment_of_addresses_go(text: str, shown: str) -> None:
    """What names the file stays."""
    assert redacted(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HostName=h;DeviceId=d;SharedAccessKey=secret==", f"HostName=h;DeviceId=d;SharedAccessKey={GONE}"),
        ('"SharedAccessKey=secret=;HostName=h"', f'"SharedAccessKey={GONE};HostName=h"'),
        ("SharedAccessSignature=secret;HostName=h", f"SharedAccessSignature={GONE};HostName=h"),
        ("SharedAccessSignature sr=h%2fd&sig=secret&se=9 x", f"SharedAccessSignature {GONE} x"),
        ("password: SharedAccessSignature sig=secret&se=1&sr=h", f"password: SharedAccessSignature {GONE}"),
        ("Authorization: Bearer secret", f"Authorization: {GONE}"),
        ("{'Authorization': 'Basic secret', 'Host': 'h'}", f"{{'Authorization': '{GONE}', 'Host': 'h'}}"),
        ("authorization=secret", f"authorization={GONE}"),
        ("via socks5://agent:secret@proxy:1080/", "via socks5://proxy:1080/"),
        ("proxy = 'http://agent:secret@proxy'", "proxy = 'http://proxy'"),
        ("FWSM_DPS_SYMMETRIC_KEY=secret== rest", f"FWSM_DPS_SYMMETRIC_KEY={GONE} rest"),
        ('x509_key_passphrase = "secret"', f'x509_key_passphrase = "{GONE}"'),
        ('"GET /fw.img?se=1&sig=secret%3d&sp=r HTTP/1.1" 200', f'"GET /fw.img?se=1&sig={GONE}&sp=r HTTP/1.1" 200'),
    ],
)
def test_keys_tokens_and_passwords_go(text: str, shown: str) -> None:
    """And what stands around them stays readable."""
    assert redacted(text) == shown
    assert redacted(shown) == shown


def test_a_token_behind_authorization_goes_whole() -> None:
    """No part of it is left behind the name of its kind."""
    assert "secret" not in redacted("Authorization: SharedAccessSignature sr=h&sig=secret&se=9&skn=secret")


@pytest.mark.parametrize(
    "text",
    [
        "https://h/fw is fine. Is it?",
        "HostName=h;SharedAccessKeyName=service",
        "SharedAccessKey is not base64",
        "the token is a SharedAccessSignature of an hour",
        "design=a, signature b",
        "A connection string reads HostName=…;SharedAccessKeyName=…;SharedAccessKey=…",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Messages are there to be understood."""
    assert redacted(text) == text


def test_a_known_secret_goes_wherever_it_stands() -> None:
    """In any form; the longer one first, and a word that is too short to be told from others stays."""
    text = "key long-secret, a-long-secret, eight-xx, seven-x"
    assert redacted(text, ("long-secret", "a-long-secret", "eight-xx", "seven-x")) == (
        f"key {GONE}, {GONE}, {GONE}, seven-x"
    )
