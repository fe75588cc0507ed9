"""The link over `azure-iot-device`: the only room that imports `azure`, and the only one on the device with asyncio.

- `link`: the port's face, and the supervisor that stays connected
- `session`: one life of the SDK's client; `hearing`: what it listens to; `upkeep`: what is to be done while it lasts
- `identity`, `provisioning`: as whom the next connect is made; `exclusive`: one program an identity;
  `identities`: which of them goes with which credentials
- `contest`: notices another program, on another machine, that is the same device
- `client`: makes the SDK's clients
- `translation`: the SDK's exceptions in our words
- `loop`: an event loop in a thread, so that a call that hangs can be given up

What the SDK itself keeps for the rest of the process, whatever one does: the threads `pipeline` and `callback`, which
serve all its clients, and up to three idle loops (daemon threads). A program that ends without `stop` while the hub is
away may linger for some ten seconds, because one of the SDK's timers is no daemon.
"""

from __future__ import annotations

from fwsm.device.iothub.link import IoTHubLink

__all__ = ["IoTHubLink"]
