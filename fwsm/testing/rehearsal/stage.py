"""Hub and image server, and the devices that play on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from fwsm.hub import Hub
from fwsm.service.client import Client
from fwsm.service.sas import SharedAccess
from fwsm.service.transport import Transport
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess
from fwsm.testing.rehearsal.player import Player

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fwsm.testing.rehearsal.telling import Teller

__all__ = ["Stage"]

_LOAD_S = 5.0  # how long the download takes without a fault: long enough to be struck in, short enough to watch
_PATIENCE_S = 90.0
_PATIENCE_PER_DEVICE_S = 10.0  # they share the processor
_SETTINGS = {
    "delay_s": "1",
    "progress_every_s": "0.5",
    "soak_s": "2",
    "check_every_s": "0.5",
    "retry_base_s": "1",
}


class Stage:
    """One hub, one image server, some devices; a context manager.

    Args:
        directory: where everything goes; kept.
        image: the firmware image that the server has for each device.
        address: an address of 127.0.0.0/8 for hub and image server.
        settings: of the devices, beside those of every rehearsal.
        devices: how many.
        teller: told what happens.

    Attributes:
        image: the firmware image.
        size_bytes: of it.
        hub, server: as they run.
        players: the devices, connected.
    """

    def __init__(
        self,
        directory: Path,
        image: Path,
        address: str,
        *,
        settings: Mapping[str, str],
        devices: int,
        teller: Teller,
    ) -> None:
        self.image = image
        self.size_bytes = image.stat().st_size
        self.hub = Hub(address)
        self.server = ImageServer(address, {}, bytes_per_s=self.size_bytes / _LOAD_S)
        self.players: list[Player] = []
        self._directory = directory
        self._settings = _SETTINGS | dict(settings)
        self._names = ["demo-device"] if devices == 1 else [f"device-{number + 1}" for number in range(devices)]
        self._patience_s = _PATIENCE_S + _PATIENCE_PER_DEVICE_S * devices
        self._teller = teller
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack as stack:
            self._set_up(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def say(self, who: str, text: str) -> None:
        """Tell something that is about no single device."""
        self._teller.say(who, text)

    def each(self, action: Callable[[Player], None]) -> None:
        """Do something with every device at once; returns when all are done.

        Raises:
            Exception: what the first of them raised, once all have ended.
        """
        with ThreadPoolExecutor(len(self.players), thread_name_prefix="fwsm-rehearsal") as threads:
            futures = [threads.submit(action, player) for player in self.players]
        for future in futures:
            future.result()

    def _set_up(self, stack: ExitStack) -> None:
        hub, server = stack.enter_context(self.hub), stack.enter_context(self.server)
        self.say("hub", f"an IoT Hub listens on {hub.address}, MQTT over TLS on port {hub.mqtt_port}")
        self.say("server", f"serves {self.image.name}, {self.size_bytes / 2**20:.1f} MiB, over HTTPS")
        authorities = self._directory / "authorities.pem"
        authorities.write_text(hub.ca_pem + server.ca_pem, encoding="ascii")
        connection = SharedAccess.parse(hub.service_connection_string)
        client = stack.enter_context(Client(Transport(connection, ca_file=hub.ca_path)))
        for name in self._names:
            directory = self._directory / ("device" if len(self._names) == 1 else name)
            string = hub.add_device(name).connection_string
            process = DeviceProcess(directory, string, authorities, self._settings)
            player = Player(
                name,
                process,
                client=client,
                server=server,
                size_bytes=self.size_bytes,
                patience_s=self._patience_s,
                teller=self._teller,
            )
            server.put(player.path, self.image)
            self.players.append(stack.enter_context(player))
        for player in self.players:
            player.start()
        for player in self.players:
            hub.wait_reachable(player.name, self._patience_s)
            player.say("device", "is connected and listens to direct methods")
