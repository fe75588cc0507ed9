"""The certificates, as OpenSSL judges them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from fwsm.errors import HubError
from fwsm.hub.certificates import Authority, server_context
from fwsm.hub.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Return a directory for certificates."""
    home = Home(tmp_path)
    yield home
    home.close()


def _shake_hands(home: Home, address: str, name: str) -> None:
    """Do a TLS handshake in memory; raises ssl.SSLError if the client does not accept the server."""
    authority = Authority.kept_in(home)
    client_context = ssl.create_default_context(cafile=authority.path)
    client_context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context(authority, address, home).wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server, server_hostname=name)
    for _ in range(4):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert client.version() == "TLSv1.3"


@pytest.mark.parametrize("name", ["127.9.8.7", "127.0.0.1", "::1", "localhost", "any-hub.azure-devices.net"])
def test_clients_accept_the_server_by_all_its_names(home: Home, name: str) -> None:
    """The address it listens on, the usual names of this machine, and those of real hubs; under strict checking."""
    _shake_hands(home, "127.9.8.7", name)


def test_other_names_are_not_accepted(home: Home) -> None:
    """The certificate is not for everything."""
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        _shake_hands(home, "127.9.8.7", "127.9.8.8")


def test_authority_is_kept_and_the_server_is_new(home: Home) -> None:
    """Devices that trusted yesterday's hub trust today's on another address."""
    authority = Authority.kept_in(home)
    again = Authority.kept_in(home)
    assert authority.path.read_bytes() == again.path.read_bytes()
    assert authority.server_pem("127.0.0.2") != again.server_pem("127.0.0.2")


def test_certificates_are_valid_whatever_the_clock_says(home: Home) -> None:
    """A device that thinks it is 2001 can connect. Keys are P-256 and readable by their owner only."""
    authority = Authority.kept_in(home)
    server_context(authority, "127.0.0.2", home)
    for name in ("ca.pem", "server.pem"):
        certificate = x509.load_pem_x509_certificate((home.path / name).read_bytes())
        assert certificate.not_valid_before_utc < datetime(2001, 1, 1, tzinfo=UTC)
        assert certificate.not_valid_after_utc > datetime(2049, 1, 1, tzinfo=UTC)
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert isinstance(key.curve, ec.SECP256R1)
    assert {path.stat().st_mode & 0o777 for path in home.path.iterdir()} == {0o600}


def test_key_of_another_kind_is_refused(home: Home) -> None:
    """The authority's key is the one that this hub made."""
    Authority.kept_in(home)
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    home.write("ca.key", pem)
    with pytest.raises(HubError, match="not the key of this hub's authority"):
        Authority.kept_in(home)


@pytest.mark.parametrize("name", ["ca.pem", "ca.key"])
def test_damaged_authority_is_refused(home: Home, name: str) -> None:
    """A hub does not silently replace what devices trust."""
    Authority.kept_in(home)
    (home.path / name).write_bytes(b"damaged")
    with pytest.raises(HubError, match=r"cannot be read.*Restore"):
        Authority.kept_in(home)
