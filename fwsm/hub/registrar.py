"""The part of a hub that registers devices and modules, and the authorities that vouch for them."""

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

    def add_authority(self, name: str, pem: str, *, verified: bool = True) -> None:
        """Register a certificate authority: devices show certificates that it has signed for their names.

        Args:
            name: what it is called from now on.
            pem: its certificate.
            verified: whether to trust it without the proof that REST and command line ask for (`verify_authority`).

        Raises:
            HubError: `pem` is not the certificate of an authority.
        """
        with refusals_as_errors():
            self._live.decide(self._live.engine.authorities.put, name, pem, verified=verified)

    def verification_code(self, name: str) -> str:
        """Return a new code for an authority, to be the common name of a certificate that it signs.

        Raises:
            HubError: there is no such authority.
        """
        with refusals_as_errors():
            return self._live.decide(self._live.engine.authorities.challenge, name)

    def verify_authority(self, name: str, pem: str) -> None:
        """Trust an authority that has signed the certificate `pem` for its last code.

        Raises:
            HubError: there is no such authority, or this certificate is no proof.
        """
        with refusals_as_errors():
            self._live.decide(self._live.engine.authorities.verify, name, pem)

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
        return self._add(device_id, _authentication(primary_key, thumbprint, by_authority=by_authority))

    def add_module(
        self,
        device_id: str,
        module_id: str,
        *,
        primary_key: str | None = None,
        thumbprint: str | None = None,
        by_authority: bool = False,
    ) -> Device:
        """Register a module of a device; it proves who it is in one of the ways of `add_device`.

        Raises:
            DeviceNotFoundError: there is no such device.
            HubError: the module exists, the device has fifty, or the name, the key or the thumbprint is malformed.
        """
        authentication = _authentication(primary_key, thumbprint, by_authority=by_authority)
        return self._add(f"{device_id}/{module_id}", authentication)

    def device(self, device_id: str) -> Device:
        """Return a registered device, or module as `{device}/{module}`; raises DeviceNotFoundError if there is none."""
        with refusals_as_errors():
            identity = self._live.engine.registry.get(device_id)
        return self._reach.device(identity)

    def remove_device(self, device_id: str) -> None:
        """Delete a device or module with its twin, and cut it off; raises DeviceNotFoundError if there is none."""
        with refusals_as_errors():
            self._live.decide(self._live.engine.registry.delete, device_id, "*")

    def _add(self, client_id: str, authentication: dict[str, Any]) -> Device:
        with refusals_as_errors():
            self._live.decide(self._live.engine.registry.create, client_id, {"authentication": authentication})
        return self.device(client_id)


def _authentication(primary_key: str | None, thumbprint: str | None, *, by_authority: bool) -> dict[str, Any]:
    if by_authority:
        return {"type": "certificateAuthority"}
    if thumbprint is not None:
        return {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}
    return {"symmetricKey": {"primaryKey": primary_key, "secondaryKey": primary_key}}
