"""A device twin as operators of Plug and Play devices see it: a digital twin. Pure.

A component is an object with `"__t": "c"`. A writable property is acknowledged by a report of the form
`{"value": …, "ac": code, "av": version, "ad": description}`; the digital twin shows its value, and the rest in
`$metadata`. The hub knows no models, so it checks nothing against them: what looks like a component is one.
Source: "Understand IoT Plug and Play digital twins" and "IoT Plug and Play conventions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from fwsm.hub.twin import JsonObject, Twin

__all__ = ["desired_change", "digital_twin"]

_MARK, _COMPONENT = "__t", "c"
_DEEPEST = 2  # a component and its property


def digital_twin(twin: Twin, device_id: str, model_id: str) -> JsonObject:
    """Return the digital twin of a device; `model_id` is the model that it claims, "" for none."""
    reported, desired = twin.reported, twin.desired
    whole = _part(reported.values, reported.metadata, desired.values, desired.metadata)
    return {"$dtId": device_id, **whole, "$metadata": {"$model": model_id, **whole["$metadata"]}}


def _part(reported: JsonObject, times: JsonObject, desired: JsonObject, versions: JsonObject) -> JsonObject:
    """Return the twin, or one of its components, from both sections and their metadata."""
    content: JsonObject = {}
    metadata: JsonObject = {}
    for name in dict.fromkeys((*reported, *desired)):
        has, wanted = reported.get(name), desired.get(name)
        if name == _MARK:
            continue
        if _is_component(has) or _is_component(wanted):
            content[name] = _part(_own(has), times.get(name, {}), _own(wanted), versions.get(name, {}))
            continue
        facts: JsonObject = {}
        if name in desired:
            facts |= {"desiredValue": wanted, "desiredVersion": versions[name]["$lastUpdatedVersion"]}
        if name in reported:
            content[name], acknowledgement = _acknowledged(has)
            facts |= acknowledgement | {"lastUpdateTime": times[name]["$lastUpdated"]}
        metadata[name] = facts
    return {**content, "$metadata": metadata}


def _is_component(value: Any) -> bool:
    return isinstance(value, dict) and value.get(_MARK) == _COMPONENT


def _own(value: Any) -> JsonObject:
    """Return the properties of what is a component, and none of anything else."""
    return value if _is_component(value) else {}


def _acknowledged(value: Any) -> tuple[Any, JsonObject]:
    """Return the value that a device reports, and what it says of the wish that it follows with it."""
    if not isinstance(value, dict) or not value.keys() >= {"value", "ac", "av"}:
        return value, {}
    named = (("ackVersion", "av"), ("ackCode", "ac"), ("ackDescription", "ad"))
    return value["value"], {name: value[short] for name, short in named if short in value}


def desired_change(twin: Twin, operations: Any) -> JsonObject:
    """Return the change of desired properties that a JSON Patch of the digital twin means.

    Raises:
        Refusal: 400004, it is no such patch, or goes beyond a property and the property of a component.
    """
    if not isinstance(operations, list):
        raise Refusal(Why.ARGUMENT_INVALID, "The body is not a JSON Patch, which is a list of operations.")
    change: JsonObject = {}
    for operation in operations:
        names, value = _meant(operation)
        if len(names) == 1:
            change[names[0]] = value
            continue
        first, name = names
        known = twin.reported.values.get(first, twin.desired.values.get(first))
        if known is not None and not _is_component(known):
            raise Refusal(Why.ARGUMENT_INVALID, f"{first[:100]} is a property; replace it as a whole.")
        component = change.get(first)
        if not isinstance(component, dict):
            component = change[first] = {_MARK: _COMPONENT}
        component[name] = value
    return change


def _meant(operation: Any) -> tuple[list[str], Any]:
    """Return the names on the path of an operation, and the value that is wanted there; None to remove it."""
    said = operation if isinstance(operation, dict) else {}
    kind, path, value = said.get("op"), said.get("path"), said.get("value")
    if kind not in ("add", "replace", "remove"):
        raise Refusal(Why.ARGUMENT_INVALID, f"op is {kind!r:.40}, not add, replace or remove.")
    first, *names = path.split("/") if isinstance(path, str) else ["?"]
    if first or not 1 <= len(names) <= _DEEPEST or not all(names):
        raise Refusal(Why.ARGUMENT_INVALID, f"path is {path!r:.140}, not /property, /component or /component/property.")
    names = [name.replace("~1", "/").replace("~0", "~") for name in names]
    if any(name.startswith("$") for name in names):
        raise Refusal(Why.ARGUMENT_INVALID, f"path is {path!r:.140}; what begins with $ is the hub's own.")
    if kind == "remove":
        return names, None
    if value is None:
        raise Refusal(Why.ARGUMENT_INVALID, f"{kind} at {path:.140} has no value; remove takes one away.")
    if isinstance(value, dict) and "$metadata" in value:  # so says the service's own notation: it is a component
        value = {_MARK: _COMPONENT, **{name: part for name, part in value.items() if name != "$metadata"}}
    return names, value
