"""Identities and twins as an operator reads them: what the registry and the twin know, joined with who is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.identity import Identity

__all__ = ["identity_document", "twin_document"]


def identity_document(engine: Engine, identity: Identity) -> dict[str, Any]:
    """Return an identity in the shape of the registry's REST resource."""
    trace = engine.presence.trace(identity.client_id)
    return identity.document() | {
        "connectionState": _connection_state(engine, identity.client_id),
        "connectionStateUpdatedTime": trace.state_changed,
        "lastActivityTime": trace.last_active,
        "cloudToDeviceMessageCount": engine.messages.count(identity.client_id),
    }


def twin_document(engine: Engine, client_id: str) -> dict[str, Any]:
    """Return a twin in the shape of the twin's REST resource; raises Refusal 404001 or 404010."""
    identity, twin = engine.registry.get(client_id), engine.twins.get(client_id)
    configurations = engine.configurations.placement(client_id).document()
    return {
        "deviceId": identity.device_id,
        **({} if identity.module_id is None else {"moduleId": identity.module_id}),
        "etag": twin.etag,
        "deviceEtag": identity.etag,
        "status": identity.status,
        **({} if identity.status_reason is None else {"statusReason": identity.status_reason}),
        "statusUpdateTime": identity.status_updated,
        "connectionState": _connection_state(engine, client_id),
        "lastActivityTime": engine.presence.trace(client_id).last_active,
        "cloudToDeviceMessageCount": engine.messages.count(client_id),
        "authenticationType": identity.authentication_type,
        "x509Thumbprint": identity.thumbprint_document(),
        "modelId": engine.presence.trace(client_id).model_id,
        "version": twin.version,
        "tags": twin.tags,
        "properties": {"desired": twin.desired.full_document(), "reported": twin.reported.full_document()},
        "capabilities": {"iotEdge": False},
        **({"configurations": configurations} if configurations else {}),
    }


def _connection_state(engine: Engine, client_id: str) -> str:
    return "Connected" if engine.links.connected(client_id) else "Disconnected"
