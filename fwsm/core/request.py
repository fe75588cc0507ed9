"""What an operator sends -> a request, or an error that says what to mend.

The names are those of Microsoft's 2016 firmware-update tutorial; for what it did not have, those of its 2018 successor
(`fwVersion`, `fwPackageCheckValue`). The method's payload and the desired property have the same form.

A request that comes out of here can be stored, shown and loaded: whatever could not is refused at the door.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

from fwsm.core.text import cut, is_seen
from fwsm.core.update import Request
from fwsm.errors import RequestError

__all__ = ["METHOD", "parse_nothing", "parse_request"]

METHOD: Final = "firmwareUpdate"

# What a hub passes on to a device at most (IoT Hub's limit for direct methods).
_LONGEST_PAYLOAD: Final = 128 * 1024
_LONGEST_URI: Final = 2000
_LONGEST_VERSION: Final = 128
_LONGEST_ECHO: Final = 40  # of what the sender wrote, so that it can be recognised
_LONGEST_REASON: Final = 200

_KNOWN: Final = ("fwPackageUri", "fwPackageCheckValue", "fwVersion")
_EXAMPLE: Final = 'Send {"fwPackageUri": "https://…"}'
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
# RFC 3986: what may stand in a URI, and what a percent sign announces.
_NO_URI: Final = re.compile(r"[^A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]")
_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST: Final = re.compile(rf"(?=.{{1,254}}\Z){_LABEL}(?:\.{_LABEL})*\.?", re.ASCII)


def parse_request(payload: object, *, allow_http: bool = False) -> Request:
    """Read what asks for an update: the payload of the method `firmwareUpdate`, or the desired property.

    The tutorial's first back end sent the JSON object as a string, so that is taken too.

    Args:
        payload: the JSON value; None if there was none.
        allow_http: whether `http` is good enough as a scheme.

    Raises:
        RequestError: naming the field, the reason, and the fix.
    """
    if isinstance(payload, str):
        payload = _decoded(payload)
    if not isinstance(payload, Mapping):
        raise RequestError("the payload is not an object", field="payload", why=f"it is {_kind(payload)}", fix=_EXAMPLE)
    for name in payload:
        if name not in _KNOWN:
            shown = _echo(name)
            raise RequestError(
                f"'{shown}' is not known",
                field=shown,
                why=f"known are {', '.join(_KNOWN)}",
                fix="Leave it out, or look for a typing error",
            )
    if "fwPackageUri" not in payload:
        raise RequestError(
            "fwPackageUri is missing", field="fwPackageUri", why="it says where the image is", fix=_EXAMPLE
        )
    return Request(
        uri=_uri(payload["fwPackageUri"], allow_http=allow_http),
        sha256=_check_value(payload.get("fwPackageCheckValue")),
        version=_version(payload.get("fwVersion")),
    )


def parse_nothing(payload: object) -> None:
    """Read the payload of a method that takes none. What was meant by one must not be passed over.

    Args:
        payload: the JSON value; None, an empty text and an empty object are none.

    Raises:
        RequestError: there is one; naming the field, the reason, and the fix.
    """
    if payload is None or payload in ("", {}):
        return
    field = _echo(next(iter(payload))) if isinstance(payload, Mapping) else "payload"
    raise RequestError(
        "the method takes no payload",
        field=field,
        why=f"it is {_kind(payload)}, and this device would not heed it",
        fix="Call it without one; it is about the newest update",
    )


def _decoded(text: str) -> object:
    if len(text) > _LONGEST_PAYLOAD:
        raise RequestError(
            "the payload is too long",
            field="payload",
            why=f"it has {len(text)} characters, and {_LONGEST_PAYLOAD} are allowed",
            fix=_EXAMPLE,
        )
    try:
        return json.loads(text, object_pairs_hook=_without_doubles, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise RequestError(
            "the payload is not JSON", field="payload", why=cut(str(error), _LONGEST_REASON), fix=_EXAMPLE
        ) from error


def _without_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = _echo(next(name for name in names if names.count(name) > 1))
        raise RequestError(
            f"'{double}' stands there twice",
            field=double,
            why="which of the two is meant cannot be told",
            fix="Send each field once",
        )
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"JSON has no {name}")


def _uri(value: object, *, allow_http: bool) -> str:
    name = "fwPackageUri"
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name} is not a text", field=name, why=f"it is {_kind(value)}", fix=_EXAMPLE)
    if len(value) > _LONGEST_URI:
        raise RequestError(
            f"{name} is too long",
            field=name,
            why=f"it has {len(value)} characters, and {_LONGEST_URI} are allowed",
            fix="Send a shorter one; a redirect will be followed",
        )
    _check_spelling(name, value)
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
        bad_host = host is not None and not _is_host(host, bracketed="[" in parts.netloc)
    except ValueError:
        # The parser's own words quote what stands where the port belongs, and that may be a password.
        host, port, bad_host = "", None, True
    else:
        _check_scheme(name, parts.scheme, allow_http=allow_http)
        if parts.username is not None or parts.password is not None:
            raise RequestError(
                f"{name} carries credentials",
                field=name,
                why="they would end up in logs and reports",
                fix="Use a signed URL, or give the device its own credentials for the server",
            )
    if bad_host or not host or port == 0:
        what = "has a bad host or port" if bad_host else "names no host" if not host else "names port 0"
        why = "behind the scheme stand two slashes, a host name or address, and perhaps a port of 1 to 65535"
        raise RequestError(
            f"{name} {what}", field=name, why=why, fix=f"{_EXAMPLE}; an international name in its form with xn--"
        )
    return value


def _check_spelling(name: str, value: str) -> None:
    if found := _NO_URI.search(value):
        raise RequestError(
            f"{name} has characters that no URI has",
            field=name,
            why=f"one of them is U+{ord(found[0]):04X}, character {found.start() + 1}",
            fix="Percent-encode it; write an international host name in its form with xn--",
        )
    if found := _NO_ESCAPE.search(value):
        raise RequestError(
            f"{name} has a percent sign that announces nothing",
            field=name,
            why=f"behind character {found.start() + 1} there should be two hex digits",
            fix="Write a percent sign of its own as %25",
        )


def _check_scheme(name: str, scheme: str, *, allow_http: bool) -> None:
    schemes = ("https", "http") if allow_http else ("https",)
    if scheme not in schemes:
        raise RequestError(
            f"{name} has the scheme '{cut(scheme, 20)}'" if scheme else f"{name} has no scheme",
            field=name,
            why="this device does not load images that way",
            fix=f"Use {' or '.join(schemes)}",
        )


def _is_host(host: str, *, bracketed: bool) -> bool:
    """Whether it is a name or an address; raises ValueError for what is in brackets and no address."""
    if bracketed:
        return "%" not in host and IPv6Address(host) is not None
    return _HOST.fullmatch(host) is not None


def _check_value(value: object) -> str | None:
    name = "fwPackageCheckValue"
    if value is None:
        return None
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        why = f"it is {_kind(value)}"
        if isinstance(value, str) and value:
            why = f"it has {len(value)} characters, not 64 hex digits"
        raise RequestError(f"{name} is no SHA-256 digest", field=name, why=why, fix="Send what sha256sum prints")
    return value.lower()


def _version(value: object) -> str | None:
    name = "fwVersion"
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        why = f"it is {_kind(value)}"
    elif len(value) > _LONGEST_VERSION:
        why = f"it has {len(value)} characters"
    elif not is_seen(value):
        why = "it has characters that cannot be seen"
    elif value != value.strip():
        why = "it begins or ends with a blank"
    else:
        return value
    fix = f"Send a text of 1 to {_LONGEST_VERSION} printable characters, without blanks around it"
    raise RequestError(f"{name} is no version", field=name, why=why, fix=fix)


def _echo(name: object) -> str:
    """The name of a field as the sender wrote it; what is not ASCII as an escape, since it may look like another."""
    if not isinstance(name, str):
        return "(no text)"
    return cut(name.encode("ascii", "backslashreplace").decode(), _LONGEST_ECHO) or "(empty)"


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", list: "an array"}
    if isinstance(value, str):
        return "a text" if value else "empty"
    if isinstance(value, Mapping):
        return "an object"
    return names.get(type(value), f"of type {type(value).__name__}")
