"""Digests of bytes and files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from fwsm.device.download.digest import Digest
from fwsm.device.durable import Disk
from fwsm.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_and_what_follows_give_the_digest_of_both(tmp_path: Path) -> None:
    """A hash goes on behind a file as if all had come in one piece."""
    (tmp_path / "f").write_bytes(b"abc" * 1_000_000)
    digest = Digest()
    with Disk().read(tmp_path / "f") as file:
        digest.add_file(file, 10**9, lambda: None)
    digest.add(b"end")
    assert digest.bytes == 3_000_003
    assert digest.sha256 == hashlib.sha256(b"abc" * 1_000_000 + b"end").hexdigest()


def test_no_more_than_asked_is_read(tmp_path: Path) -> None:
    """What lies behind the limit does not count."""
    (tmp_path / "f").write_bytes(b"0123456789")
    digest = Digest()
    with Disk().read(tmp_path / "f") as file:
        digest.add_file(file, 4, lambda: None)
    assert digest.sha256 == hashlib.sha256(b"0123").hexdigest()


def test_reading_can_be_broken_off(tmp_path: Path) -> None:
    """The check is made before each piece, and its error comes out."""
    (tmp_path / "f").write_bytes(bytes(5 * 1024 * 1024))
    pieces = iter([None, None])

    def check() -> None:
        if next(pieces, "stop") == "stop":
            raise DownloadError("enough")

    digest = Digest()
    with Disk().read(tmp_path / "f") as file, pytest.raises(DownloadError, match="enough"):
        digest.add_file(file, 10**9, check)
    assert digest.bytes == 2 * 1024 * 1024
