"""Digital twins and the commands of Plug and Play devices over REST: `/digitaltwins`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from starlette.responses import Response

from fwsm.hub.digitaltwin import desired_change, digital_twin
from fwsm.hub.methods import Call
from fwsm.hub.policy import Right
from fwsm.hub.rest.exchange import Route, answer, client_id, if_match_any, json_body, json_body_or_none, while_there
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


async def _get(engine: Engine, request: Request) -> Response:
    device_id = client_id(request)
    twin = engine.twins.get(device_id)
    document = digital_twin(twin, device_id, engine.presence.trace(device_id).model_id)
    return answer(document, headers={"ETag": f'"{twin.etag}"'})


async def _patch(engine: Engine, request: Request) -> Response:
    device_id, operations = client_id(request), await json_body(request)
    change = desired_change(engine.twins.get(device_id), operations)
    twin = engine.twins.update(device_id, {"properties": {"desired": change}}, if_match_any(request))
    return Response(status_code=202, headers={"ETag": f'"{twin.etag}"', "Location": f"/digitaltwins/{device_id}"})


async def _command(engine: Engine, request: Request) -> Response:
    """Call the direct method that a command is: `{command}`, or `{component}*{command}`."""
    names = (request.path_params[name] for name in ("component", "command") if name in request.path_params)
    asked = {
        "methodName": "*".join(names),
        "payload": await json_body_or_none(request),
    }
    for name in ("connectTimeoutInSeconds", "responseTimeoutInSeconds"):
        text = request.query_params.get(name)
        if text is not None:
            asked[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text  # noqa: PLR2004
    result = await while_there(request, engine.methods.call(client_id(request), Call.from_body(asked)))
    return answer(
        result.payload, headers={"x-ms-command-statuscode": str(result.status), "x-ms-request-id": str(uuid.uuid4())}
    )


_PATH = "/digitaltwins/{device_id}"

ROUTES = (
    Route("GET", _PATH, Right.SERVICE_CONNECT, _get, Load.TWIN_READ),
    Route("PATCH", _PATH, Right.SERVICE_CONNECT, _patch, Load.TWIN_UPDATE),
    Route("POST", _PATH + "/commands/{command}", Right.SERVICE_CONNECT, _command, Load.METHOD),
    Route("POST", _PATH + "/components/{component}/commands/{command}", Right.SERVICE_CONNECT, _command, Load.METHOD),
)
