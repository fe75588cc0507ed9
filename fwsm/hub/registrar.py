"""The part of a hub that registers devices, and the authorities that vouch for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from fwsm.hub.refusal import refusals_as_errors

if TYPE_CHECKING:
    from fwsm.hub.reach import Device, Reach
    from fwsm.hub.runtime import Runtime

__all__ = ["Registrar"]


class Registrar(ABC):
    """The registry of a hub (see `hub`), for its owner in any thread but the hub's own."""

    @property
    @abstractmethod
    def _live(self) -> Runtime:
        """The hub that runs; raises HubError when it does not."""

    @property
    @abstractmethod
    def _reach(self) -> Reach:
        """The way to it."""

    def add_authority(self, name: str, pem: str) -> None:
        """Trust a certificate authority: devices show certificates that it has signed for their names.

        Raises:
            HubError: `pem` is not the certificate of an authority.
        """
        with refusals_as_errors():
            self._live.decide(self._live.engine.authorities.put, name, pem)

    def add_device(
        self,
        device_id: str,
        *,
        primary_key: str | None = None,
        thumbprint: str | None = None,
        by_authority: bool = False,
    ) -> Device:
        """Register a device, with a random key unless one is given, or for a certificate.

        Args:
            device_id: its name.
            primary_key: base64 of 16 to 64 bytes.
            thumbprint: SHA-1 or SHA-256 of the client certificate that it will show instead, in hexadecimal.
            by_authority: whether it will show one that an authority has signed (see `add_authority`).

        Raises:
            HubError: it exists, or the name, the key or the thumbprint is malformed.
        """
        authentication: dict[str, Any] = {"symmetricKey": {"primaryKey": primary_key, "secondaryKey": primary_key}}
        if thumbprint is not None:
            authentication = {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}
        if by_authority:
            authentication = {"type": "certificateAuthority"}
        with refusals_as_errors():
            self._live.decide(self._live.engine.registry.create, device_id, {"authentication": authentication})
        return self.device(device_id)

    def device(self, device_id: str) -> Device:
        """Return a registered device; raises DeviceNotFoundError when there is no such."""
        with refusals_as_errors():
            identity = self._live.engine.registry.get(device_id)
        return self._reach.device(identity)

    def remove_device(self, device_id: str) -> None:
        """Delete a device with its twin, and cut it off; raises DeviceNotFoundError when there is no such."""
        with refusals_as_errors():
            self._live.decide(self._live.engine.registry.delete, device_id, "*")
