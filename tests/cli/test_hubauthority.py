"""`fwsm hub authority`, on a hub that runs."""

from __future__ import annotations

import json
import re
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
    code, shown, err = _hub(hub, "authority", "add", "f", file, "--verified")
    assert (code, err) == (0, "")
    assert re.fullmatch(r"f  CN=factory  until 20\S+\n", shown)
    assert _hub(hub, "authority", "list")[1] == shown
    assert json.loads(_hub(hub, "authority", "list", "--json")[1])["name"] == "f"
    string = f"HostName={hub.address};DeviceId=d1;x509=true"
    assert _hub(hub, "device", "add", "d1", "--by-authority") == (0, f"{string}\n", "d1 is registered\n")
    assert hub.device("d1").connection_string == string
    assert _hub(hub, "authority", "remove", "f") == (0, "f is removed\n", "")
    assert _hub(hub, "authority", "list") == (0, "", "")


def test_authority_is_proved_by_a_certificate_for_a_code(hub: Hub, tmp_path: Path) -> None:
    """The code stands alone, so that a script can take it; what comes next is said."""
    pki = Pki("factory")
    file, proof = tmp_path / "ca.pem", tmp_path / "proof.pem"
    file.write_text(pki.pem)
    code, shown, err = _hub(hub, "authority", "add", "f", file)
    assert (code, shown.endswith("  not verified\n")) == (0, True)
    assert "fwsm hub authority code f" in err
    _, new, err = _hub(hub, "authority", "code", "f")
    assert (re.fullmatch(r"[0-9A-F]{48}\n", new) is not None, err) == (True, "")
    proof.write_text(pki.device_pem("d1"))
    code, out, err = _hub(hub, "authority", "verify", "f", proof)
    assert (code != 0, out) == (True, "")
    assert f"'d1', and not the verification code {new.strip()}" in err
    proof.write_text(pki.device_pem(new.strip()))
    code, shown, err = _hub(hub, "authority", "verify", "f", proof)
    assert (code, "not verified" in shown, err) == (0, False, "")
    assert json.loads(_hub(hub, "authority", "list", "--json")[1])["isVerified"] is True


def test_what_is_no_authority_is_told(hub: Hub, tmp_path: Path) -> None:
    """A file that is not there, no text, no authority, or has no end; a name unknown or none; two ways at once."""
    text, binary = tmp_path / "text", tmp_path / "binary"
    text.write_text("hello")
    binary.write_bytes(b"\xff\xfe")
    for arguments, word in (
        (("authority", "add", "f", tmp_path / "nothing"), "No such file"),
        (("authority", "add", "f", binary), "it is not text"),
        (("authority", "add", "f", text), "CA:TRUE"),
        (("authority", "add", "f", "/dev/zero"), "longer than 200000 characters"),
        (("authority", "add", "", text), "'' is no name for an authority"),
        (("authority", "add", "a/b", text), "'a/b' is no name for an authority"),
        (("authority", "code", "n" * 200), "it has 200 characters"),
        (("authority", "remove", "f"), "no authority f"),
        (("authority", "code", "f"), "no authority f"),
        (("authority", "verify", "f", text), "no authority f"),
        (("device", "add", "d1", "--by-authority", "--thumbprint", "AB" * 20), "exclude each other"),
    ):
        code, out, err = _hub(hub, *arguments)
        assert (code != 0, out) == (True, "")
        assert word in err
