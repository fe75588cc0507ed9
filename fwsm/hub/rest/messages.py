"""Cloud-to-device messages over REST.

Purging is IoT Hub's own; sending and feedback go over AMQP there, so `/$fwsm/…` stands in for them.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from fwsm.hub.cloudmessages import CloudMessage
from fwsm.hub.jsontext import compact
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, object_body
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]

_SYSTEM = {
    "messageId": "message-id",
    "correlationId": "correlation-id",
    "userId": "user-id",
    "contentType": "content-type",
    "contentEncoding": "content-encoding",
}


async def _send(engine: Engine, request: Request) -> Response:
    engine.messages.send(str(request.path_params["device_id"]), _message(await object_body(request)))
    return Response(status_code=204)


async def _purge(engine: Engine, request: Request) -> Response:
    device_id = str(request.path_params["device_id"])
    purged = engine.messages.purge(device_id)
    return answer({"deviceId": device_id, "moduleId": None, "totalMessagesPurged": purged})


async def _feedback(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    return answer(engine.messages.feedback())


def _message(body: dict[str, Any]) -> CloudMessage:
    system = {name: _text(body, wire) for wire, name in _SYSTEM.items() if body.get(wire) is not None}
    properties = {} if body.get("properties") is None else body["properties"]
    if not isinstance(properties, dict) or not all(isinstance(value, str | None) for value in properties.values()):
        raise Refusal(Why.ARGUMENT_INVALID, "properties is not an object of texts.")
    ttl_s = body.get("ttlSeconds", 3600)
    if isinstance(ttl_s, bool) or not isinstance(ttl_s, int | float):
        raise Refusal(Why.ARGUMENT_INVALID, f"ttlSeconds is {ttl_s!r:.40}, not a number.")
    return CloudMessage(_payload(body), system, properties, body.get("ack", "none"), ttl_s)


def _payload(body: dict[str, Any]) -> bytes:
    """Return the body of the message: `bodyBase64`, or `body`, a text as it is and anything else as JSON."""
    if "bodyBase64" in body:
        try:
            return base64.b64decode(_text(body, "bodyBase64"), validate=True)
        except binascii.Error:
            raise Refusal(Why.ARGUMENT_INVALID, "bodyBase64 is not base64.") from None
    content = body.get("body", "")
    return content.encode() if isinstance(content, str) else compact(content)


def _text(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise Refusal(Why.ARGUMENT_INVALID, f"{name} is {value!r:.40}, not a text.")
    return value


ROUTES = (
    Route("DELETE", "/devices/{device_id}/commands", Right.SERVICE_CONNECT, _purge),
    Route("POST", "/$fwsm/devices/{device_id}/messages", Right.SERVICE_CONNECT, _send, Load.MESSAGE),
    Route("GET", "/$fwsm/feedback", Right.SERVICE_CONNECT, _feedback),
)
