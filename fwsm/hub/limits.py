"""What a twin may hold: the limits of the device twins guide and of the quotas page, each with its own refusal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MAX_SECTION_BYTES", "check_section", "check_values", "size_bytes"]

MAX_SECTION_BYTES = {"tags": 8 * 1024, "desired": 32 * 1024, "reported": 32 * 1024}

_MAX_KEY_BYTES = 1024
_MAX_STRING_BYTES = 4096
_MAX_OBJECTS_DEEP = 10
# Ours: IoT Hub documents the depth of objects only, and arrays may not nest without bound either.
_MAX_ARRAYS_DEEP = 10
_LEAST_INT, _LARGEST_INT = -(2**52), 2**52 - 1
_NUMBER_BYTES, _BOOLEAN_BYTES = 8, 4

_BAD_IN_KEY = re.compile(r"[\x00-\x1f\x7f-\x9f.$ #]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_values(section: str, values: Mapping[str, Any]) -> None:
    """Check every key and value of a change or of a whole section, except its size.

    Args:
        section: the name that a refusal shows.
        values: a JSON object; a null in it stands for a deletion.

    Raises:
        Refusal: 400004, with the path of the first offender.
    """
    pending: list[tuple[str, Any, int, int]] = [(section, values, 0, 0)]
    while pending:
        path, value, objects, arrays = pending.pop()
        if isinstance(value, dict):
            if objects > _MAX_OBJECTS_DEEP:
                _refuse(path, f"objects nest at most {_MAX_OBJECTS_DEEP} deep")
            for key, child in value.items():
                _check_key(path, key)
                pending.append((f"{path}.{key}", child, objects + 1, arrays))
        elif isinstance(value, list):
            if arrays == _MAX_ARRAYS_DEEP:
                _refuse(path, f"arrays nest at most {_MAX_ARRAYS_DEEP} deep")
            pending += [(f"{path}[{index}]", child, objects, arrays + 1) for index, child in enumerate(value)]
        elif value is None and arrays:
            _refuse(path, "null deletes a key and cannot stand inside an array")
        else:
            _check_scalar(path, value)


def check_section(section: str, values: Mapping[str, Any]) -> None:
    """Check the size of a section as it would be stored.

    Raises:
        Refusal: 400004, it is larger than `MAX_SECTION_BYTES`.
    """
    size, limit = size_bytes(values), MAX_SECTION_BYTES[section]
    if size > limit:
        _refuse(section, f"{size} bytes are more than the limit of {limit}")


def size_bytes(value: Any) -> int:
    """Count as the service does: keys and strings without control characters, a number 8, a boolean 4."""
    if isinstance(value, dict):
        total = 0  # a loop, as it takes half the time of sum() on objects as small as those of twins
        for key, child in value.items():
            total += _text_bytes(key) + size_bytes(child)
        return total
    if isinstance(value, list):
        return sum(map(size_bytes, value))
    if isinstance(value, str):
        return _text_bytes(value)
    return _BOOLEAN_BYTES if isinstance(value, bool) else _NUMBER_BYTES


def _text_bytes(text: str) -> int:
    # ASCII needs neither the pattern nor the copy, and is what nearly every twin holds.
    if text.isascii() and text.isprintable():
        return len(text)
    return len(_CONTROL.sub("", text).encode())


def _check_key(path: str, key: str) -> None:
    if len(key.encode()) > _MAX_KEY_BYTES:
        _refuse(path, f"a key is longer than {_MAX_KEY_BYTES} bytes")
    if _BAD_IN_KEY.search(key):
        _refuse(path, f"the key {key!r} holds a control character, a space, or one of . $ #")


def _check_scalar(path: str, value: Any) -> None:
    if isinstance(value, str) and len(value) * 4 > _MAX_STRING_BYTES and len(value.encode()) > _MAX_STRING_BYTES:
        _refuse(path, f"a string is longer than {_MAX_STRING_BYTES} bytes")
    if isinstance(value, int) and not _LEAST_INT <= value <= _LARGEST_INT:
        _refuse(path, f"{value} lies outside {_LEAST_INT}..{_LARGEST_INT}")


def _refuse(path: str, fault: str) -> None:
    raise Refusal(Why.ARGUMENT_INVALID, f"{path[:200]}: {fault}.")
