"""All routes of the door, from the tables of its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.rest import (
    authorities,
    configurations,
    digitaltwins,
    events,
    faults,
    jobs,
    messages,
    queries,
    registry,
    twins,
)

if TYPE_CHECKING:
    from fwsm.hub.rest.exchange import Route

__all__ = ["ROUTES"]

ROUTES: tuple[Route, ...] = (
    *authorities.ROUTES,
    *configurations.ROUTES,
    *digitaltwins.ROUTES,
    *events.ROUTES,
    *faults.ROUTES,
    *jobs.ROUTES,
    *messages.ROUTES,
    *queries.ROUTES,
    *registry.ROUTES,
    *twins.ROUTES,
)
