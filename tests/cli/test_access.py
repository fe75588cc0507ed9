"""Which hub, and as whom."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from fwsm.cli import program
from fwsm.cli.access import CONFIG_FILE, HUB, Access, access_options
from fwsm.cli.failure import reported_failures
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from fwsm.cli.output import Output, pass_output
from tests.patience import PATIENCE_S
from tests.service.scripted import Site, answering

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KEY = "c2VjcmV0LWtleQ=="


def _string(host: str) -> str:
    return f"HostName={host};SharedAccessKeyName=service;SharedAccessKey={_KEY}"


@click.command()
@access_options
@pass_output
def _command(out: Output, access: Access) -> None:
    with reported_failures(out), access.client(out) as client:
        click.echo(client.host)


def _run(tmp_path: Path, *options: str, **environment: str) -> Result:
    """Run a command that tells which hub it would talk to; it finds its own file only in `tmp_path`."""
    clean: dict[str, str | None] = dict.fromkeys((CONNECTION_STRING, CA_FILE, HUB, CONFIG_FILE))
    return CliRunner().invoke(_command, options, env={**clean, "XDG_CONFIG_HOME": str(tmp_path), **environment})


def _write(tmp_path: Path, text: str, mode: int = 0o600) -> Path:
    path = tmp_path / "fwsm" / "operator.toml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_option_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """A way in that is named first is the one, whichever way it is."""
    _write(tmp_path, f'connection_string = "{_string("file")}"')
    assert _run(tmp_path).stdout == "file\n"
    environment = {CONNECTION_STRING: _string("environment")}
    assert _run(tmp_path, **environment).stdout == "environment\n"
    assert _run(tmp_path, "-c", _string("option"), **environment).stdout == "option\n"
    assert _run(tmp_path, "--hub", "entra", **environment).stdout == "entra\n"
    assert _run(tmp_path, **{HUB: "entra"}).stdout == "entra\n"


def test_file_can_be_named(tmp_path: Path) -> None:
    """By an option or a variable; then it must be there."""
    path = _write(tmp_path, f'connection_string = "{_string("file")}"').rename(tmp_path / "other.toml")
    assert _run(tmp_path, "--config", str(path)).stdout == "file\n"
    assert _run(tmp_path, **{CONFIG_FILE: str(path)}).stdout == "file\n"
    missing = _run(tmp_path, "--config", str(tmp_path / "missing.toml"))
    assert missing.exit_code == 11
    assert "cannot read" in missing.stderr


def test_file_is_not_read_when_a_hub_is_named(tmp_path: Path) -> None:
    """What is wrong in it is then in nobody's way."""
    _write(tmp_path, "nonsense")
    assert _run(tmp_path, "-c", _string("option")).stdout == "option\n"
    assert _run(tmp_path).exit_code == 11


def test_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    """The command goes on; the warning says what to type."""
    path = _write(tmp_path, f'connection_string = "{_string("file")}"', 0o644)
    result = _run(tmp_path)
    assert (result.exit_code, result.stdout) == (0, "file\n")
    assert f"chmod 600 {path}" in result.stderr


def test_file_may_lead_to_entra_id(tmp_path: Path) -> None:
    """And name the authority of the hub."""
    _write(tmp_path, 'hub = "entra"\nca_file = "/no/such.pem"')
    assert "the CA file /no/such.pem cannot be used" in _run(tmp_path).stderr
    _write(tmp_path, 'hub = "entra"')
    assert _run(tmp_path).stdout == "entra\n"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ((), "no connection string was given"),
        (("-c", ""), "an empty text was given for the hub"),
        (("--hub", ""), "an empty text was given for the hub"),
        (("--hub", "h", "-c", _string("h")), "two ways into the hub are given"),
        (("-c", f"HostName=h;SharedAccessKey={_KEY}"), "SharedAccessKeyName is missing"),
    ],
)
def test_wrong_access_is_explained(tmp_path: Path, options: tuple[str, ...], text: str) -> None:
    """Before anything is sent, and without the key."""
    result = CliRunner().invoke(
        program,
        ("status", "d1", *options),
        env={CONNECTION_STRING: None, HUB: None, CONFIG_FILE: None, "XDG_CONFIG_HOME": str(tmp_path)},
    )
    assert result.exit_code == 11
    assert f"error: {text}" in result.stderr
    assert "fix: " in result.stderr
    assert _KEY not in result.output


