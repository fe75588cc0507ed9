"""Configurations as an operator reads them, with what their metrics count at this moment."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fwsm.hub.configurations.configuration import read_metric
from fwsm.hub.pace import Pace
from fwsm.hub.queries import counts
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fwsm.hub.configurations.configuration import Configuration
    from fwsm.hub.engine import Engine

__all__ = ["configuration_documents"]


async def configuration_documents(engine: Engine, configurations: Sequence[Configuration]) -> list[dict[str, Any]]:
    """Return configurations in the shape of their REST resource."""
    pace, queries = Pace(engine.monotonic), []
    for text in (text for configuration in configurations for text in configuration.metrics.values()):
        queries.append(read_metric(text))
        await pace.keep()
    results = iter(await counts(engine, queries))
    placements = engine.configurations.placements()
    targeted = Counter(name for placement in placements for name in placement.targeted)
    applied = Counter(placement.applied for placement in placements)
    return [
        {
            "id": configuration.configuration_id,
            "schemaVersion": configuration.schema_version,
            "labels": configuration.labels,
            "content": {configuration.kind: configuration.content},
            "targetCondition": configuration.target,
            "createdTimeUtc": timestamp(configuration.created_at),
            "lastUpdatedTimeUtc": timestamp(configuration.updated_at),
            "priority": configuration.priority,
            "systemMetrics": _system_metrics(configuration, targeted, applied),
            "metrics": {
                "results": {name: next(results) for name in configuration.metrics},
                "queries": configuration.metrics,
            },
            "etag": configuration.etag,
        }
        for configuration in configurations
    ]


def _system_metrics(configuration: Configuration, targeted: Counter[str], applied: Counter[str]) -> dict[str, Any]:
    name = configuration.configuration_id
    select = "select deviceId from devices"
    if configuration.kind == "moduleContent":
        select += ".modules"
    return {
        "results": {"targetedCount": targeted[name], "appliedCount": applied[name]},
        "queries": {
            "targetedCount": f"{select} where configurations.[[{name}]].status IN ['Targeted', 'Applied']",
            "appliedCount": f"{select} where configurations.[[{name}]].status = 'Applied'",
        },
    }
