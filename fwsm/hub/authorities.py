"""Certificate authorities whose devices the hub knows by name, without a thumbprint for each.

A device of the type `certificateAuthority` shows a certificate whose common name is its id and which an authority of
the hub has signed, directly or through others that the device sends along. OpenSSL judges the signatures, the dates (by
the hub's clock) and who may sign. An authority signs nobody in before its owner has proved to hold its key: by a
certificate that it has signed for a code of the hub's. Sources: "Authenticate identities with X.509 certificates",
"Verify X.509 CA certificates".
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from OpenSSL import crypto

from fwsm.hub.identity import is_id
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.shown import ShownCertificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fwsm.hub.state import State

__all__ = ["Authorities", "RegisteredAuthority"]

_KIND = "authority"


# As long as those of IoT Hub.
_CODE_BYTES = 24


@dataclass(frozen=True, slots=True)
class RegisteredAuthority:
    """An authority by the name that its owner gave it.

    Attributes:
        name: that name.
        certificate: its own.
        verified: whether it may sign devices in.
        code: the common name of the certificate that is to prove it; "" when none was asked for.
    """

    name: str
    certificate: x509.Certificate
    verified: bool
    code: str = ""

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
            "isVerified": self.verified,
            "certificate": self.pem,
        }

    def record(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return {"pem": self.pem, "verified": self.verified, "code": self.code}

    @classmethod
    def from_record(cls, name: str, record: dict[str, Any]) -> RegisteredAuthority:
        """Return what was stored; what an older hub has stored was trusted without a proof."""
        certificate = x509.load_pem_x509_certificate(record["pem"].encode())
        return cls(name, certificate, record.get("verified", True), record.get("code", ""))


class Authorities:
    """All authorities of one hub.

    Args:
        state: where they are kept.
        wall: the time in epoch seconds.
    """

    def __init__(self, state: State, wall: Callable[[], float]) -> None:
        self._state = state
        self._wall = wall
        self._all = {name: RegisteredAuthority.from_record(name, record) for name, record in state.load(_KIND)}

    def put(self, name: str, pem: object, *, verified: object = False) -> RegisteredAuthority:
        """Register an authority in the place of the name's older one; trust it at once if the caller calls it verified.

        Raises:
            Refusal: 400004, the name is none, or `pem` is not the certificate of an authority.
        """
        if not is_id(name):
            raise Refusal(Why.ARGUMENT_INVALID, f"{name[:140]!r} is no name for an authority.")
        if not isinstance(verified, bool):
            raise Refusal(Why.ARGUMENT_INVALID, "isVerified is neither true nor false.")
        return self._keep(RegisteredAuthority(name, _authority_certificate(pem), verified))

    def challenge(self, name: str) -> str:
        """Return a new code for which the authority is to sign a certificate; raises Refusal 404000 as `remove`."""
        code = secrets.token_hex(_CODE_BYTES).upper()
        self._keep(replace(self._get(name), code=code))
        return code

    def verify(self, name: str, pem: object) -> RegisteredAuthority:
        """Trust an authority that has signed a certificate for its code.

        Raises:
            Refusal: 404000, there is no authority of the name; 400004, no code was asked for, or `pem` is not a
                certificate for this code that the authority has signed and that holds now.
        """
        authority = self._get(name)
        if not authority.code:
            raise Refusal(Why.ARGUMENT_INVALID, f"No verification code was asked for {name}.")
        proof = _certificate(pem)
        if proof is None:
            raise Refusal(Why.ARGUMENT_INVALID, "certificate is not a certificate in PEM.")
        shown = ShownCertificate.of(proof)
        if shown.common_name != authority.code:
            named = f"{shown.common_name[:140]!r}, and not the verification code {authority.code}"
            raise Refusal(Why.ARGUMENT_INVALID, f"The common name of the certificate is {named}.")
        if not self._signed([authority], shown):
            raise Refusal(Why.ARGUMENT_INVALID, f"The certificate is not signed by {name}, or does not hold now.")
        return self._keep(replace(authority, verified=True, code=""))

    def remove(self, name: str) -> None:
        """Trust an authority no longer; devices that are connected stay. Raises Refusal 404000 for an unknown name."""
        self._get(name)
        del self._all[name]
        self._state.put(_KIND, name, None)

    def listed(self) -> list[RegisteredAuthority]:
        """Return all authorities, by name."""
        return [self._all[name] for name in sorted(self._all)]

    def vouch_for(self, shown: ShownCertificate) -> bool:
        """Say whether a verified authority has signed what a device has shown, and it holds now."""
        verified = [authority for authority in self._all.values() if authority.verified]
        return bool(verified and shown.chain) and self._signed(verified, shown)

    def _signed(self, authorities: Iterable[RegisteredAuthority], shown: ShownCertificate) -> bool:
        store = crypto.X509Store()
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # an authority need not be a root
        store.set_time(datetime.fromtimestamp(self._wall(), UTC))
        for authority in authorities:
            store.add_cert(crypto.X509.from_cryptography(authority.certificate))
        own, *others = map(crypto.X509.from_cryptography, shown.chain)
        try:
            crypto.X509StoreContext(store, own, others).verify_certificate()
        except crypto.X509StoreContextError:
            return False
        return True

    def _get(self, name: str) -> RegisteredAuthority:
        if name not in self._all:
            raise Refusal(Why.ROUTE_NOT_FOUND, f"There is no authority {name}.")
        return self._all[name]

    def _keep(self, authority: RegisteredAuthority) -> RegisteredAuthority:
        self._all[authority.name] = authority
        self._state.put(_KIND, authority.name, authority)
        return authority


def _certificate(pem: object) -> x509.Certificate | None:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode() if isinstance(pem, str) else b"")
        certificate.subject.rfc4514_string()  # a name that is none is found when it is asked for
    except (ValueError, x509.InvalidVersion):
        return None
    return certificate


def _authority_certificate(pem: object) -> x509.Certificate:
    certificate = _certificate(pem)
    if certificate is None or not _may_sign(certificate):
        raise Refusal(Why.ARGUMENT_INVALID, "certificate is not the certificate of an authority (CA:TRUE) in PEM.")
    return certificate


def _may_sign(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound):
        return False
