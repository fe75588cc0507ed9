"""`fwsm hub events`: follow the event feed of an embedded hub."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.hubaccess import hub_access_options
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.service import LOST, require_device_id

if TYPE_CHECKING:
    from fwsm.cli.hubaccess import HubAccess
    from fwsm.service import FeedEvent

__all__ = ["events"]

_LONGEST_POSITION: Final = 10**18 - 1


@click.command(short_help="Follow telemetry and news about devices.")
@click.option(
    "--after",
    type=click.IntRange(0, _LONGEST_POSITION),
    metavar="POSITION",
    help="Begin behind this event, with 0 at the oldest that is kept; without it, begin now.",
)
@click.option("--device", "device_id", metavar="ID", help="Events of this device and its modules only.")
@click.option("--count", type=click.IntRange(1), metavar="N", help="End after so many events.")
@hub_access_options
@json_option
@pass_output
def events(out: Output, /, *, after: int | None, device_id: str | None, count: int | None, access: HubAccess) -> None:
    """Follow telemetry and news about devices until Ctrl-C: position, device, source, what happened.

    With --json each line is the event as the hub shows it. What --after names is gone once 10,000 events have come
    behind it, or the hub has started again; that events are lost is told as well.
    """
    if device_id is not None:
        require_device_id(device_id)
    with access.client(out) as client:
        for event in islice(client.events(after, device_id), count):
            if event.source == LOST:
                out.data({"event": LOST, **event.document}, _lost(event))
            else:
                out.data({"event": "event", "source": event.source, **event.document}, _told(event))


def _lost(event: FeedEvent) -> str:
    return f"the events {event.document.get('from')} to {event.document.get('to')} are no longer kept"


def _told(event: FeedEvent) -> str:
    annotations: dict[str, Any] = event.document.get("annotations", {})
    names = (annotations.get(f"iothub-connection-{kind}-id") for kind in ("device", "module"))
    about = "/".join(str(name) for name in names if name is not None)
    what = event.document.get("properties", {}).get("opType")
    body = event.document.get("body", event.document.get("bodyBase64"))
    words = (f"{event.position}", about, event.source, what, json.dumps(body, ensure_ascii=False))
    return "  ".join(word for word in words if word)
