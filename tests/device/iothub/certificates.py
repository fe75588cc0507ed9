"""Certificates that devices sign themselves, made for a test."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fwsm.core.credentials import Certificate

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Shown", "make_certificate", "make_server_certificate"]


@dataclass(frozen=True)
class Shown:
    """A certificate, and the thumbprint by which a registry knows it."""

    certificate: Certificate
    thumbprint: str


def make_certificate(directory: Path, name: str = "d1", passphrase: str = "") -> Shown:
    """Make a key and its self-signed certificate in a directory."""
    key = ec.generate_private_key(ec.SECP256R1())
    blank = _blank(key, name, datetime(2000, 1, 1, tzinfo=UTC), datetime(2049, 1, 1, tzinfo=UTC))
    certificate = blank.sign(key, hashes.SHA256())
    cert_file, key_file = directory / f"{name}.pem", directory / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    lock = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
    thumbprint = certificate.fingerprint(hashes.SHA256()).hex().upper()
    return Shown(Certificate(str(cert_file), str(key_file), passphrase), thumbprint)


def make_server_certificate(directory: Path, address: str, begins: datetime, ends: datetime) -> Path:
    """Make a key and its self-signed certificate for a server at `address`, both in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    blank = _blank(key, address, begins, ends).add_extension(names, critical=False)
    certificate = blank.sign(key, hashes.SHA256())
    file = directory / "server.pem"
    plain = serialization.NoEncryption()
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return file


def _blank(key: ec.EllipticCurvePrivateKey, name: str, begins: datetime, ends: datetime) -> x509.CertificateBuilder:
    """A certificate that only lacks the signature of its own key."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )
