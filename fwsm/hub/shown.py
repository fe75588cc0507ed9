"""The certificate that a client has shown in the TLS handshake.

That the client holds its key is proved by the handshake. What stands in it is not: the registry knows its thumbprint,
or an authority has signed it (see `authorities`), or it says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

__all__ = ["NOTHING_SHOWN", "ShownCertificate"]


@dataclass(frozen=True, slots=True)
class ShownCertificate:
    """A client's certificate, and those that it sent along.

    Attributes:
        chain: its own certificate first, then those that may lead to an authority; empty when it has shown none.
        thumbprints: SHA-1 and SHA-256 of its own, in upper-case hexadecimal; IoT Hub takes either.
        common_name: of its own; "" for none.
    """

    chain: tuple[x509.Certificate, ...] = ()
    thumbprints: frozenset[str] = frozenset()
    common_name: str = ""

    @classmethod
    def of(cls, own: x509.Certificate, *others: x509.Certificate) -> ShownCertificate:
        """Return what a client has shown with `own`, and `others` behind it."""
        kinds = (hashes.SHA1(), hashes.SHA256())  # noqa: S303 - names, not proofs
        thumbprints = frozenset(own.fingerprint(kind).hex().upper() for kind in kinds)
        names = own.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return cls((own, *others), thumbprints, str(names[0].value) if names else "")


NOTHING_SHOWN = ShownCertificate()
