"""A device that does what direct methods ask of it, on the synchronous client of azure-iot-device.

    device_sync.py mqtt|websocket       with its CONNECTION_STRING, until the standard input ends

`read` answers with the twin, `report` reports its payload, `send` sends it as telemetry, and `echo` gives it back. What
the client refuses is answered 500. A change of desired properties is reported as JSON text under `heard`; `ready` says
that the device listens. The other devices here do the same, so that one set of tests is for all of them.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from azure.iot.device import IoTHubDeviceClient, MethodResponse


def _act(client: Any, name: str, payload: Any) -> Any:
    if name == "read":
        return client.get_twin()
    if name == "report":
        return client.patch_twin_reported_properties(payload)
    if name == "send":
        return client.send_message(json.dumps(payload))
    return {"name": name, "payload": payload}


def main() -> None:
    """Serve until the standard input ends."""
    client: Any = IoTHubDeviceClient.create_from_connection_string(
        os.environ["CONNECTION_STRING"], websockets=sys.argv[1] == "websocket", connection_retry_interval=1
    )

    def answer(request: Any) -> None:
        try:
            status, payload = 200, _act(client, request.name, request.payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to see it
            status, payload = 500, f"{error!r} because of {error.__cause__!r}"
        client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    client.connect()
    client.on_method_request_received = answer
    client.on_twin_desired_properties_patch_received = lambda patch: client.patch_twin_reported_properties(
        {"heard": json.dumps(patch)}
    )
    client.patch_twin_reported_properties({"ready": True})
    sys.stdin.read()
    client.shutdown()


if __name__ == "__main__":
    main()
