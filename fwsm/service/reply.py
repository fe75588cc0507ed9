"""Reading an answer of the hub: what was refused, and what cannot be read, ends in one of our errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from fwsm.errors import ServiceError
from fwsm.service.refusal import refusal

if TYPE_CHECKING:
    from fwsm.service.transport import Reply

__all__ = ["accepted", "decoded", "json_object", "objects", "strange"]

_OK: Final = range(200, 300)  # the service redirects nobody


def accepted(reply: Reply, device_id: str | None = None) -> Reply:
    """Return an answer that is no refusal; raises the error that a refusal stands for (see `refusal`)."""
    if reply.status not in _OK:
        raise refusal(reply, device_id)
    return reply


def decoded(data: bytes) -> Any:
    """Return a JSON value; raises ServiceError when it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise strange("it is not JSON") from error


def json_object(reply: Reply) -> dict[str, Any]:
    """Return the JSON object that is the body; raises ServiceError when it is none."""
    document = decoded(reply.body)
    if not isinstance(document, dict):
        raise strange("it is not a JSON object")
    return document


def objects(reply: Reply) -> list[dict[str, Any]]:
    """Return the JSON objects whose list is the body; raises ServiceError when it is something else."""
    rows = decoded(reply.body)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise strange("it is not a list of objects")
    return rows


def strange(why: str) -> ServiceError:
    """Return the error for an answer that no IoT hub gives."""
    return ServiceError(
        "the hub's answer cannot be read", why=why, fix="Check that HostName in the connection string is an IoT hub"
    )
