"""Requests in, or errors that say what to mend."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from fwsm.core.request import parse_nothing, parse_request
from fwsm.core.twin import section, wrapped
from fwsm.core.update import Request, State, Update
from fwsm.errors import RequestError
from fwsm.hub.limits import check_section, check_values
from fwsm.store import Store
from fwsm.testing.clock import FakeClock

if TYPE_CHECKING:
    from pathlib import Path

URI = "https://images.example/fw-1.2.bin"
DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("payload", "request_"),
    [
        ({"fwPackageUri": URI}, Request(URI)),
        (json.dumps({"fwPackageUri": URI}), Request(URI)),
        (MappingProxyType({"fwPackageUri": URI}), Request(URI)),
        ({"fwPackageUri": f"{URI}?sig=a%2Bb&se=1#part"}, Request(f"{URI}?sig=a%2Bb&se=1#part")),
        ({"fwPackageUri": "HTTPS://[fd00::1]:8443/fw"}, Request("HTTPS://[fd00::1]:8443/fw")),
        ({"fwPackageUri": "https://xn--bcher-kva.example/fw"}, Request("https://xn--bcher-kva.example/fw")),
        ({"fwPackageUri": "https://my_host.local./fw"}, Request("https://my_host.local./fw")),
        ({"fwPackageUri": "https://192.0.2.1:65535"}, Request("https://192.0.2.1:65535")),
        ({"fwPackageUri": URI, "fwPackageCheckValue": DIGEST.upper()}, Request(URI, DIGEST)),
        ({"fwPackageUri": URI, "fwPackageCheckValue": None, "fwVersion": None}, Request(URI)),
        ({"fwPackageUri": URI, "fwVersion": "1.2 «beta»"}, Request(URI, None, "1.2 «beta»")),
        ({"fwPackageUri": URI, "fwVersion": "1" * 128}, Request(URI, None, "1" * 128)),
        ({"fwPackageUri": "https://h/" + "a" * 1990}, Request("https://h/" + "a" * 1990)),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_good_payload_is_a_request(payload: object, request_: Request) -> None:
    """The object itself, or as a string, as the tutorial's first back end sent it."""
    assert parse_request(payload) == request_


def test_plain_http_has_to_be_allowed() -> None:
    """By default images come over TLS only."""
    payload = {"fwPackageUri": "http://images.example/fw"}
    assert parse_request(payload, allow_http=True).uri == payload["fwPackageUri"]
    with pytest.raises(RequestError, match=r"has the scheme 'http': this device does .*\. Use https$"):
        parse_request(payload)


def uri(text: object) -> dict[str, object]:
    """A payload with this for an address."""
    return {"fwPackageUri": text}


def nested(depth: int) -> dict[str, Any]:
    """An object in an object in an object."""
    inner: dict[str, Any] = {}
    for _ in range(depth):
        inner = {"a": inner}
    return inner


