"""What a client is made of is looked at before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.credentials import Certificate
from fwsm.device.iothub.client import check_authorities, check_certificate
from fwsm.errors import ConfigError
from tests.device.iothub.certificates import make_certificate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("passphrase", ["", "open"])
def test_a_certificate_with_its_key_will_do(tmp_path: Path, passphrase: str) -> None:
    """Also with a key that a passphrase opens."""
    check_certificate(make_certificate(tmp_path, passphrase=passphrase).certificate)


def test_files_that_are_no_pair_are_told(tmp_path: Path) -> None:
    """A missing file, another's key, a wrong passphrase, no PEM; nobody is asked at a terminal."""
    own, other = make_certificate(tmp_path).certificate, make_certificate(tmp_path, "d2").certificate
    locked = make_certificate(tmp_path, "d3", "s3cret").certificate
    wrong = {
        Certificate(own.cert_file, str(tmp_path / "none")): "none: No such file",
        Certificate(own.cert_file, other.key_file): "not a certificate with its key",
        Certificate(locked.cert_file, locked.key_file, "s3crets"): "another passphrase",
        Certificate(locked.cert_file, locked.key_file): "another passphrase|empty password",
        Certificate(own.key_file, own.key_file): "not a certificate with its key",
    }
    for certificate, why in wrong.items():
        with pytest.raises(ConfigError, match=why) as caught:
            check_certificate(certificate)
        assert "s3cret" not in str(caught.value)
        assert "x509_key_passphrase" in caught.value.fix


def test_the_authorities_of_the_system_need_no_check() -> None:
    """None stands for them."""
    check_authorities(None)
