"""`fwsm hub authority`, on a hub that runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.hub.pki import Pki

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub import Hub


def _hub(hub: Hub, *arguments: object) -> tuple[int, str, str]:
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    result = CliRunner().invoke(program, ["hub", *map(str, arguments)], env=given)
    return result.exit_code, result.stdout, result.stderr


def test_authority_is_added_listed_and_removed(hub: Hub, tmp_path: Path) -> None:
    """And a device is registered that comes with a certificate of it."""
    file = tmp_path / "ca.pem"
    file.write_text(Pki("factory").pem)
    code, shown, err = _hub(hub, "authority", "add", "f", file)
    assert (code, err) == (0, "")
    assert shown.startswith("f  CN=factory  until 20")
    assert _hub(hub, "authority", "list")[1] == shown
    assert json.loads(_hub(hub, "authority", "list", "--json")[1])["name"] == "f"
    string = f"HostName={hub.address};DeviceId=d1;x509=true"
    assert _hub(hub, "device", "add", "d1", "--by-authority") == (0, f"{string}\n", "d1 is registered\n")
    assert hub.device("d1").connection_string == string
    assert _hub(hub, "authority", "remove", "f") == (0, "f is removed\n", "")
    assert _hub(hub, "authority", "list") == (0, "", "")


def test_what_is_no_authority_is_told(hub: Hub, tmp_path: Path) -> None:
    """A file that is not there, no text, no authority; an unknown name; two ways at once."""
    text, binary = tmp_path / "text", tmp_path / "binary"
    text.write_text("hello")
    binary.write_bytes(b"\xff\xfe")
    for arguments, word in (
        (("authority", "add", "f", tmp_path / "nothing"), "No such file"),
        (("authority", "add", "f", binary), "it is not text"),
        (("authority", "add", "f", text), "CA:TRUE"),
        (("authority", "remove", "f"), "no authority f"),
        (("device", "add", "d1", "--by-authority", "--thumbprint", "AB" * 20), "exclude each other"),
    ):
        code, out, err = _hub(hub, *arguments)
        assert (code != 0, out) == (True, "")
        assert word in err