BAD_HOST = "has a bad host or port"
NOT_OF_A_URI = "has characters that no URI has"
BAD: list[tuple[object, str, str, str]] = [
    # no object
    (None, "payload", "the payload is not an object", "it is null"),
    (True, "payload", "the payload is not an object", "it is a boolean"),
    (7, "payload", "the payload is not an object", "it is a number"),
    (0.5, "payload", "the payload is not an object", "it is a number"),
    (float("nan"), "payload", "the payload is not an object", "it is a number"),
    ([URI], "payload", "the payload is not an object", "it is an array"),
    (json.dumps(URI), "payload", "the payload is not an object", "it is a text"),
    (URI.encode(), "payload", "the payload is not an object", "it is of type bytes"),
    # a text that is no JSON, or too much of it
    ("", "payload", "the payload is not JSON", "Expecting value: line 1 column 1 (char 0)"),
    ('{"fwPackageUri": ', "payload", "the payload is not JSON", "Expecting value: line 1 column 18 (char 17)"),
    ("[" * 100_000, "payload", "the payload is not JSON", "maximum recursion depth exceeded"),
    ("1" * 10_000, "payload", "the payload is not JSON", "10000 digits"),
    ('{"fwPackageUri": NaN}', "payload", "the payload is not JSON", "JSON has no NaN"),
    ('{"fwPackageUri": -Infinity}', "payload", "the payload is not JSON", "JSON has no -Infinity"),
    (" " * 131_073, "payload", "the payload is too long", "131073 characters"),
    ('{"fwVersion": "1", "fwVersion": "2"}', "fwVersion", "'fwVersion' stands there twice", "cannot be told"),
    ('{"fwVersion": "1", "x": 1, "x": 2}', "x", "'x' stands there twice", "cannot be told"),
    ('{"": 1, "": 2}', "(empty)", "'(empty)' stands there twice", "cannot be told"),
    # fields
    ({}, "fwPackageUri", "fwPackageUri is missing", "where the image is"),
    ({"fwVersion": "2"}, "fwPackageUri", "fwPackageUri is missing", "where the image is"),
    ({"fwPackageURI": URI}, "fwPackageURI", "'fwPackageURI' is not known", "known are fwPackageUri"),
    ({"": URI}, "(empty)", "'(empty)' is not known", "known are fwPackageUri"),
    ({7: URI}, "(no text)", "'(no text)' is not known", "known are fwPackageUri"),
    ({"x" * 100_000: 1}, "x" * 39 + "…", "is not known", "known are fwPackageUri"),
    ({"\u202eirU": 1}, r"\u202eirU", "is not known", "known are fwPackageUri"),
    ({"fwP\u0430ckageUri": URI}, r"fwP\u0430ckageUri", "is not known", "known are fwPackageUri"),
    ({"fwPackageUri\u200b": URI}, r"fwPackageUri\u200b", "is not known", "known are fwPackageUri"),
    ({"fwPackageUri\ud800": URI}, r"fwPackageUri\ud800", "is not known", "known are fwPackageUri"),
    # the address: type, size, spelling
    (uri(None), "fwPackageUri", "is not a text", "it is null"),
    (uri(""), "fwPackageUri", "is not a text", "it is empty"),
    (uri({}), "fwPackageUri", "is not a text", "it is an object"),
    (uri(10**4000), "fwPackageUri", "is not a text", "it is a number"),
    (uri("https://h/" + "a" * 1991), "fwPackageUri", "is too long", "2001 characters, and 2000 are allowed"),
    (uri("https://h/ö"), "fwPackageUri", NOT_OF_A_URI, "U+00F6, character 11"),
    (uri("https://bücher.example/"), "fwPackageUri", NOT_OF_A_URI, "U+00FC"),
    (uri("https://h/a b"), "fwPackageUri", NOT_OF_A_URI, "U+0020"),
    (uri(" https://h/a"), "fwPackageUri", NOT_OF_A_URI, "U+0020, character 1"),
    (uri("https://h/a\r\nX: y"), "fwPackageUri", NOT_OF_A_URI, "U+000D"),
    (uri("https://h/a\n"), "fwPackageUri", NOT_OF_A_URI, "U+000A"),
    (uri("https://h/\x00"), "fwPackageUri", NOT_OF_A_URI, "U+0000"),
    (uri("https://h/\ud83d"), "fwPackageUri", NOT_OF_A_URI, "U+D83D"),
    (uri("https://h/\u202egnp"), "fwPackageUri", NOT_OF_A_URI, "U+202E"),
    (uri("https:\\\\h\\fw"), "fwPackageUri", NOT_OF_A_URI, "U+005C"),
    (uri("https://good.example\\@evil.example/"), "fwPackageUri", NOT_OF_A_URI, "U+005C"),
    (uri("https://h/%zz"), "fwPackageUri", "has a percent sign that announces nothing", "behind character 11"),
    (uri("https://h/%4"), "fwPackageUri", "has a percent sign that announces nothing", "behind character 11"),
    # the address: scheme
    (uri("fw.bin"), "fwPackageUri", "has no scheme", "does not load"),
    (uri("//h/fw.bin"), "fwPackageUri", "has no scheme", "does not load"),
    (uri("file:///etc/passwd"), "fwPackageUri", "has the scheme 'file'", "does not load"),
    (uri("ftp://h/fw"), "fwPackageUri", "has the scheme 'ftp'", "does not load"),
    (uri("x" * 1000 + "://h/fw"), "fwPackageUri", "has the scheme 'xxxxxxxxxxxxxxxxxxx…'", "does not load"),
    # the address: host and port
    (uri("https:///fw"), "fwPackageUri", "names no host", "two slashes"),
    (uri("https:/fw"), "fwPackageUri", "names no host", "two slashes"),
    (uri("https:fw"), "fwPackageUri", "names no host", "two slashes"),
    (uri("https://:443/fw"), "fwPackageUri", "names no host", "two slashes"),
    (uri("https://?x"), "fwPackageUri", "names no host", "two slashes"),
    (uri("https://h:0/fw"), "fwPackageUri", "names port 0", "1 to 65535"),
    (uri("https://h:65536/fw"), "fwPackageUri", BAD_HOST, "1 to 65535"),
    (uri("https://h:-1/fw"), "fwPackageUri", BAD_HOST, "1 to 65535"),
    (uri("https://h:1:2/fw"), "fwPackageUri", BAD_HOST, "1 to 65535"),
    (uri("https://[::1/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://[h]/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://[v1.x]/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://[fe80::1%25eth0]/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://-h/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://a..b/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://%68/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri(f"https://{'a' * 64}/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri(f"https://{'a.' * 130}b/fw"), "fwPackageUri", BAD_HOST, "host name"),
    (uri("https://u:secret/fw"), "fwPackageUri", BAD_HOST, "host name"),
    # the address: credentials
    (uri("https://u:secret@h/fw"), "fwPackageUri", "carries credentials", "logs"),
    (uri("https://u@h/fw"), "fwPackageUri", "carries credentials", "logs"),
    (uri("https://@h/fw"), "fwPackageUri", "carries credentials", "logs"),
    (uri("https://:@h/fw"), "fwPackageUri", "carries credentials", "logs"),
    # digest and version
    (uri(URI) | {"fwPackageCheckValue": DIGEST[1:]}, "fwPackageCheckValue", "is no SHA-256", "63 characters"),
    (uri(URI) | {"fwPackageCheckValue": "g" * 64}, "fwPackageCheckValue", "is no SHA-256", "not 64 hex digits"),
    (uri(URI) | {"fwPackageCheckValue": "٣" * 64}, "fwPackageCheckValue", "is no SHA-256", "not 64 hex digits"),
    (uri(URI) | {"fwPackageCheckValue": ""}, "fwPackageCheckValue", "is no SHA-256", "it is empty"),
    (uri(URI) | {"fwPackageCheckValue": 7}, "fwPackageCheckValue", "is no SHA-256", "it is a number"),
    (uri(URI) | {"fwVersion": ""}, "fwVersion", "is no version", "it is empty"),
    (uri(URI) | {"fwVersion": 1.2}, "fwVersion", "is no version", "it is a number"),
    (uri(URI) | {"fwVersion": ["1"]}, "fwVersion", "is no version", "it is an array"),
    (uri(URI) | {"fwVersion": "1\n2"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "1\x00"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "\ud83d"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "1\u202e2"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "1\u200b2"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "1\ufe0f"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "\u3164"}, "fwVersion", "is no version", "cannot be seen"),
    (uri(URI) | {"fwVersion": "   "}, "fwVersion", "is no version", "it begins or ends with a blank"),
    (uri(URI) | {"fwVersion": "1.2 "}, "fwVersion", "is no version", "begins or ends with a blank"),
    (uri(URI) | {"fwVersion": "1" * 129}, "fwVersion", "is no version", "129 characters"),
]


@pytest.mark.parametrize(("payload", "field", "what", "why"), BAD, ids=lambda value: repr(value)[:60])
def test_bad_payload_is_refused_with_field_reason_and_fix(payload: object, field: str, what: str, why: str) -> None:
    """What is wrong, where, and what to send instead; secrets are not repeated."""
    with pytest.raises(RequestError) as caught:
        parse_request(payload)
    error = caught.value
    assert error.field == field
    assert what in error.what
    assert why in error.why
    assert error.why
    assert error.fix
    assert f"{error}".isprintable()
    assert "secret" not in f"{error} {error!r}"


def test_a_text_is_as_long_as_a_methods_payload_may_be() -> None:
    """128 KiB, blanks included; one character more is refused before it is read."""
    payload = json.dumps({"fwPackageUri": URI})
    assert parse_request(payload.ljust(128 * 1024)) == Request(URI)
    with pytest.raises(RequestError, match="it has 131073 characters, and 131072 are allowed"):
        parse_request(payload.ljust(128 * 1024 + 1))


def test_a_refusal_reads_as_two_sentences() -> None:
    """What and why, then what to do."""
    with pytest.raises(RequestError) as caught:
        parse_request({"fwPackageUri": URI, "fwVersion": " 1"})
    assert str(caught.value) == (
        "fwVersion is no version: it begins or ends with a blank. "
        "Send a text of 1 to 128 printable characters, without blanks around it"
    )


@pytest.mark.parametrize("payload", [None, "", {}])
def test_no_payload_is_none(payload: object) -> None:
    """Back ends send it in three ways."""
    parse_nothing(payload)


@pytest.mark.parametrize(
    ("payload", "field", "why"),
    [
        ({"updateId": "u1"}, "updateId", "it is an object"),
        ({7: 1}, "(no text)", "it is an object"),
        ("now", "payload", "it is a text"),
        (0, "payload", "it is a number"),
        (False, "payload", "it is a boolean"),
        ([], "payload", "it is an array"),
    ],
)
def test_a_payload_where_none_belongs_is_refused(payload: object, field: str, why: str) -> None:
    """Whoever names an update to cancel must not cancel another one by it."""
    with pytest.raises(RequestError) as caught:
        parse_nothing(payload)
    assert caught.value.field == field
    assert str(caught.value) == (
        f"the method takes no payload: {why}, and this device would not heed it. "
        "Call it without one; it is about the newest update"
    )


# -- fuzzed ------------------------------------------------------------------------------------------------------------

_any_text = st.text(st.characters(), max_size=60)  # half surrogate pairs too: JSON can carry them
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_any_text, inner, max_size=3),
    max_leaves=5,
)
_whole = {"fwPackageUri": f"{URI}?sig=a%2Bb", "fwPackageCheckValue": DIGEST, "fwVersion": "1.2"}
_of_a_uri = st.text("abz019-._~:/?#[]@!$&'()*+,;=%ABF", max_size=40)
_uris = _of_a_uri.map("https://".__add__) | _of_a_uri.map(f"{URI}?".__add__) | _any_text.map("https://h/".__add__)
_near_misses = st.fixed_dictionaries(
    {"fwPackageUri": _uris | _json},
    optional={"fwPackageCheckValue": st.just(DIGEST) | _json, "fwVersion": _any_text | _json, "fw": st.none()},
)


