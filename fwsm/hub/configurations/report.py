"""A configuration as an operator reads it, with what its metrics count at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.configurations.configuration import read_metric
from fwsm.hub.queries import count
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from fwsm.hub.configurations.configuration import Configuration
    from fwsm.hub.engine import Engine

__all__ = ["configuration_document"]


def configuration_document(engine: Engine, configuration: Configuration) -> dict[str, Any]:
    """Return a configuration in the shape of its REST resource."""
    return {
        "id": configuration.configuration_id,
        "schemaVersion": configuration.schema_version,
        "labels": configuration.labels,
        "content": {configuration.kind: configuration.content},
        "targetCondition": configuration.target,
        "createdTimeUtc": timestamp(configuration.created_at),
        "lastUpdatedTimeUtc": timestamp(configuration.updated_at),
        "priority": configuration.priority,
        "systemMetrics": _system_metrics(engine, configuration),
        "metrics": {
            "results": {name: count(engine, read_metric(text)) for name, text in configuration.metrics.items()},
            "queries": configuration.metrics,
        },
        "etag": configuration.etag,
    }


def _system_metrics(engine: Engine, configuration: Configuration) -> dict[str, Any]:
    name = configuration.configuration_id
    placements = engine.configurations.placements()
    select = "select deviceId from devices"
    if configuration.kind == "moduleContent":
        select += ".modules"
    return {
        "results": {
            "targetedCount": sum(name in placement.targeted for placement in placements),
            "appliedCount": sum(name == placement.applied for placement in placements),
        },
        "queries": {
            "targetedCount": f"{select} where configurations.[[{name}]].status IN ['Targeted', 'Applied']",
            "appliedCount": f"{select} where configurations.[[{name}]].status = 'Applied'",
        },
    }
