"""A whole update on this machine, from the operator's trigger to the proved image, on a bad day of your choice.

Everything in it is real: the hub with its TLS and tokens, the image server, devices in processes of their own on the
real SDK, SIGKILL, the operator over REST. It tells what happens as it happens, and at the end what held.

- `telling`: what a run says: moments, and checks at the end
- `player`: one device with its operator, and what can be done to it
- `stage`: hub and image server, and the players on them
- `checks`: what must hold at the end
- `scenarios`: the bad days, by name
- `rehearsal`: one run
"""

from __future__ import annotations

from fwsm.testing.rehearsal.rehearsal import Rehearsal
from fwsm.testing.rehearsal.scenarios import FAULTS, KILLS, UNDISTURBED, Scenario
from fwsm.testing.rehearsal.telling import Check, Moment

__all__ = ["FAULTS", "KILLS", "UNDISTURBED", "Check", "Moment", "Rehearsal", "Scenario"]
