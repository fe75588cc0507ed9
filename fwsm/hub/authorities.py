"""Certificate authorities whose devices the hub knows by name, without a thumbprint for each.

A device of the type `certificateAuthority` shows a certificate whose common name is its id and which an authority of
the hub has signed, directly or through others that the device sends along. OpenSSL judges the signatures, the dates (by
the hub's clock) and who may sign. Source: "Authenticate identities with X.509 certificates".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL import crypto

from fwsm.hub.identity import is_id
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.hub.shown import ShownCertificate
    from fwsm.hub.state import State

__all__ = ["Authorities", "TrustedAuthority"]

_KIND = "authority"


@dataclass(frozen=True, slots=True)
class TrustedAuthority:
    """An authority by the name that its owner gave it."""

    name: str
    certificate: x509.Certificate

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def document(self) -> dict[str, Any]:
        """Return it as an operator reads it."""
        return {
            "name": self.name,
            "subject": self.certificate.subject.rfc4514_string(),
            "expiry": self.certificate.not_valid_after_utc.isoformat(),
            "thumbprint": self.certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - as IoT Hub shows it
            "certificate": self.pem,
        }

    def record(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"pem": self.pem}


class Authorities:
    """All authorities of one hub.

    Args:
        state: where they are kept.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, wall: Callable[[], float]) -> None:
        self._state = state
        self._wall = wall
        self._all = {
            name: TrustedAuthority(name, x509.load_pem_x509_certificate(record["pem"].encode()))
            for name, record in state.load(_KIND)
        }

    def put(self, name: str, pem: object) -> TrustedAuthority:
        """Trust an authority from now on; the name's older one no longer.

        Raises:
            Refusal: 400004, the name is none, or `pem` is not the certificate of an authority.
        """
        if not is_id(name):
            raise Refusal(Why.ARGUMENT_INVALID, f"{name[:140]!r} is no name for an authority.")
        authority = TrustedAuthority(name, _certificate(pem))
        self._all[name] = authority
        self._state.put(_KIND, name, authority)
        return authority

    def remove(self, name: str) -> None:
        """Trust an authority no longer; devices that are connected stay. Raises Refusal 404000 for an unknown name."""
        if self._all.pop(name, None) is None:
            raise Refusal(Why.ROUTE_NOT_FOUND, f"There is no authority {name}.")
        self._state.put(_KIND, name, None)

    def listed(self) -> list[TrustedAuthority]:
        """Return all authorities, by name."""
        return [self._all[name] for name in sorted(self._all)]

    def vouch_for(self, shown: ShownCertificate) -> bool:
        """Say whether an authority has signed what a device has shown, and it holds now."""
        if not self._all or not shown.chain:
            return False
        store = crypto.X509Store()
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # an authority need not be a root
        store.set_time(datetime.fromtimestamp(self._wall(), UTC))
        for authority in self._all.values():
            store.add_cert(crypto.X509.from_cryptography(authority.certificate))
        own, *others = map(crypto.X509.from_cryptography, shown.chain)
        try:
            crypto.X509StoreContext(store, own, others).verify_certificate()
        except crypto.X509StoreContextError:
            return False
        return True


def _certificate(pem: object) -> x509.Certificate:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode() if isinstance(pem, str) else b"")
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (ValueError, x509.ExtensionNotFound):
        basic = None
    if basic is None or not basic.ca:
        raise Refusal(Why.ARGUMENT_INVALID, "certificate is not the certificate of an authority (CA:TRUE) in PEM.")
    return certificate
