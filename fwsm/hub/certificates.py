"""The hub's own certificate authority, and a server certificate for the address it listens on.

The authority is kept, so that a device has to be told once whom to trust; the server's certificate is made anew at
every start, for whatever address the hub has then. Both are valid from the year 2000, because a device whose clock
has lost the time must still be able to connect, and to 2049, the last year that every X.509 parser reads alike.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fwsm.errors import HubError

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub.home import Home

__all__ = ["Authority", "server_context", "server_file"]

_NOT_BEFORE = datetime(2000, 1, 1, tzinfo=UTC)
_NOT_AFTER = datetime(2049, 12, 31, tzinfo=UTC)
_CA_CERTIFICATE, _CA_KEY = "ca.pem", "ca.key"


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a directory.

    Attributes:
        path: the file with its certificate, which clients are to trust.
    """

    path: Path
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def kept_in(cls, home: Home) -> Authority:
        """Return the authority of a directory; make one if there is none.

        Raises:
            HubError: what is there cannot be read as one.
        """
        path, key_path = home.path / _CA_CERTIFICATE, home.path / _CA_KEY
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            home.write(_CA_KEY, _private_pem(key))
            home.write(_CA_CERTIFICATE, _authority_certificate(key).public_bytes(serialization.Encoding.PEM))
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            loaded = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
        except (OSError, ValueError) as error:
            raise HubError(
                f"the hub's certificate authority in {home.path} cannot be read",
                why=str(error),
                fix=f"Restore {path.name} and {key_path.name}, or delete both and let the devices trust a new one.",
            ) from error
        if not isinstance(loaded, ec.EllipticCurvePrivateKey):
            raise HubError(f"{key_path} is not the key of this hub's authority", fix=f"Delete {path} and {key_path}.")
        return cls(path, certificate, loaded)

    def server_pem(self, address: str) -> bytes:
        """Return a new private key and its certificate for a server on `address`."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        certificate = (
            _builder(f"fwsm hub {address}", key)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(_names(address)), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return _private_pem(key) + certificate.public_bytes(serialization.Encoding.PEM)


def server_file(authority: Authority, address: str, home: Home) -> Path:
    """Return a file with a new key and certificate of a server on `address`: OpenSSL asks for one."""
    return home.write("server.pem", authority.server_pem(address))


def server_context(authority: Authority, address: str, home: Home) -> ssl.SSLContext:
    """Return the standard library's side of TLS for a server on `address`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(server_file(authority, address, home))
    return context


def _authority_certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    builder = _builder("fwsm hub authority", key)
    return (
        builder.issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fwsm hub authority")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_NOT_BEFORE)
        .not_valid_after(_NOT_AFTER)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _names(address: str) -> list[x509.GeneralName]:
    # The wildcard serves clients that reach this hub through a gateway or proxy under a real hub's name.
    hosts = dict.fromkeys(["localhost", "*.azure-devices.net", socket.gethostname()])
    addresses = dict.fromkeys(ipaddress.ip_address(text) for text in (address, "127.0.0.1", "::1"))
    return [*(x509.DNSName(host) for host in hosts), *(x509.IPAddress(ip) for ip in addresses)]


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
