"""The device of device_sync.py, on the asyncio client of azure-iot-device."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from azure.iot.device import MethodResponse
from azure.iot.device.aio import IoTHubDeviceClient


async def _act(client: Any, name: str, payload: Any) -> Any:
    if name == "read":
        return await client.get_twin()
    if name == "report":
        return await client.patch_twin_reported_properties(payload)
    if name == "send":
        return await client.send_message(json.dumps(payload))
    return {"name": name, "payload": payload}


async def main() -> None:
    """Serve until the standard input ends."""
    client: Any = IoTHubDeviceClient.create_from_connection_string(
        os.environ["CONNECTION_STRING"], websockets=sys.argv[1] == "websocket", connection_retry_interval=1
    )

    async def answer(request: Any) -> None:
        try:
            status, payload = 200, await _act(client, request.name, request.payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test is to see it
            status, payload = 500, f"{error!r} because of {error.__cause__!r}"
        await client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    async def report(patch: dict[str, Any]) -> None:
        await client.patch_twin_reported_properties({"heard": json.dumps(patch)})

    await client.connect()
    client.on_method_request_received = answer
    client.on_twin_desired_properties_patch_received = report
    await client.patch_twin_reported_properties({"ready": True})
    await asyncio.to_thread(sys.stdin.read)
    await client.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
