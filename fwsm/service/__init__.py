"""The operator's side: what asks devices for updates and follows them, over the hub's REST side.

- `client`: registry, twins and direct methods
- `trigger`: ask a device for an update
- `command`: ask a device for anything
- `answer`: what it says to that
- `online`: ask it as soon as it can be asked
- `watch`: follow it on the twin until it settles
- `presence`: whether the hub answers meanwhile
- `section`: what the device says there
- `transport`: one authorised request, and when it may be sent again
- `refusal`: what the hub means when it says no
- `sas`: access with the key of a policy
- `entra`: access with an identity of Entra ID
"""

from __future__ import annotations

from fwsm.service.answer import Answer
from fwsm.service.client import Client, Identity, MethodAnswer, require_device_id
from fwsm.service.command import CANCEL, RETRY, STATUS, Command, send, update
from fwsm.service.entra import EntraAccess
from fwsm.service.online import when_online
from fwsm.service.presence import HubAway, HubBack
from fwsm.service.sas import SharedAccess
from fwsm.service.section import Section
from fwsm.service.transport import Transport
from fwsm.service.trigger import requested, trigger
from fwsm.service.watch import Snapshot, watch

__all__ = [
    "CANCEL",
    "RETRY",
    "STATUS",
    "Answer",
    "Client",
    "Command",
    "EntraAccess",
    "HubAway",
    "HubBack",
    "Identity",
    "MethodAnswer",
    "Section",
    "SharedAccess",
    "Snapshot",
    "Transport",
    "requested",
    "require_device_id",
    "send",
    "trigger",
    "update",
    "watch",
    "when_online",
]
