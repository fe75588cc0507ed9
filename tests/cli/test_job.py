"""`fwsm job` against an embedded hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING

if TYPE_CHECKING:
    from fwsm.hub import Hub


def _fwsm(hub: Hub, *arguments: str) -> Result:
    variables = {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}
    return CliRunner().invoke(program, arguments, env=variables)


def test_job_is_found_again(hub: Hub) -> None:
    """By the list, as it stands, and to its end."""
    hub.add_device("d1")
    assert _fwsm(hub, "retry", "--query", "*").exit_code == 21
    listed = json.loads(_fwsm(hub, "job", "list", "--json").stdout)
    assert (listed["event"], listed["status"], listed["devices"], listed["failed"]) == ("job", "completed", 1, 1)
    for command in ("show", "watch"):
        result = _fwsm(hub, "job", command, listed["jobId"])
        assert result.exit_code == 21
        assert result.stdout.splitlines()[0] == f"job {listed['jobId']} is completed, 1 of 1 devices asked"
        assert result.stdout.splitlines()[-1] == "1 offline"
    assert _fwsm(hub, "job", "cancel", listed["jobId"]).exit_code == 14


@pytest.mark.parametrize("command", ["show", "watch", "cancel"])
@pytest.mark.parametrize(("name", "text"), [("nobody", "knows no job"), ("A'", "is no job id")])
def test_wrong_job_is_told(hub: Hub, command: str, name: str, text: str) -> None:
    """Exit code 2."""
    result = _fwsm(hub, "job", command, name)
    assert result.exit_code == 2
    assert text in result.stderr
