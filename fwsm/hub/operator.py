"""Identities and twins as an operator reads them: what the registry and the twin know, joined with who is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fwsm.hub.timestamp import NEVER

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.registry import Identity

__all__ = ["identity_document", "twin_document"]


def identity_document(engine: Engine, identity: Identity) -> dict[str, Any]:
    """Return an identity in the shape of the registry's REST resource."""
    return identity.document(connected=engine.links.connected(identity.device_id))


def twin_document(engine: Engine, device_id: str) -> dict[str, Any]:
    """Return a twin in the shape of the twin's REST resource; raises Refusal 404001 for an unknown device."""
    identity, twin = engine.registry.get(device_id), engine.twins.get(device_id)
    return {
        "deviceId": device_id,
        "etag": twin.etag,
        "deviceEtag": identity.etag,
        "status": identity.status,
        "statusUpdateTime": NEVER,
        "connectionState": "Connected" if engine.links.connected(device_id) else "Disconnected",
        "lastActivityTime": NEVER,
        "cloudToDeviceMessageCount": 0,
        "authenticationType": "sas",
        "x509Thumbprint": {"primaryThumbprint": None, "secondaryThumbprint": None},
        "modelId": "",
        "version": twin.version,
        "tags": twin.tags,
        "properties": {"desired": twin.desired.full_document(), "reported": twin.reported.full_document()},
        "capabilities": {"iotEdge": False},
    }
