"""What a client has shown of itself."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from fwsm.hub.shown import NOTHING_SHOWN, ShownCertificate
from tests.hub.pki import Pki


def test_certificate_goes_by_either_thumbprint() -> None:
    """In the form in which the registry keeps them; what was sent along counts for nothing here."""
    pki = Pki()
    own = pki.device("d1")
    shown = ShownCertificate.of(own, pki.certificate)
    der = own.public_bytes(serialization.Encoding.DER)
    assert shown.thumbprints == {hashlib.sha1(der).hexdigest().upper(), hashlib.sha256(der).hexdigest().upper()}
    assert (shown.common_name, shown.chain) == ("d1", (own, pki.certificate))


def test_certificate_without_a_name_and_none_at_all() -> None:
    """Neither is anybody."""
    key = ec.generate_private_key(ec.SECP256R1())
    model = Pki().certificate
    nameless = x509.CertificateBuilder(
        x509.Name([]), x509.Name([]), key.public_key(), 1, model.not_valid_before_utc, model.not_valid_after_utc
    ).sign(key, hashes.SHA256())
    assert ShownCertificate.of(nameless).common_name == ""
    assert (NOTHING_SHOWN.common_name, NOTHING_SHOWN.thumbprints) == ("", frozenset())
