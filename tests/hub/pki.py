"""Certificate authorities for tests, and certificates that they have signed."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Pki", "of_no_version"]

_PEM = serialization.Encoding.PEM


class Pki:
    """An authority, a root or one below another.

    Attributes:
        certificate: its own.
    """

    def __init__(self, name: str = "factory", above: Pki | None = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.certificate = (above or self)._signed(self._name, self._key.public_key(), signs=True)

    @property
    def pem(self) -> str:
        """Its certificate as text."""
        return self.certificate.public_bytes(_PEM).decode()

    def device(self, common_name: str, until: datetime | None = None) -> x509.Certificate:
        """Return a certificate for a new device."""
        return self._device(common_name, until)[0]

    def device_pem(self, common_name: str, until: datetime | None = None) -> str:
        """Return such a certificate as text."""
        return self.device(common_name, until).public_bytes(_PEM).decode()

    def files(self, common_name: str, directory: Path) -> tuple[Path, Path]:
        """Write certificate and key of a new device, and return where they are; behind the device's comes ours."""
        certificate, key = self._device(common_name, None)
        certificate_path, key_path = directory / "device.pem", directory / "device.key"
        certificate_path.write_bytes(certificate.public_bytes(_PEM) + self.certificate.public_bytes(_PEM))
        key_path.write_bytes(key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return certificate_path, key_path

    def _device(self, name: str, until: datetime | None) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        return self._signed(subject, key.public_key(), signs=False, until=until), key

    def _signed(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, signs: bool, until: datetime | None = None
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(until or now + timedelta(days=400))
        )
        if signs:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        return builder.sign(self._key, hashes.SHA256())


def of_no_version(certificate: x509.Certificate) -> str:
    """Return the certificate as text, with a version that none can have: no library reads it, and OpenSSL takes it."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    return ssl.DER_cert_to_PEM_cert(der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x05", 1))
