"""A device for tests of the operator's side: plain MQTT by paho, told beforehand what to answer and to report.

It reports as Microsoft's guide asks for: one patch in flight, the next one after the hub has answered.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import ssl
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from paho.mqtt.client import Client  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Sequence

    from paho.mqtt.client import MQTTMessage

    from fwsm.hub import Hub

__all__ = ["TUTORIAL_REPORTS", "Player"]

# What the device app of the 2016 tutorial reports, up to the changing times.
TUTORIAL_REPORTS: list[dict[str, Any]] = [
    {
        "fwPackageUri": "https://example.org/fw.img?sig=secret",
        "status": "waiting",
        "error": None,
        "startedWaitingTime": "2026-11-23T12:00:00.000Z",
    },
    {"status": "downloading"},
    {"status": "downloadComplete", "downloadCompleteTime": "2026-11-23T12:00:01.000Z"},
    {"status": "applying", "startedApplyingImage": "2026-11-23T12:00:02.000Z"},
    {"status": "applyComplete", "lastFirmwareUpdate": "2026-11-23T12:00:03.000Z"},
]

_PATCH = "$iothub/twin/PATCH/properties/reported/?$rid="


class Player:
    """A connected device that answers every direct method alike; a context manager.

    Args:
        hub: where it connects.
        device_id: who it is; registered if it is not yet.
        status: its answer to a method.
        payload: what comes with it.
        reports: sections that it reports, one after the other, once it has answered.

    Attributes:
        calls: payloads of the methods called so far.
        reports: what it reports after the next answer.
    """

    def __init__(
        self,
        hub: Hub,
        device_id: str,
        *,
        status: int = 200,
        payload: Any = "FirmwareUpdate started",
        reports: Sequence[dict[str, Any]] = (),
    ) -> None:
        self.calls: list[Any] = []
        self._hub = hub
        self._device_id = device_id
        self._answer = status, json.dumps(payload)
        self.reports = list(reports)
        self._waiting: deque[dict[str, Any]] = deque()
        key = hub.add_device(device_id).primary_key
        self._client = Client(device_id, clean_session=True)
        context = ssl.create_default_context(cafile=hub.ca_path)
        self._client.tls_set_context(context)
        self._client.username_pw_set(f"{hub.address}/{device_id}/?api-version=2021-04-12", self._token(key))
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def __enter__(self) -> Self:
        self._client.connect(self._hub.address, self._hub.mqtt_port)
        self._client.loop_start()
        self._hub.wait_reachable(self._device_id)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
        # Without a cycle through this object the client ends with it, and closes what it woke its loop by.
        self._client.on_connect = self._client.on_message = None

    def _token(self, key: str) -> str:
        resource = quote(f"{self._hub.address}/devices/{self._device_id}", safe="")
        expires = int(time.time()) + 3600
        digest = hmac.digest(base64.b64decode(key), f"{resource}\n{expires}".encode(), hashlib.sha256)
        return f"SharedAccessSignature sr={resource}&sig={quote(base64.b64encode(digest), safe='')}&se={expires}"

    def _on_connect(self, client: Client, *_: object) -> None:
        client.subscribe([("$iothub/twin/res/#", 0), ("$iothub/methods/POST/#", 0)])

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        method = re.fullmatch(r"\$iothub/methods/POST/\w+/\?\$rid=(\w+)", message.topic)
        if method:
            self.calls.append(json.loads(message.payload or b"null"))
            status, payload = self._answer
            client.publish(f"$iothub/methods/res/{status}/?$rid={method[1]}", payload)
            self._waiting.extend(self.reports)
        if self._waiting:
            self.report(self._waiting.popleft())

    def report(self, section: dict[str, Any]) -> None:
        """Report one section now; for a device that has no other on its way."""
        part = {"iothubDM": {"firmwareUpdate": section}}
        self._client.publish(f"{_PATCH}{len(self._waiting)}", json.dumps(part), qos=1)
