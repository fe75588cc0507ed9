"""An operator on azure-iot-hub: does one scene against a hub and prints as JSON what came of it.

    service.py SCENE        with its CONNECTION_STRING; the scenes are the functions below

The hub has the devices d1, which listens where a scene needs that, and d2, which does not. node/service.js plays the
same scenes as far as its client can, so that one set of tests is for both.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.iot.hub import DigitalTwinClient, IoTHubConfigurationManager, IoTHubJobManager, IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, QuerySpecification, Twin, TwinProperties
from azure.iot.hub.protocol.models import (
    AuthenticationMechanism,
    Configuration,
    ConfigurationContent,
    ExportImportDevice,
    JobRequest,
    SymmetricKey,
)
from msrest.exceptions import DeserializationError, HttpOperationError  # type: ignore[import-not-found]

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = os.environ["CONNECTION_STRING"]
KEYS = ["A" * 43 + "=", "B" * 42 + "A="]


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
    created = operator.create_device_with_sas("d3", *KEYS, "enabled")
    again = _status(lambda: operator.create_device_with_sas("d3", *KEYS, "enabled"))
    operator.update_device_with_sas("d3", created.etag, *KEYS, "disabled")
    stale = _status(lambda: operator.update_device_with_sas("d3", created.etag, *KEYS, "enabled"))
    read = operator.get_device("d3")
    listed = sorted(device.device_id for device in operator.get_devices(10))
    disabled = operator.get_device_registry_statistics().disabled_device_count
    operator.create_module_with_sas("d3", "m1", "nobody", *KEYS)
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


def bulk() -> dict[str, Any]:
    """Create two devices at once, one of them again, and delete both."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    proof = AuthenticationMechanism(type="sas", symmetric_key=SymmetricKey(primary_key=KEYS[0], secondary_key=KEYS[1]))

    def ordered(mode: str) -> list[ExportImportDevice]:
        return [
            ExportImportDevice(id=name, import_mode=mode, status="enabled", authentication=proof)
            for name in ("b1", "b2")
        ]

    created = operator.bulk_create_or_update_devices(ordered("create")).is_successful
    again = operator.bulk_create_or_update_devices(ordered("create")[:1]).is_successful
    listed = sorted(device.device_id for device in operator.get_devices(10))
    deleted = operator.bulk_create_or_update_devices(ordered("delete")).is_successful
    left = sorted(device.device_id for device in operator.get_devices(10))
    return {"created": created, "again": again, "listed": listed, "deleted": deleted, "left": left}


def twin() -> dict[str, Any]:
    """Change with an etag, with a stale one, and read."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    etag = operator.get_twin("d1").etag
    patch = Twin(tags={"site": "a"}, properties=TwinProperties(desired={"x": {"y": [1]}}))
    operator.update_twin("d1", patch, etag)
    stale = _status(lambda: operator.update_twin("d1", patch, etag))
    read = operator.get_twin("d1")
    return {"stale": stale, "tags": read.tags, "x": read.properties.desired["x"]}


def replaced() -> dict[str, Any]:
    """Put a whole twin in the place of another."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    operator.update_twin("d1", Twin(tags={"old": 1}, properties=TwinProperties(desired={"old": 1})))
    etag = operator.get_twin("d1").etag
    whole = Twin(tags={"new": 1}, properties=TwinProperties(desired={"new": 1}))
    operator.replace_twin("d1", whole, etag)
    stale = _status(lambda: operator.replace_twin("d1", whole, etag))
    read = operator.get_twin("d1")
    desired = {name: value for name, value in read.properties.desired.items() if not name.startswith("$")}
    return {"stale": stale, "tags": read.tags, "desired": desired}


def module_twin() -> dict[str, Any]:
    """Change the twin of a module with its etag, with a stale one, and read."""
    operator = IoTHubRegistryManager.from_connection_string(TEXT)
    operator.create_module_with_sas("d1", "m1", "nobody", *KEYS)
    etag = operator.get_module_twin("d1", "m1").etag
    patch = Twin(tags={"site": "a"}, properties=TwinProperties(desired={"x": 1}))
    operator.update_module_twin("d1", "m1", patch, etag)
    stale = _status(lambda: operator.update_module_twin("d1", "m1", patch, etag))
    read = operator.get_module_twin("d1", "m1")
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


def _over(operator: Any, job_id: str) -> Any:
    for _ in range(100):
        job = operator.get_scheduled_job(job_id)
        if job.status not in {"queued", "scheduled", "running"}:
            break
        threading.Event().wait(0.2)
    return job


def digital_twin() -> dict[str, Any]:
    """Patch a component, read it, and call a command of the device and one of a component."""
    operator = DigitalTwinClient.from_connection_string(TEXT)
    operator.update_digital_twin("d1", [{"op": "add", "path": "/t1/target", "value": 20}])
    read = operator.get_digital_twin("d1")
    return {
        "id": read["$dtId"],
        "t1": read["t1"]["$metadata"]["target"]["desiredValue"],
        "command": operator.invoke_command("d1", "go", {"a": 1}),
        "component": operator.invoke_component_command("d1", "t1", "go", "now", 5, 20),
        "offline": _status(lambda: operator.invoke_command("d2", "go", {})),
    }


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
    job = _over(operator, "j1")
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


def method_job() -> dict[str, Any]:
    """Call a method on a device that listens and on one that does not."""
    operator = IoTHubJobManager.from_connection_string(TEXT)
    request = JobRequest(
        job_id="m1",
        type="scheduleDeviceMethod",
        cloud_to_device_method=CloudToDeviceMethod(method_name="echo", payload={"a": 1}),
        query_condition="deviceId IN ['d1', 'd2']",
        max_execution_time_in_seconds=60,
    )
    operator.create_scheduled_job("m1", request)
    job = _over(operator, "m1")
    counts = job.device_job_statistics
    return {"status": job.status, "succeeded": counts.succeeded_count, "failed": counts.failed_count}


def cancelled() -> dict[str, Any]:
    """Cancel a job that waits for its hour."""
    operator = IoTHubJobManager.from_connection_string(TEXT)
    request = JobRequest(
        job_id="c1",
        type="scheduleUpdateTwin",
        update_twin=Twin(etag="*", tags={"job": 1}),
        query_condition="deviceId = 'd1'",
        start_time=datetime.now(UTC) + timedelta(hours=1),
        max_execution_time_in_seconds=60,
    )
    operator.create_scheduled_job("c1", request)
    before = operator.get_scheduled_job("c1").status
    operator.cancel_scheduled_job("c1")
    return {"before": before, "after": _over(operator, "c1").status}


def configurations() -> dict[str, Any]:
    """Create two, change the priority of one, delete the other, read and list."""
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
    json.dump(globals()[sys.argv[1]](), sys.stdout)
