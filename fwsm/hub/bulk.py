"""Many changes to the registry in one request: each by itself, each with an outcome of its own.

Source: "Import and export IoT Hub device identities in bulk" and `ExportImportDevice` in the service's OpenAPI
description.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.twin import Twin
from fwsm.hub.twins import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.engine import Engine

__all__ = ["apply_all"]

_MOST_ENTRIES = 100


def apply_all(engine: Engine, entries: Any) -> dict[str, Any]:
    """Apply the entries of a bulk request in their order, and return what became of them.

    An entry that fails changes nothing, and stops no other.

    Returns:
        `{"isSuccessful", "errors", "warnings"}`, with an error for each entry that failed.

    Raises:
        Refusal: 400004, the request is not a list of at most 100 objects with an id each.
    """
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST_ENTRIES:
        raise Refusal(Why.ARGUMENT_INVALID, f"The body is not a list of 1 to {_MOST_ENTRIES} devices.")
    named = [(_client_id(entry), entry) for entry in entries]
    times = Counter(client_id for client_id, _ in named)
    errors = []
    for client_id, entry in named:
        if times[client_id] > 1:
            errors.append(_error(entry, "DeviceDefinedMultipleTimes", f"{client_id} is in the list more than once."))
            continue
        try:
            _apply(engine, client_id, entry)
        except Refusal as refusal:
            errors.append(_error(entry, refusal.why.label, refusal.message))
    return {"isSuccessful": not errors, "errors": errors, "warnings": []}


def _client_id(entry: Any) -> str:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise Refusal(Why.ARGUMENT_INVALID, "An entry of the list is not an object with an id.")
    if "/" in entry["id"]:  # it would name a module
        raise Refusal(Why.ARGUMENT_INVALID, f"{entry['id'][:140]!r} is not the id of a device.")
    module_id = entry.get("moduleId")
    return f"{entry['id']}/{module_id}" if module_id else str(entry["id"])


def _error(entry: dict[str, Any], label: str, message: str) -> dict[str, Any]:
    module = {"moduleId": entry["moduleId"]} if entry.get("moduleId") else {}
    return {"deviceId": entry["id"], **module, "errorCode": label, "errorStatus": message}


def _apply(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    mode = entry.get("importMode") or "createOrUpdate"
    change = _MODES_IN_LOWER_CASE.get(mode.lower()) if isinstance(mode, str) else None
    if change is None:
        raise Refusal(Why.ARGUMENT_INVALID, f"importMode is {mode!r:.140}, not one of {', '.join(_MODES)}.")
    change(engine, client_id, entry)


def _create(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    Twin.new(0).with_change(*parts(entry), 0)  # the twin must not fail when the identity is there
    engine.registry.create(client_id, entry)
    _write_twin(engine, client_id, entry)


def _update(engine: Engine, client_id: str, entry: dict[str, Any], etag: str = "*") -> None:
    engine.twins.get(client_id).with_change(*parts(entry), 0)
    engine.registry.update(client_id, entry, etag)
    _write_twin(engine, client_id, entry)


def _update_matching(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    _update(engine, client_id, entry, _etag(entry, "eTag"))


def _create_or_update(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    change = _create if engine.registry.find(client_id) is None else _update
    change(engine, client_id, entry)


def _create_or_update_matching(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    change = _create if engine.registry.find(client_id) is None else _update_matching
    change(engine, client_id, entry)


def _delete(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:  # noqa: ARG001 - a mode takes an entry
    engine.registry.delete(client_id, "*")


def _delete_matching(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    engine.registry.delete(client_id, _etag(entry, "eTag"))


def _update_twin(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    engine.twins.update(client_id, entry)


def _update_twin_matching(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    engine.twins.update(client_id, entry, _etag(entry, "twinETag"))


def _write_twin(engine: Engine, client_id: str, entry: dict[str, Any]) -> None:
    if any(part is not None for part in parts(entry)):
        engine.twins.update(client_id, entry)


def _etag(entry: dict[str, Any], name: str) -> str:
    # The Node SDK sends the device as it was read, with `etag`.
    value = next((value for key, value in entry.items() if key.lower() == name.lower()), None)
    if not isinstance(value, str):
        raise Refusal(Why.ARGUMENT_INVALID, f"This importMode takes a {name}.")
    return value.strip('"')


_MODES: dict[str, Callable[[Engine, str, dict[str, Any]], None]] = {
    "create": _create,
    "createOrUpdate": _create_or_update,
    "createOrUpdateIfMatchETag": _create_or_update_matching,
    "update": _update,
    "updateIfMatchETag": _update_matching,
    "delete": _delete,
    "deleteIfMatchETag": _delete_matching,
    "updateTwin": _update_twin,
    "updateTwinIfMatchETag": _update_twin_matching,
}
# The Node SDK writes some of them with a capital.
_MODES_IN_LOWER_CASE = {mode.lower(): change for mode, change in _MODES.items()}
