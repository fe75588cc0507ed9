"""Keeps twins in step with configurations: who is targeted, who wins, who is given content.

A twin is looked at when it or a configuration changes, and all twins every five minutes, which is how often IoT Hub
looks. Content is written when a twin comes to a configuration, not again afterwards: what an operator changes by hand
stays changed. A twin that leaves goes to the configuration with the next lower priority; what was written stays.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fwsm.hub.configurations.configuration import read_target
from fwsm.hub.configurations.configurations import Placement
from fwsm.hub.configurations.direct import give
from fwsm.hub.events import TwinAdded, TwinChanged, TwinRemoved, WorkWaiting
from fwsm.hub.operator import twin_document
from fwsm.hub.pace import Pace
from fwsm.hub.refusal import Refusal

if TYPE_CHECKING:
    from fwsm.hub.configurations.configuration import Configuration, Target
    from fwsm.hub.engine import Engine
    from fwsm.hub.events import Event

__all__ = ["Deployer"]

_LOOK_AT_ALL_EVERY_S = 300.0
# What target conditions are about. Desired properties are what configurations write themselves.
_ASKED_ABOUT = {"tags", "reported"}

_log = logging.getLogger(__name__)


class Deployer:
    """Carries the configurations of one hub out.

    Args:
        engine: the hub.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: list[Configuration] = []
        self._ranked: list[tuple[Configuration, Target]] = []
        self._changed: dict[str, None] = {}  # in their order, as far as it was made
        self._looked_at_all_at: float | None = None
        engine.events.subscribe(self._on_event, TwinAdded, TwinChanged, TwinRemoved)

    def tick(self) -> None:
        """Look at the twins that want it; to be called about once a second, in the hub's thread.

        What is left when the share of this work is spent (see `pace`) waits for the next call, for which it asks.
        """
        now, known = self._engine.wall(), self._engine.configurations.listed()
        changed, self._changed = sorted(self._changed), {}
        if not known and not self._engine.configurations.placements():
            self._known = known
            return
        if known != self._known or self._is_time(now):
            self._known, self._looked_at_all_at = known, now
            ranked = sorted(known, key=lambda configuration: configuration.rank, reverse=True)
            self._ranked = [(configuration, read_target(configuration.target)) for configuration in ranked]
            changed = sorted(self._engine.registry.client_ids())
        pace = Pace(self._engine.monotonic)
        for place, client_id in enumerate(changed):
            self._look_at(client_id)
            if pace.spent:
                self._changed |= dict.fromkeys(changed[place + 1 :])
                break
        if self._changed:
            self._engine.events.publish(WorkWaiting())

    def _is_time(self, now: float) -> bool:
        last = self._looked_at_all_at
        return last is None or not 0 <= now - last < _LOOK_AT_ALL_EVERY_S

    def _look_at(self, client_id: str) -> None:
        if self._engine.registry.find(client_id) is None:
            return
        configurations = self._engine.configurations
        document = twin_document(self._engine, client_id)
        targeting = [configuration for configuration, target in self._ranked if target.includes(document)]
        names = tuple(configuration.configuration_id for configuration in targeting)
        old = configurations.placement(client_id)
        if not targeting:
            configurations.forget(client_id)
        elif old.applied == names[0] and old.applied_birth == targeting[0].created_at:
            configurations.place(client_id, Placement(names, old.applied, old.applied_birth))
        elif self._apply(client_id, targeting[0]):
            configurations.place(client_id, Placement(names, names[0], targeting[0].created_at))
        else:
            configurations.place(client_id, Placement(names))

    def _apply(self, client_id: str, configuration: Configuration) -> bool:
        try:
            give(self._engine, client_id, configuration.content)
        except Refusal as refusal:
            # The twin is full. It stays targeted, and is tried again when it changes or at the next look at all.
            _log.warning("%s cannot be applied to %s: %s", configuration.configuration_id, client_id, refusal.message)
            return False
        return True

    def _on_event(self, event: Event) -> None:
        match event:
            case TwinRemoved():  # at once: another device may come under its name before the next look
                self._engine.configurations.forget(event.client_id)
            case TwinAdded():
                self._changed[event.client_id] = None
            case TwinChanged() if self._known and (event.replacement or event.change.keys() & _ASKED_ABOUT):
                self._changed[event.client_id] = None
            case _:
                pass