@st.composite
def _mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good request with one character of one field put in, left out or replaced."""
    name = draw(st.sampled_from(sorted(_whole)))
    text = _whole[name]
    at = draw(st.integers(0, len(text)))
    return _whole | {name: text[:at] + draw(st.text(max_size=2)) + text[at + draw(st.integers(0, 2)) :]}


# What no JSON parser yields, but an embedding program or a link of its own may hand over.
_odd = st.sampled_from(
    [
        10**5000,
        -(10**5000),
        float("nan"),
        float("inf"),
        b"x",
        (1,),
        {1, 2},
        {1: 2, "a": 3},
        {10**5000: 1},
        object(),
        nested(5000),
    ]
)
payloads = _near_misses | _mutated() | _json
oddities = _odd | st.dictionaries(
    st.sampled_from(sorted(_whole)) | _any_text | st.integers(), _odd, min_size=1, max_size=3
)


def _outcome(payload: object, *, allow_http: bool) -> Request | RequestError:
    try:
        return parse_request(payload, allow_http=allow_http)
    except RequestError as error:
        return error


@given(payload=payloads | oddities, allow_http=st.booleans())
def test_any_payload_is_a_request_or_a_request_error(payload: object, allow_http: bool) -> None:
    """Nothing else comes out. The download sees the same host in a request; an error can be sent back."""
    match _outcome(payload, allow_http=allow_http):
        case Request(uri=address):
            seen = parse_url(address)
            assert seen.scheme in (("https", "http") if allow_http else ("https",))
            assert seen.auth is None
            assert seen.host
            assert seen.host.casefold() in address.casefold()
        case RequestError() as error:
            assert error.field
            assert error.why
            assert error.fix
            assert len(str(error).encode()) < 4096
            assert str(error).isprintable()
            assert len(error.field) <= 40


@given(payload=payloads | oddities)
def test_any_payload_is_none_or_a_request_error(payload: object) -> None:
    """For the methods that take none."""
    if payload is None or payload in ("", {}):
        parse_nothing(payload)
        return
    with pytest.raises(RequestError) as caught:
        parse_nothing(payload)
    assert caught.value.field
    assert str(caught.value).isprintable()


def test_any_request_is_the_same_from_the_database_and_fits_the_twin(tmp_path: Path) -> None:
    """What has been taken can be stored, shown under the limits of IoT Hub, and got back as it was."""
    now = FakeClock().now()
    blank = Update(id="", request=Request(URI), state=State.WAITING, boot_id="b")
    taken: list[Request] = []
    with Store(tmp_path) as store:

        @given(payload=_near_misses | _mutated())
        def check(payload: object) -> None:
            found = _outcome(payload, allow_http=False)
            if isinstance(found, RequestError):
                return
            taken.append(found)
            update = replace(blank, id=f"u{len(taken)}", request=found)
            store.accept(update, now)
            assert store.latest() == update
            shown = {name: value for name, value in section(update).items() if value is not None}
            check_values("reported", wrapped(shown))
            check_section("reported", wrapped(shown))

        check()
    assert taken


@given(text=_any_text | _json.map(json.dumps) | _mutated().map(json.dumps))
def test_any_text_is_a_request_or_a_request_error(text: str) -> None:
    """The payload as a string goes through a parser of its own."""
    match _outcome(text, allow_http=False):
        case Request(uri=address):
            assert re.match("https://", address, re.IGNORECASE)
        case RequestError() as error:
            assert error.field
            assert error.why
            assert error.fix
