"""The operator's side: what asks devices for updates and follows them, over the hub's REST side.

- `client`: registry, twins and direct methods
- `trigger`: ask a device for an update
- `watch`: follow it on the twin until it settles
- `section`: what the device says there
- `transport`: one authorised request, and when it may be sent again
- `refusal`: what the hub means when it says no
- `sas`: the token
"""

from __future__ import annotations

from fwsm.service.client import Client, Identity, MethodAnswer, require_device_id
from fwsm.service.section import Section
from fwsm.service.transport import Transport
from fwsm.service.trigger import Answer, requested, trigger
from fwsm.service.watch import HubAway, HubBack, Snapshot, watch

__all__ = [
    "Answer",
    "Client",
    "HubAway",
    "HubBack",
    "Identity",
    "MethodAnswer",
    "Section",
    "Snapshot",
    "Transport",
    "requested",
    "require_device_id",
    "trigger",
    "watch",
]
