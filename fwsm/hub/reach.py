"""How clients reach a hub: its ports, connection strings, and what to set for SDKs that cannot be told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubAddressError

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.identity import Identity

__all__ = ["Device", "Ports", "Reach"]

# What the SDKs dial, whatever they are told.
_MQTT_PORT, _HTTPS_PORT = 8883, 443


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a hub listens.

    Attributes:
        mqtt: for devices.
        rest: for operators, and for devices that use WebSocket.
        socks: the SOCKS5 door, which leads to the others; None for a hub without one.

    Raises:
        HubAddressError: two of them are the same.
    """

    mqtt: int = _MQTT_PORT
    rest: int = 8443
    socks: int | None = None

    def __post_init__(self) -> None:
        named = (("mqtt_port", self.mqtt), ("rest_port", self.rest), ("socks_port", self.socks))
        for (one, first), (other, second) in combinations(named, 2):
            if first == second:
                raise HubAddressError(
                    f"{one} and {other} are both {first}",
                    why="each door of the hub has a port of its own",
                    fix="Give them different ports.",
                )

    def listening(self) -> tuple[int, ...]:
        """Return all of them, the SOCKS5 door last."""
        return (self.mqtt, self.rest) if self.socks is None else (self.mqtt, self.rest, self.socks)

    def mqtt_names(self) -> set[int]:
        """Return the ports that mean MQTT to the SOCKS5 door."""
        return {self.mqtt, _MQTT_PORT} - {self.rest}

    def rest_names(self) -> set[int]:
        """Return the ports that mean REST and WebSocket to the SOCKS5 door."""
        return {self.rest, _HTTPS_PORT} - {self.mqtt}


@dataclass(frozen=True, slots=True)
class Device:
    """A device, or a module of one, as its owner needs it.

    Attributes:
        device_id: its name, or that of the module's device.
        primary_key: base64; "" with a certificate.
        connection_string: all that an SDK needs.
        module_id: the module's name; None for a device.
    """

    device_id: str
    primary_key: str
    connection_string: str
    module_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """The way to one running hub.

    Attributes:
        address: the IP address of all doors.
        ports: of the doors.
        ca_path: the certificate that clients are to trust.
    """

    address: str
    ports: Ports
    ca_path: Path

    @property
    def _host(self) -> str:
        return f"[{self.address}]" if ":" in self.address else self.address

    def device(self, identity: Identity) -> Device:
        """Return a device or module with its connection string; one with a certificate has no key in it."""
        proof = f"SharedAccessKey={identity.primary_key}" if identity.primary_key else "x509=true"
        # Without brackets around an address of IPv6: the Python SDK dials what it reads.
        module = "" if identity.module_id is None else f"ModuleId={identity.module_id};"
        string = f"HostName={self.address};DeviceId={identity.device_id};{module}{proof}"
        return Device(identity.device_id, identity.primary_key, string, identity.module_id)

    def policy(self, name: str, key: str) -> str:
        """Return the connection string of a policy."""
        return f"HostName={self._host}:{self.ports.rest};SharedAccessKeyName={name};SharedAccessKey={key}"

    def environment(self) -> dict[str, str]:
        """Return the variables with which unmodified SDKs, requests and Node trust this hub and find its doors."""
        ca = str(self.ca_path)
        trust = {"SSL_CERT_FILE": ca, "REQUESTS_CA_BUNDLE": ca, "NODE_EXTRA_CA_CERTS": ca}
        if self.ports.socks is None:
            return trust
        return {**trust, "mqtt_proxy": f"socks://{self._host}:{self.ports.socks}"}

    def card(self, owner: str) -> dict[str, Any]:
        """Return what a program beside the hub needs; `owner` is the owner's connection string."""
        return {
            "address": self.address,
            "mqttPort": self.ports.mqtt,
            "restPort": self.ports.rest,
            **({} if self.ports.socks is None else {"socksPort": self.ports.socks}),
            "caPath": str(self.ca_path),
            "ownerConnectionString": owner,
        }
