"""The operator's side: what asks devices for updates and follows them, over the hub's REST side.

- `client`: registry, twins and direct methods
- `embedded`: what the embedded hub has beside these
- `trigger`: ask a device for an update
- `command`: ask a device for anything
- `answer`: what it says to that
- `online`: ask it as soon as it can be asked
- `watch`: follow it on the twin until it settles
- `jobs`: the same command for many devices, as a job of the hub
- `fleet`: follow many updates
- `presence`: whether the hub answers meanwhile
- `section`: what the device says there
- `transport`: one authorised request, and when it may be sent again
- `reply`: reading an answer
- `refusal`: what the hub means when it says no
- `sas`: access with the key of a policy
- `entra`: access with an identity of Entra ID
"""

from __future__ import annotations

from fwsm.service.answer import Answer
from fwsm.service.client import Client, Identity, MethodAnswer, require_client_id, require_device_id
from fwsm.service.command import CANCEL, RETRY, STATUS, Command, send, update
from fwsm.service.embedded import EFFECTS, LOST, OPERATIONS, EmbeddedClient, FeedEvent
from fwsm.service.entra import EntraAccess
from fwsm.service.fleet import Lost, Seen, sections, watch_fleet
from fwsm.service.jobs import Job, Outcome, count, follow_job, jobs, outcomes, start_job
from fwsm.service.online import first_look, when_online
from fwsm.service.presence import HubAway, HubBack
from fwsm.service.sas import SharedAccess
from fwsm.service.section import Section
from fwsm.service.transport import Transport
from fwsm.service.trigger import requested, trigger
from fwsm.service.watch import Interest, Snapshot, watch

__all__ = [
    "CANCEL",
    "EFFECTS",
    "LOST",
    "OPERATIONS",
    "RETRY",
    "STATUS",
    "Answer",
    "Client",
    "Command",
    "EmbeddedClient",
    "EntraAccess",
    "FeedEvent",
    "HubAway",
    "HubBack",
    "Identity",
    "Interest",
    "Job",
    "Lost",
    "MethodAnswer",
    "Outcome",
    "Section",
    "Seen",
    "SharedAccess",
    "Snapshot",
    "Transport",
    "count",
    "first_look",
    "follow_job",
    "jobs",
    "outcomes",
    "requested",
    "require_client_id",
    "require_device_id",
    "sections",
    "send",
    "start_job",
    "trigger",
    "update",
    "watch",
    "watch_fleet",
    "when_online",
]
