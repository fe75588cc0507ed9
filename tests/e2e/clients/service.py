"""An operator on azure-iot-hub: does one scene against a hub and prints as JSON what came of it.

    service.py registry|twin|method|query|jobs|configurations       with its CONNECTION_STRING

The hub has the devices d1, which listens where a scene needs that, and d2, which does not. node/service.js plays the
same scenes, so that one set of tests is for both.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from azure.iot.hub import IoTHubConfigurationManager, IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, QuerySpecification, Twin, TwinProperties
from azure.iot.hub.protocol.models import Configuration, ConfigurationContent, JobRequest
from msrest.exceptions import DeserializationError, HttpOperationError  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = os.environ["CONNECTION_STRING"]


def _status(call: Callable[[], object]) -> int | None:
    """Return the HTTP status with which a call is refused."""
    try:
        call()
    except HttpOperationError as error:
        status: int = error.response.status_code
        return status
    return None


def registry() -> dict[str, Any]:
    """Create, read, change, list, count and delete."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    keys = ["A" * 43 + "=", "B" * 42 + "A="]
    created = operator.create_device_with_sas("d3", *keys, "enabled")
    again = _status(lambda: operator.create_device_with_sas("d3", *keys, "enabled"))
    operator.update_device_with_sas("d3", created.etag, *keys, "disabled")
    stale = _status(lambda: operator.update_device_with_sas("d3", created.etag, *keys, "enabled"))
    read = operator.get_device("d3")
    listed = sorted(device.device_id for device in operator.get_devices(10))
    disabled = operator.get_device_registry_statistics().disabled_device_count
    operator.create_module_with_sas("d3", "m1", "nobody", *keys)
    modules = [module.module_id for module in operator.get_modules("d3")]
    operator.delete_device("d3")
    return {
        "again": again,
        "stale": stale,
        "status": read.status,
        "key": read.authentication.symmetric_key.primary_key,
        "listed": listed,
        "disabled": disabled,
        "modules": modules,
        "gone": _status(lambda: operator.get_device("d3")),
    }


def twin() -> dict[str, Any]:
    """Change with an etag, with a stale one, and read."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    etag = operator.get_twin("d1").etag
    patch = Twin(tags={"site": "a"}, properties=TwinProperties(desired={"x": {"y": [1]}}))
    operator.update_twin("d1", patch, etag)
    stale = _status(lambda: operator.update_twin("d1", patch, etag))
    read = operator.get_twin("d1")
    return {"stale": stale, "tags": read.tags, "x": read.properties.desired["x"]}


def method() -> dict[str, Any]:
    """Call a device that listens, and one that does not."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    call = CloudToDeviceMethod(method_name="echo", payload={"a": [1]}, response_timeout_in_seconds=20)
    result = operator.invoke_device_method("d1", call)
    return {
        "status": result.status,
        "payload": result.payload,
        "offline": _status(lambda: operator.invoke_device_method("d2", call)),
    }


def query() -> dict[str, Any]:
    """Read pages of one row, an aggregate, and a text that is no query."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    pages, token, more = [], None, True
    while more:
        page = operator.query_iot_hub(QuerySpecification(query="SELECT * FROM devices"), token, 1)
        pages.append([row.device_id for row in page.items])
        token, more = page.continuation_token, page.continuation_token is not None
    wrong = _status(lambda: operator.query_iot_hub(QuerySpecification(query="SELECT * FRO devices")))
    return {"pages": pages, "wrong": wrong}


def jobs() -> dict[str, Any]:
    """Change twins, see the end of it and the outcome of each device, and ask for what is not there."""
    operator = IoTHubJobManager.from_connection_string(TEXT)
    request = JobRequest(
        job_id="j1",
        type="scheduleUpdateTwin",
        update_twin=Twin(etag="*", tags={"job": 1}),
        query_condition="deviceId IN ['d1', 'd2']",
        max_execution_time_in_seconds=60,
    )
    operator.create_scheduled_job("j1", request)
    again = _status(lambda: operator.create_scheduled_job("j1", request))
    for _ in range(100):
        job = operator.get_scheduled_job("j1")
        if job.status not in {"queued", "scheduled", "running"}:
            break
        threading.Event().wait(0.2)
    try:
        listed = [job.job_id for job in operator.query_scheduled_jobs("scheduleUpdateTwin", "completed")]
    except DeserializationError:
        listed = ["DeserializationError"]
    return {
        "again": again,
        "status": job.status,
        "succeeded": job.device_job_statistics.succeeded_count,
        "listed": listed,
        "unknown": operator.get_scheduled_job("j9").status,
        "cancelled": _status(lambda: operator.cancel_scheduled_job("j9")),
    }


def configurations() -> dict[str, Any]:
    """Create, read, list, change the priority, apply to one device, and delete another."""
    operator = IoTHubConfigurationManager.from_connection_string(TEXT)
    content = ConfigurationContent(device_content={"properties.desired.fw": {"v": 2}})
    created = operator.create_configuration(
        Configuration(id="c1", schema_version="1.0", content=content, target_condition="deviceId = 'd1'", priority=1)
    )
    created.priority = 5
    operator.update_configuration(created, f'"{created.etag}"')
    unquoted = _status(lambda: operator.update_configuration(created, created.etag))
    operator.create_configuration(Configuration(id="c2", schema_version="1.0", content=content, priority=1))
    operator.delete_configuration("c2")
    return {
        "priority": operator.get_configuration("c1").priority,
        "unquoted": unquoted,
        "listed": [found.id for found in operator.get_configurations(10)],
        "gone": _status(lambda: operator.get_configuration("c2")),
    }


if __name__ == "__main__":
    scenes = {scene.__name__: scene for scene in (registry, twin, method, query, jobs, configurations)}
    json.dump(scenes[sys.argv[1]](), sys.stdout)
