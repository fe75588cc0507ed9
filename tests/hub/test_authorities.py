"""Authorities that vouch for devices."""

from __future__ import annotations

import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization

from fwsm.hub.authorities import Authorities, RegisteredAuthority
from fwsm.hub.diskstate import DiskState
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.shown import NOTHING_SHOWN, ShownCertificate
from fwsm.hub.state import EphemeralState
from tests.hub.pki import Pki, of_no_version

if TYPE_CHECKING:
    from pathlib import Path


def _trusting(*pkis: Pki) -> Authorities:
    authorities = Authorities(EphemeralState(), time.time)
    for number, pki in enumerate(pkis):
        authorities.put(f"a{number}", pki.pem, verified=True)
    return authorities


def test_authority_vouches_for_what_it_has_signed() -> None:
    """Any of them, and for nobody whom another authority of the same name has signed, or nobody at all."""
    first, second, stranger = Pki(), Pki("other"), Pki()
    authorities = _trusting(first, second)
    for pki, vouched in ((first, True), (second, True), (stranger, False)):
        assert authorities.vouch_for(ShownCertificate.of(pki.device("d1"))) is vouched
        assert authorities.vouch_for(ShownCertificate.of(pki.device("d1"), pki.certificate)) is vouched
    assert not authorities.vouch_for(NOTHING_SHOWN)
    assert not _trusting().vouch_for(ShownCertificate.of(first.device("d1")))


def test_authority_vouches_through_others() -> None:
    """The device sends along what is between; one of these may be registered itself."""
    root = Pki("root")
    line = Pki("line", root)
    own = line.device("d1")
    assert _trusting(root).vouch_for(ShownCertificate.of(own, line.certificate))
    assert not _trusting(root).vouch_for(ShownCertificate.of(own))
    assert _trusting(line).vouch_for(ShownCertificate.of(own))


def test_device_cannot_sign_for_others() -> None:
    """A certificate that is not an authority's passes nothing on."""
    root = Pki()
    device = Pki("device")
    device.certificate = root.device("device")  # its key signs, and its certificate says nothing of that
    forged = device.device("d1")
    assert not _trusting(root).vouch_for(ShownCertificate.of(forged, device.certificate))


def test_dates_go_by_the_clock_of_the_hub() -> None:
    """A certificate that has expired is good for nothing."""
    pki = Pki()
    shown = ShownCertificate.of(pki.device("d1", until=datetime.now(UTC) + timedelta(hours=1)))
    late = Authorities(EphemeralState(), lambda: time.time() + 7200)
    late.put("a", pki.pem, verified=True)
    assert not late.vouch_for(shown)
    assert _trusting(pki).vouch_for(shown)


def test_authority_signs_nobody_in_before_it_is_proved() -> None:
    """By a certificate for the code, which is good for one proof; another registration begins anew."""
    pki = Pki()
    shown = ShownCertificate.of(pki.device("d1"))
    authorities = Authorities(EphemeralState(), time.time)
    assert not authorities.put("a", pki.pem).verified
    assert not authorities.vouch_for(shown)
    code = authorities.challenge("a")
    assert not authorities.vouch_for(shown)
    assert authorities.verify("a", pki.device_pem(code)).verified
    assert authorities.vouch_for(shown)
    with pytest.raises(Refusal, match="No verification code was asked for a"):
        authorities.verify("a", pki.device_pem(code))
    authorities.challenge("a")  # of one that is trusted: it stays so
    assert authorities.vouch_for(shown)
    authorities.put("a", pki.pem)
    assert not authorities.vouch_for(shown)


def test_what_proves_nothing_is_told() -> None:
    """Another's signature, another name, an older code, a certificate that has expired, and what is none."""
    pki = Pki()
    authorities = Authorities(EphemeralState(), time.time)
    authorities.put("a", pki.pem)
    with pytest.raises(Refusal, match="No verification code"):
        authorities.verify("a", pki.device_pem("d1"))
    old, code = authorities.challenge("a"), authorities.challenge("a")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    for pem, why in (
        (Pki().device_pem(code), "not signed by a"),
        (pki.device_pem(code, until=yesterday), "does not hold now"),
        (pki.device_pem(old), f"{old}.*not the verification code {code}"),
        (pki.pem, "'factory', and not"),
        ("x", "not a certificate in PEM"),
        (None, "not a certificate in PEM"),
    ):
        with pytest.raises(Refusal, match=why) as caught:
            authorities.verify("a", pem)
        assert caught.value.why is Why.ARGUMENT_INVALID
    assert not authorities.vouch_for(ShownCertificate.of(pki.device("d1")))
    for ask in (lambda: authorities.challenge("b"), lambda: authorities.verify("b", pki.pem)):
        with pytest.raises(Refusal, match="no authority b"):
            ask()
    with pytest.raises(Refusal, match="isVerified"):
        authorities.put("a", pki.pem, verified="yes")


@pytest.mark.parametrize("pem", [None, 7, "", "x", b"x"])
def test_only_an_authority_can_be_one(pem: object) -> None:
    """Not a text that is no certificate."""
    with pytest.raises(Refusal, match="CA:TRUE"):
        _trusting().put("a", pem)


def test_certificate_that_cannot_be_read_is_refused_before_it_is_kept() -> None:
    """What is malformed may be found late, when someone asks for it: a list would be lost by it for ever."""
    pki = Pki()
    der = pki.certificate.public_bytes(serialization.Encoding.DER)
    nameless = ssl.DER_cert_to_PEM_cert(der.replace(b"factory", b"\xffactory"))
    authorities = _trusting(pki)
    (name,) = [authority.name for authority in authorities.listed()]
    authorities.challenge(name)
    for pem in (nameless, of_no_version(pki.certificate)):
        with pytest.raises(Refusal, match="CA:TRUE"):
            authorities.put("b", pem)
        with pytest.raises(Refusal, match="not a certificate in PEM"):
            authorities.verify(name, pem)
    assert [authority.document()["name"] for authority in authorities.listed()] == [name]


def test_certificate_of_a_device_is_no_authority() -> None:
    """It would vouch for itself."""
    pki = Pki()
    pki.certificate = pki.device("d1")
    with pytest.raises(Refusal, match="CA:TRUE"):
        _trusting(pki)


def test_authorities_are_kept(tmp_path: Path) -> None:
    """Until they are removed; the name of a new one takes the place of the old one."""
    state = DiskState(tmp_path / "hub.db")
    first, second = Pki(), Pki()
    authorities = Authorities(state, time.time)
    for name, pki in (("a", first), ("b", first), ("b", second)):
        authorities.put(name, pki.pem, verified=True)
    authorities.remove("a")
    authorities.put("c", first.pem)
    code = authorities.challenge("c")
    state.commit()
    again = Authorities(state, time.time)
    kept = [(authority.name, authority.pem, authority.verified) for authority in again.listed()]
    assert kept == [("b", second.pem, True), ("c", first.pem, False)]
    assert again.verify("c", first.device_pem(code)).verified
    for name in ("a", "nobody"):
        with pytest.raises(Refusal, match="no authority"):
            again.remove(name)
    with pytest.raises(Refusal, match="no name"):
        again.put("a/b", first.pem)
    state.close()


def test_authority_of_an_older_hub_stays_trusted() -> None:
    """It was trusted without a proof when it was stored."""
    assert RegisteredAuthority.from_record("a", {"pem": Pki().pem}).verified
