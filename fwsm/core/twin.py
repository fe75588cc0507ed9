"""Between the wire and the record: method payload -> request, record -> reported patch.

The names are those of Microsoft's 2016 firmware-update tutorial (`iothubDM.firmwareUpdate`); for what it did not have,
those of its 2018 successor (`fwVersion`, `fwPackageCheckValue`) and our own. Camel case stands here and nowhere else
on the device's side.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

from fwsm.core.update import Request, State
from fwsm.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from fwsm.core.update import Progress, Update

__all__ = ["METHOD", "changed", "parse_request", "progress_patch", "section", "shown_uri", "wrapped"]

METHOD: Final = "firmwareUpdate"

# A twin value holds 4 KB at most (device twins guide); whatever goes in has to leave room for escapes.
_LONGEST_TEXT = 1000
_LONGEST_REASON = 128  # a policy's own word
_LONGEST_URI = 2000
_LONGEST_VERSION = 128
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
# Control characters, and halves of surrogate pairs: JSON can carry them, UTF-8 and so the database cannot.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_KNOWN: Final = ("fwPackageUri", "fwPackageCheckValue", "fwVersion")
_EXAMPLE = 'Send {"fwPackageUri": "https://…"}'


def parse_request(payload: object, *, allow_http: bool = False) -> Request:
    """Read the payload of the method `firmwareUpdate`.

    The tutorial's first back end sent the JSON object as a string, so that is taken too.

    Args:
        payload: the JSON value of the method call; None if it had no body.
        allow_http: whether `http` is good enough as a scheme.

    Raises:
        RequestError: naming the field, the reason, and the fix.
    """
    if isinstance(payload, str):
        payload = _decoded(payload)
    if not isinstance(payload, dict):
        raise RequestError("the payload is not an object", field="payload", why=f"it is {_kind(payload)}", fix=_EXAMPLE)
    for name in payload:
        if name not in _KNOWN:
            raise RequestError(
                f"'{_cut(str(name), 40)}' is not known",
                field=_cut(str(name), 40),
                why=f"known are {', '.join(_KNOWN)}",
                fix="Leave it out, or look for a typing error",
            )
    if "fwPackageUri" not in payload:
        raise RequestError("fwPackageUri is missing", field="fwPackageUri", fix=_EXAMPLE)
    return Request(
        uri=_uri(payload["fwPackageUri"], allow_http=allow_http),
        sha256=_check_value(payload.get("fwPackageCheckValue")),
        version=_version(payload.get("fwVersion")),
    )


def section(update: Update) -> dict[str, Any]:
    """All that the twin shall show of an update: the value of `iothubDM.firmwareUpdate`. None means absent."""
    failure = update.failure
    shown: dict[str, Any] = {
        "updateId": update.id,
        "fwPackageUri": shown_uri(update.request.uri),
        "fwVersion": update.request.version,
        "status": update.state.status,
        "substatus": update.state.substatus or ("rolledBack" if update.rolled_back else None),
        "error": {"code": failure.code, "message": _cut(failure.message, _LONGEST_TEXT)} if failure else None,
        "reason": _cut(update.reason, _LONGEST_REASON) if update.reason else None,
        "until": _iso(update.until),
        "progress": _progress(update.progress),
        "attempt": update.attempt,
        "resumed": update.resumed,
        "startedWaitingTime": _iso(update.started_waiting_at),
        "downloadCompleteTime": _iso(update.download_complete_at),
        "startedApplyingImage": _iso(update.started_applying_at),
    }
    if update.applied_at:  # until then the twin keeps the time of the last update that worked
        shown["lastFirmwareUpdate"] = _iso(update.applied_at)
    return shown


def changed(before: Update | None, after: Update) -> dict[str, Any]:
    """What of the section is new; all of it for a new update. Merging it into the twin shows the record after.

    While an image is loaded the twin is told more of the progress than the record knows, so that is always said then.
    """
    new = section(after)
    if before is None or before.id != after.id:
        return new
    old = section(before)
    if before.state is State.DOWNLOADING:
        del old["progress"]
    return {name: value for name, value in new.items() if name not in old or old[name] != value}


def progress_patch(progress: Progress) -> dict[str, Any]:
    """The section's part that shows how far a download is."""
    return {"progress": _progress(progress)}


def wrapped(part: Mapping[str, Any]) -> dict[str, Any]:
    """A part of the section where it belongs in the reported properties."""
    return {"iothubDM": {"firmwareUpdate": dict(part)}}


def shown_uri(uri: str) -> str:
    """The URI without what may be a secret: user, password, query and fragment."""
    parts = urlsplit(uri)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RequestError(
            "the payload is not JSON", field="payload", why=_cut(str(error), _LONGEST_TEXT), fix=_EXAMPLE
        ) from error


def _uri(value: object, *, allow_http: bool) -> str:
    name = "fwPackageUri"
    if not isinstance(value, str) or not value:
        raise RequestError(f"{name} is not a text", field=name, why=f"it is {_kind(value)}", fix=_EXAMPLE)
    if len(value) > _LONGEST_URI:
        raise RequestError(f"{name} is too long", field=name, fix=f"Keep it under {_LONGEST_URI} characters")
    if _UNPRINTABLE.search(value) or " " in value or not value.isascii():
        raise RequestError(
            f"{name} has characters that no URI has", field=name, fix="Percent-encode spaces and non-ASCII characters"
        )
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        # The parser's own words quote what stands where the port belongs, and that may be a password.
        raise RequestError(f"{name} has a bad host or port", field=name, fix=_EXAMPLE) from None
    schemes = ("https", "http") if allow_http else ("https",)
    if parts.scheme not in schemes:
        raise RequestError(
            f"{name} has the scheme '{_cut(parts.scheme, 20)}'", field=name, fix=f"Use {' or '.join(schemes)}"
        )
    if not parts.hostname or port == 0:
        raise RequestError(f"{name} names no host" if port != 0 else f"{name} names port 0", field=name, fix=_EXAMPLE)
    if parts.username is not None or parts.password is not None:
        raise RequestError(
            f"{name} carries credentials",
            field=name,
            why="they would end up in logs and reports",
            fix="Use a signed URL, or give the device its own credentials for the server",
        )
    return value


def _check_value(value: object) -> str | None:
    name = "fwPackageCheckValue"
    if value is None:
        return None
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise RequestError(f"{name} is no SHA-256 digest", field=name, fix="Send 64 hex digits, as sha256sum prints")
    return value.lower()


def _version(value: object) -> str | None:
    name = "fwVersion"
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > _LONGEST_VERSION or _UNPRINTABLE.search(value):
        raise RequestError(
            f"{name} is no version", field=name, fix=f"Send a text of 1 to {_LONGEST_VERSION} printable characters"
        )
    return value


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "a boolean", int: "a number", float: "a number", str: "a text", list: "an array"}
    return names.get(type(value), "an object") if value != "" else "empty"


def _progress(progress: Progress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    return {"bytes": progress.bytes, "totalBytes": progress.total_bytes, "percent": progress.percent}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def _cut(text: str, length: int) -> str:
    text = _UNPRINTABLE.sub(" ", text)
    return text if len(text) <= length else text[: length - 1] + "…"
