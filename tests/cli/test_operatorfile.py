"""The operator's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.cli.operatorfile import OperatorFile
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

_KEY = "c2VjcmV0"


def _file(directory: Path, text: str | bytes, mode: int = 0o600) -> Path:
    path = directory / "operator.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def test_what_editors_elsewhere_add_does_no_harm(tmp_path: Path) -> None:
    """A byte order mark, and two characters at the end of a line."""
    assert OperatorFile.read(_file(tmp_path, b'\xef\xbb\xbfhub = "h"\r\nca_file = "c"\r\n')).hub == "h"


def test_each_setting_is_read(tmp_path: Path) -> None:
    """What is not there is empty, and the key is in no representation."""
    file = OperatorFile.read(_file(tmp_path, f'connection_string = "{_KEY}"\nca_file = "ca.pem"'))
    assert file == OperatorFile(connection_string=_KEY, ca_file="ca.pem")
    assert _KEY not in repr(file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_key_that_others_can_read_is_noticed(tmp_path: Path, mode: int) -> None:
    """A file without a key may be read by anybody."""
    assert OperatorFile.read(_file(tmp_path, f'connection_string = "{_KEY}"', mode)).exposed
    assert not OperatorFile.read(_file(tmp_path, 'hub = "h"', mode)).exposed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'connection = "{_KEY}"', "'connection' is no setting"),
        ('exposed = "x"', "'exposed' is no setting"),
        (f'connection_string = ["{_KEY}"]', "connection_string is of type list"),
        (f"connection_string = {_KEY}", "is not TOML"),
        (f'connection_string = "{_KEY}', "is not TOML"),
        (b"\xff\xfe", "is not TOML"),
    ],
)
def test_fault_in_the_file_is_named_and_nothing_of_it_shown(tmp_path: Path, text: str | bytes, message: str) -> None:
    """It may be a part of the key that is misplaced."""
    with pytest.raises(ConfigError) as caught:
        OperatorFile.read(_file(tmp_path, text))
    assert message in caught.value.what
    assert caught.value.fix
    assert _KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    """Missing, or a directory."""
    with pytest.raises(ConfigError, match="cannot read"):
        OperatorFile.read(tmp_path / name)
