"""Firmware updates for Azure IoT Hub devices that survive crashes and power cuts.

The rooms, upper ones may use lower ones and never the other way round:

- `fwsm.cli`: the command line, the only place that prints
- `fwsm.testing`: shipped for tests: power cuts, fakes, an image server with faults, processes to kill
- `fwsm.device`: acts: agent, reporter, link, download, installers
- `fwsm.service`: the operator's side: REST client, trigger, watch
- `fwsm.hub`: an IoT Hub on this machine; shares nothing with the device but the errors
- `fwsm.diagram`: draws the machine that runs
- `fwsm.store`: keeps: the only owner of SQL
- `fwsm.core`: decides: the lifecycle's table, policy, what goes on the wire; pure
- `fwsm.config`, `fwsm.errors`: settings, and everything that is raised on purpose
"""

from __future__ import annotations

from importlib.metadata import version

from fwsm.core.update import Limits, Request, State, Update
from fwsm.errors import FwsmError

__all__ = ["FwsmError", "Limits", "Request", "State", "Update", "__version__"]

__version__ = version("fwsm")