@pytest.mark.parametrize("host", ["127.0.0.1:1", "a..b", "127.0.0.1:99999", f"h{_KEY}"])
def test_secret_is_shown_nowhere(tmp_path: Path, host: str) -> None:
    """Whatever goes wrong, and with the traceback that FWSM_DEBUG=1 asks for: no key, no token."""
    ended = subprocess.run(
        [sys.executable, "-m", "fwsm", "cancel", "d1", "--json", "--wait-online", "--timeout", "1"],
        env=os.environ
        | {CONNECTION_STRING: _string(host), "XDG_CONFIG_HOME": str(tmp_path), "FWSM_DEBUG": "1", "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert ended.returncode in {11, 14}
    shown = (ended.stdout + ended.stderr).replace(f"h{_KEY}", "")
    assert "error: " in shown
    assert _KEY not in shown
    assert "SharedAccessSignature" not in shown


@pytest.mark.parametrize("home", ["~", "", "/nowhere", "/dev/null", "x" * 5000], ids=lambda home: home[:9] or "empty")
def test_home_that_cannot_be_one_is_as_good_as_no_file(home: str) -> None:
    """As under a service manager, or as another user; what is missing is told as ever."""
    clean: dict[str, str | None] = dict.fromkeys((CONNECTION_STRING, CA_FILE, HUB, CONFIG_FILE, "XDG_CONFIG_HOME"))
    result = CliRunner().invoke(_command, [], env={**clean, "HOME": home})
    assert result.exit_code == 11
    assert "no connection string was given" in result.stderr
    assert "operator.toml" in result.stderr


_AZ = """#!/bin/sh
echo "$@" > {log}
echo '{{"accessToken": "of.the.cli", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}}'
"""


def test_user_of_the_azure_cli_is_let_in(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """By azure-identity's own chain: `az` is asked for a token of IoT Hub's data plane, and the hub gets that."""
    if os.geteuid():
        pytest.skip("port 443 takes root")
    programs, log = tmp_path / "bin", tmp_path / "az.log"
    programs.mkdir()
    (programs / "az").write_text(_AZ.format(log=log))
    (programs / "az").chmod(0o755)
    twin = {"properties": {"reported": {"iothubDM": {"firmwareUpdate": {"status": "applyComplete"}}}}}
    with contextlib.ExitStack() as servers:
        site = Site(loopback(), tmp_path / "hub", servers)
        hub, _ = site.serve(*[answering(200, json.dumps(twin).encode())] * 2, port=443)
        process = start("watch", "d1", "--hub", site.address, "--ca", site.ca_file, env=_signed_in(programs))
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "100 %  applyComplete\n")
    assert "applyComplete" in out
    assert "of.the.cli" not in out
    assert b"\r\nAuthorization: Bearer of.the.cli\r\n" in hub.requests[0]
    assert log.read_text() == "account get-access-token --output json --resource https://iothubs.azure.net\n"


def test_user_who_has_not_signed_in_is_told_so(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """In a few lines; azure-identity has a dozen."""
    process = start("watch", "d1", "--hub", "hub.invalid", env=_signed_in(tmp_path))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 15
    assert err.splitlines() == [
        "error: Entra ID gave no token for the hub",
        "  why: no way to sign in is set up on this machine",
        "  fix: Sign in, for example with `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET",
    ]


def _signed_in(programs: Path) -> dict[str, str]:
    """An environment in which only these programs, and the system's, can know a user; no identity of a machine's."""
    return {
        "PATH": f"{programs}:/usr/bin:/bin",
        "HOME": str(programs),
        "XDG_CONFIG_HOME": str(programs),
        "AZURE_TOKEN_CREDENTIALS": "dev",
    }
