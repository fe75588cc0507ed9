"""Firmware updates for Azure IoT Hub devices that survive crashes and power cuts.

A program that embeds it makes a `Device` of a link, an installer, and whatever else it wants to bring:

    device = fwsm.Device("/var/lib/meter", link=fwsm.IoTHubLink(text), installer=fwsm.SlotInstaller(...))

All names of the list below are imported when they are first used, so that a program pays for what it uses.

The rooms, upper ones may use lower ones and never the other way round:

- `fwsm.cli`: the command line, the only place that prints
- `fwsm.testing`: shipped for tests: power cuts, contracts, fakes, an image server with faults, processes to kill
- `fwsm.device`: acts: agent, reporter, link, download, installers
- `fwsm.service`: the operator's side: REST client, trigger, watch
- `fwsm.hub`: an IoT Hub on this machine; shares nothing with the device but the errors
- `fwsm.diagram`: draws the machine that runs
- `fwsm.store`: keeps: the only owner of SQL
- `fwsm.core`: decides: the lifecycle's table, policy, what goes on the wire; pure
- `fwsm.config`, `fwsm.errors`: settings, and everything that is raised on purpose
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from fwsm.core.entry import Facts as Facts
    from fwsm.core.guards import Guard as Guard
    from fwsm.core.lifecycle import Extension as Extension
    from fwsm.core.lifecycle import Row as Row
    from fwsm.core.lifecycle import Step as Step
    from fwsm.core.lifecycle import Trigger as Trigger
    from fwsm.core.moment import Deadline as Deadline
    from fwsm.core.moment import Moment as Moment
    from fwsm.core.policy import AllOf as AllOf
    from fwsm.core.policy import Always as Always
    from fwsm.core.policy import Delay as Delay
    from fwsm.core.policy import NotBefore as NotBefore
    from fwsm.core.policy import Policy as Policy
    from fwsm.core.policy import Window as Window
    from fwsm.core.update import Artifact as Artifact
    from fwsm.core.update import Failure as Failure
    from fwsm.core.update import Limits as Limits
    from fwsm.core.update import Probe as Probe
    from fwsm.core.update import Progress as Progress
    from fwsm.core.update import Request as Request
    from fwsm.core.update import State as State
    from fwsm.core.update import Update as Update
    from fwsm.device.clock import SystemClock as SystemClock
    from fwsm.device.device import Device as Device
    from fwsm.device.download import HttpsDownload as HttpsDownload
    from fwsm.device.health import HealthCheck as HealthCheck
    from fwsm.device.health import command_check as command_check
    from fwsm.device.hooks import Entered as Entered
    from fwsm.device.installers.slots import SlotInstaller as SlotInstaller
    from fwsm.device.iothub import IoTHubLink as IoTHubLink
    from fwsm.device.ports import Clock as Clock
    from fwsm.device.ports import Download as Download
    from fwsm.device.ports import Installer as Installer
    from fwsm.device.ports import Link as Link
    from fwsm.device.ports import Message as Message
    from fwsm.device.ports import MethodCall as MethodCall
    from fwsm.device.ports import Trouble as Trouble
    from fwsm.device.ports import Twin as Twin
    from fwsm.errors import FwsmError as FwsmError
    from fwsm.errors import Kind as Kind
    from fwsm.store import HistoryRow as HistoryRow
    from fwsm.store import Retention as Retention

__all__ = [
    "AllOf",
    "Always",
    "Artifact",
    "Clock",
    "Deadline",
    "Delay",
    "Device",
    "Download",
    "Entered",
    "Extension",
    "Facts",
    "Failure",
    "FwsmError",
    "Guard",
    "HealthCheck",
    "HistoryRow",
    "HttpsDownload",
    "Installer",
    "IoTHubLink",
    "Kind",
    "Limits",
    "Link",
    "Message",
    "MethodCall",
    "Moment",
    "NotBefore",
    "Policy",
    "Probe",
    "Progress",
    "Request",
    "Retention",
    "Row",
    "SlotInstaller",
    "State",
    "Step",
    "SystemClock",
    "Trigger",
    "Trouble",
    "Twin",
    "Update",
    "Window",
    "__version__",
    "command_check",
]

# Where each public name is.
_HOMES: Final[dict[str, tuple[str, ...]]] = {
    "fwsm.core.entry": ("Facts",),
    "fwsm.core.guards": ("Guard",),
    "fwsm.core.lifecycle": ("Extension", "Row", "Step", "Trigger"),
    "fwsm.core.moment": ("Deadline", "Moment"),
    "fwsm.core.policy": ("AllOf", "Always", "Delay", "NotBefore", "Policy", "Window"),
    "fwsm.core.update": ("Artifact", "Failure", "Limits", "Probe", "Progress", "Request", "State", "Update"),
    "fwsm.device.clock": ("SystemClock",),
    "fwsm.device.device": ("Device",),
    "fwsm.device.download": ("HttpsDownload",),
    "fwsm.device.health": ("HealthCheck", "command_check"),
    "fwsm.device.hooks": ("Entered",),
    "fwsm.device.installers.slots": ("SlotInstaller",),
    "fwsm.device.iothub": ("IoTHubLink",),
    "fwsm.device.ports": ("Clock", "Download", "Installer", "Link", "Message", "MethodCall", "Trouble", "Twin"),
    "fwsm.errors": ("FwsmError", "Kind"),
    "fwsm.store": ("HistoryRow", "Retention"),
}
_HOME: Final = {name: home for home, names in _HOMES.items() for name in names}

__version__: str

if not TYPE_CHECKING:  # a type checker must go on finding misspelt names

    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415  # it reads files

            value: Any = version("fwsm")
        elif name in _HOME:
            value = getattr(importlib.import_module(_HOME[name]), name)
        else:
            raise AttributeError(f"module 'fwsm' has no attribute '{name}'")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
