"""The hub's directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.errors import HubError
from fwsm.hub.home import Home

if TYPE_CHECKING:
    from pathlib import Path


def test_directory_is_made_for_its_owner_only(tmp_path: Path) -> None:
    """A new directory and the files in it are closed to others."""
    home = Home(tmp_path / "deep" / "hub")
    path = home.write("secret", b"x")
    assert home.path.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600
    home.close()


def test_second_hub_is_kept_out_until_the_first_has_gone(tmp_path: Path) -> None:
    """Two hubs on one directory would each overwrite what the other has acknowledged."""
    home = Home(tmp_path)
    with pytest.raises(HubError, match="another hub runs on this directory"):
        Home(tmp_path)
    home.close()
    Home(tmp_path).close()


def test_ephemeral_directory_vanishes() -> None:
    """A hub that forgets leaves nothing behind."""
    home = Home(None)
    path = home.write("file", b"x").parent
    assert home.ephemeral
    home.close()
    assert not path.exists()


def test_file_is_replaced_whole(tmp_path: Path) -> None:
    """A remnant of an interrupted write is in nobody's way; removing twice is harmless."""
    home = Home(tmp_path)
    (tmp_path / "file.part").write_bytes(b"half")
    home.write("file", b"one")
    home.write("file", b"two")
    assert (tmp_path / "file").read_bytes() == b"two"
    home.remove("file")
    home.remove("file")
    assert [path.name for path in tmp_path.iterdir()] == ["hub.lock"]
    home.close()


def test_path_that_is_a_file_is_refused(tmp_path: Path) -> None:
    """The message names the path and what to do."""
    path = tmp_path / "file"
    path.write_bytes(b"")
    with pytest.raises(HubError, match=r"cannot keep its files in .*file.*Give it a directory"):
        Home(path)


def test_file_that_cannot_be_written_is_an_error_of_the_hub(tmp_path: Path) -> None:
    """A full or missing disk is no traceback."""
    home = Home(tmp_path)
    with pytest.raises(HubError, match="cannot keep its files"):
        home.write("missing/file", b"x")
    home.close()
