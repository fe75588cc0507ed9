"""Commands with --query against an embedded hub."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.patience import PATIENCE_S
from tests.service.player import Player

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fwsm.hub import Hub

_TRIGGER = ("trigger", "--query", "*", "--uri", "https://example.org/fw.img?sig=secret")


def _variables(hub: Hub) -> dict[str, str]:
    return {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}


def _fwsm(hub: Hub, *arguments: str) -> Result:
    return CliRunner().invoke(program, arguments, env=_variables(hub))


def _reports(end: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"updateId": "u1", "status": "waiting"}, {"status": "downloading"}, end]


def test_each_device_has_a_result(hub: Hub) -> None:
    """A line for each, a tally, and exit code 21 with the way to order it again."""
    hub.add_device("d3")
    with Player(hub, "d1"), Player(hub, "d2", status=409, payload={"message": "busy"}):
        result = _fwsm(hub, *_TRIGGER)
    assert result.exit_code == 21
    assert result.stdout.splitlines()[-4:-2] == ["d1  accepted    FirmwareUpdate started", "d2  refused     busy"]
    assert result.stdout.splitlines()[-2].startswith("d3  offline     ")
    assert result.stdout.splitlines()[-1] == "1 accepted, 1 refused, 1 offline"
    assert "3 devices meet the condition" in result.stderr
    assert "error: 2 of 3 devices did not do it" in result.stderr
    assert "--query \"deviceId IN ['d2', 'd3']\"" in result.stderr


def test_one_device_is_not_counted(hub: Hub) -> None:
    """Neither when it refuses nor when it does not settle in time."""
    with Player(hub, "d1", status=409) as device:
        refused = _fwsm(hub, *_TRIGGER)
        device._answer = 200, "{}"
        device.reports = [{"status": "waiting"}]
        for timeout_s in ("0.5", "5", "50"):  # a slow machine needs some of that for the job itself
            late = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", timeout_s)
            if "settled" in late.stderr:
                break
    assert (refused.exit_code, late.exit_code) == (21, 6)
    assert "error: the one device asked did not do it" in refused.stderr
    assert "error: the one device asked has not settled in time" in late.stderr


def test_devices_are_watched_until_each_has_settled(hub: Hub) -> None:
    """With --json every line is an object, and none shows the secret of the address."""
    good = Player(hub, "d1", payload={"updateId": "u1"}, reports=_reports({"status": "applyComplete"}))
    bad = Player(hub, "d2", payload={"updateId": "u1"}, reports=_reports({"status": "downloadFailed"}))
    with good, bad:
        result = _fwsm(hub, *_TRIGGER, "--watch", "--interval", "0.05", "--timeout", "60", "--json")
    assert result.exit_code == 21
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    ends = {line["deviceId"]: line["result"] for line in lines if line["event"] == "result"}
    assert ends == {"d1": "applied", "d2": "failed"}
    assert next(line for line in lines if line["event"] == "tally")["results"] == {"applied": 1, "failed": 1}
    assert {line["event"] for line in lines} == {"job", "reported", "result", "tally", "error"}
    assert "secret" not in result.output


def test_interrupted_watch_says_how_to_look_again(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """Ctrl-C ends the watching; the named command shows the job."""
    with Player(hub, "d1", payload={"updateId": "u1"}, reports=_reports({"status": "applying"})):
        process = start(*_TRIGGER, "--watch", env=_variables(hub))
        assert process.stdout is not None
        while "applying" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "the job goes on; look again: fwsm job watch " in err
    name = err.partition("fwsm job watch ")[2].partition(";")[0]
    shown = _fwsm(hub, "job", "show", name)
    assert (shown.exit_code, shown.stdout.splitlines()[-1]) == (0, "1 accepted")


def test_hub_that_is_away_at_first_is_waited_for(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """With --timeout, as for one device; a job is looked at again in the same way."""
    hub.add_device("d1")

    def away_at_first(*arguments: str) -> str:
        hub.pause()
        process = start(*arguments, "--timeout", "60", "--json", env=_variables(hub))
        assert process.stderr is not None
        assert "the hub does not answer" in process.stderr.readline()
        hub.resume()
        out, err = process.communicate(timeout=90)
        assert "the hub is back" in err
        assert process.returncode == 21, err
        return out

    job_id = json.loads(away_at_first(*_TRIGGER).splitlines()[0])["jobId"]
    assert '"results": {"offline": 1}' in away_at_first("job", "watch", job_id)


def test_timeout_without_a_hub_is_kept() -> None:
    """The command ends after what it was given, not before, with the code of a hub that is not there."""
    nowhere = {CONNECTION_STRING: "HostName=127.0.0.1:9;SharedAccessKeyName=service;SharedAccessKey=a2V5", CA_FILE: ""}
    for command in (_TRIGGER, ("job", "watch", "j1")):
        began = time.monotonic()
        result = CliRunner().invoke(program, [*command, "--timeout", "1"], env=nowhere)
        assert result.exit_code == 14
        assert time.monotonic() - began >= 1
        assert "the hub does not answer" in result.stderr
        assert "no connection to the hub at 127.0.0.1:9" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("cancel",), 2, "Name a DEVICE, or give a --query."),
        (("cancel", "d1", "--query", "*"), 2, "DEVICE and --query exclude each other."),
        (("cancel", "--query", "*", "--wait-online"), 2, "--wait-online is for one device"),
        (("cancel", "--query", ""), 2, "the condition is empty"),
        (("cancel", "--query", "deviceId = 'x'"), 16, "no device meets the condition"),
        (("cancel", "--query", "deviceId ="), 14, "the hub refused the request"),
    ],
)
def test_wrong_target_is_told_before_anything_is_begun(
    hub: Hub, arguments: tuple[str, ...], code: int, text: str
) -> None:
    """No job is made of it."""
    result = _fwsm(hub, *arguments)
    assert result.exit_code == code
    assert text in result.stderr
    assert _fwsm(hub, "job", "list").stdout == ""
