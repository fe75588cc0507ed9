"""One event of the feed, in the shape in which IoT Hub puts it into its event endpoint.

Telemetry and three kinds of news about devices look alike from outside: a body, system properties, application
properties, and annotations of the hub. Names and values are those of "Azure IoT Hub non-telemetry event schemas" and
"Create and read IoT Hub messages".
"""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fwsm.hub.events import Connected, Disconnected, TelemetryReceived, TwinAdded, TwinChanged, TwinRemoved
from fwsm.hub.jsontext import compact, parse
from fwsm.hub.refusal import Refusal
from fwsm.hub.timestamp import timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fwsm.hub.events import Event, Sender
    from fwsm.hub.twin import Twin

__all__ = ["EventData", "event_data"]


# An event that is read twice is the same one, so its id is made of what makes it one.
_CORRELATIONS = uuid.UUID("6f1f2f6e-6a52-4c5b-9a0e-0d5f5f8f1c11")


@dataclass(frozen=True, slots=True)
class EventData:
    """One event.

    Attributes:
        sequence_number: grows by one with every event; the position of the event in the feed.
        enqueued_at: epoch seconds.
        body: telemetry as it was sent, else JSON.
        system: `message-id`, `content-type`, … as far as they were set.
        application: what the sender added; of news about devices `opType`, `hubName`, `operationTimestamp`, ….
        annotations: what the hub added: `iothub-connection-device-id`, `iothub-message-source`, ….
    """

    sequence_number: int
    enqueued_at: float
    body: bytes
    system: Mapping[str, str]
    application: Mapping[str, str | None]
    annotations: Mapping[str, Any]

    @property
    def device_id(self) -> str:
        """Whom it is about."""
        return str(self.annotations["iothub-connection-device-id"])

    @property
    def module_id(self) -> str | None:
        """The module of the device; None for the device itself."""
        return self.annotations.get("iothub-connection-module-id")

    @property
    def source(self) -> str:
        """`Telemetry`, `twinChangeEvents`, `deviceConnectionStateEvents` or `deviceLifecycleEvents`."""
        return str(self.annotations["iothub-message-source"])

    def json(self) -> Any:
        """Return the body as a JSON value; raises ValueError when it is none."""
        return json.loads(self.body)

    def document(self) -> dict[str, Any]:
        """Return the event as REST shows it: the body as JSON, else as text, else as `bodyBase64`."""
        body: dict[str, Any]
        try:
            body = {"body": parse(self.body)}
        except Refusal:
            try:
                body = {"body": self.body.decode()}
            except UnicodeDecodeError:
                body = {"bodyBase64": base64.b64encode(self.body).decode()}
        return {
            "sequenceNumber": self.sequence_number,
            "annotations": self.annotations,
            "systemProperties": self.system,
            "properties": self.application,
            **body,
        }


def event_data(hub_name: str, sequence_number: int, at: float, event: Event) -> EventData | None:
    """Return what the feed shows of an event of the hub that came `at` (epoch seconds); None when it shows nothing."""
    match event:
        case TelemetryReceived():
            annotations = _annotations(event.client_id, "Telemetry", sequence_number, at)
            annotations |= _provenance(event.sender)
            return EventData(sequence_number, at, event.body, event.bag.system, event.bag.application, annotations)
        case Connected() | Disconnected():
            came = isinstance(event, Connected)
            news = _News("deviceConnectionState", "deviceConnected" if came else "deviceDisconnected")
            body: dict[str, Any] = {"sequenceNumber": f"{sequence_number:064X}"}
        case TwinChanged():
            news = _News("twinChange", "updateTwin" if event.replacement is None else "replaceTwin", "twinChangeEvents")
            body = _change(event) if event.replacement is None else _whole(event.client_id, event.replacement)
        case TwinAdded() | TwinRemoved():
            added = isinstance(event, TwinAdded)
            news = _News("deviceLifecycle", "createDeviceIdentity" if added else "deleteDeviceIdentity")
            body = _whole(event.client_id, event.twin)
        case _:
            return None
    device_id, _, module_id = event.client_id.partition("/")
    application = {
        "hubName": hub_name,
        "deviceId": device_id,
        **({"moduleId": module_id} if module_id else {}),
        "operationTimestamp": timestamp(at),
        "iothub-message-schema": f"{news.schema}Notification",
        "opType": news.operation,
    }
    system = {
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "correlation-id": uuid.uuid5(_CORRELATIONS, f"{hub_name} {sequence_number} {at}").hex,
        "user-id": hub_name,
    }
    annotations = _annotations(event.client_id, news.source or f"{news.schema}Events", sequence_number, at)
    return EventData(sequence_number, at, compact(body), system, application, annotations)


@dataclass(frozen=True, slots=True)
class _News:
    schema: str
    operation: str
    source: str = ""


def _annotations(client_id: str, source: str, sequence_number: int, at: float) -> dict[str, Any]:
    device_id, _, module_id = client_id.partition("/")
    milliseconds = int(at * 1000)
    return {
        "iothub-connection-device-id": device_id,
        **({"iothub-connection-module-id": module_id} if module_id else {}),
        "iothub-enqueuedtime": milliseconds,
        "iothub-message-source": source,
        "x-opt-sequence-number": sequence_number,
        "x-opt-offset": str(sequence_number),
        "x-opt-enqueued-time": milliseconds,
    }


def _provenance(sender: Sender) -> dict[str, Any]:
    issuer = "iothub" if sender.kind == "sas" else "external"
    method = {"scope": sender.scope, "type": sender.kind, "issuer": issuer, "acceptingIpFilterRule": None}
    return {
        "iothub-connection-auth-method": compact(method).decode(),
        "iothub-connection-auth-generation-id": str(sender.generation),
        **({"dt-dataschema": sender.model_id} if sender.model_id else {}),
    }


def _whole(client_id: str, twin: Twin) -> dict[str, Any]:
    device_id, _, module_id = client_id.partition("/")
    return {
        "deviceId": device_id,
        **({"moduleId": module_id} if module_id else {}),
        "etag": twin.etag,
        "version": twin.version,
        **({"tags": twin.tags} if twin.tags else {}),
        "properties": {"desired": twin.desired.full_document(), "reported": twin.reported.full_document()},
    }


def _change(event: TwinChanged) -> dict[str, Any]:
    properties = {}
    for name, version in event.versions.items():
        stamp: dict[str, Any] = {"$lastUpdated": timestamp(event.at)}
        if name == "desired":
            stamp["$lastUpdatedVersion"] = version
        patch = event.change[name]
        properties[name] = {**patch, "$metadata": _stamps(patch, stamp), "$version": version}
    return {
        "version": event.version,
        **({"tags": event.change["tags"]} if "tags" in event.change else {}),
        **({"properties": properties} if properties else {}),
    }


def _stamps(patch: Mapping[str, Any], stamp: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of a patch: every part of it was written now."""
    below = {name: _stamps(value, stamp) if isinstance(value, dict) else stamp for name, value in patch.items()}
    return {**stamp, **below}
