"""`fwsm trigger` and `fwsm watch` against an embedded hub."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse
from click.testing import CliRunner, Result

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.patience import PATIENCE_S
from tests.service.player import TUTORIAL_REPORTS, Player

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from fwsm.hub import Hub

_URI = "https://example.org/fw.img?sig=secret"
_TRIGGER = ("trigger", "d1", "--uri", _URI, "--interval", "0.05")
_OURS: list[dict[str, Any]] = [
    {"updateId": "u2", "status": "waiting", "reason": "outside the window", "until": "22:00", "error": None},
    {"status": "downloading", "reason": None, "until": None, "progress": {"percent": 50}, "resumed": 1},
    {"status": "downloadComplete"},
    {"status": "applying", "substatus": "rebooting", "resumed": 2},
]


def _environment(hub: Hub, connection_string: str | None = None) -> dict[str, str | None]:
    return {CONNECTION_STRING: connection_string or hub.service_connection_string, CA_FILE: str(hub.ca_path)}


def _fwsm(hub: Hub, *arguments: str, connection_string: str | None = None) -> Result:
    return CliRunner().invoke(program, arguments, env=_environment(hub, connection_string))


def _objects(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_answer_of_the_device_is_shown(hub: Hub) -> None:
    """The device's words are the result, and the next command is suggested."""
    with Player(hub, "d1", payload={"message": "FirmwareUpdate started", "updateId": "u1"}):
        result = _fwsm(hub, *_TRIGGER)
    assert result.exit_code == 0
    assert result.stdout == "d1 answered 200: FirmwareUpdate started  (update u1)\n"
    assert result.stderr == "follow it with: fwsm watch d1\n"


def test_answer_as_json(hub: Hub) -> None:
    """The whole answer is there, whatever JSON the device sent."""
    with Player(hub, "d1", payload=["ok", {"n": 1}]):
        result = _fwsm(hub, *_TRIGGER, "--json")
    assert _objects(result) == [
        {"event": "answer", "deviceId": "d1", "status": 200, "updateId": None, "payload": ["ok", {"n": 1}]}
    ]


def test_options_reach_the_device(hub: Hub) -> None:
    """Digest and version travel under the names of the 2018 tutorial, the address with its query."""
    with Player(hub, "d1") as player:
        assert _fwsm(hub, *_TRIGGER, "--sha256", "A" * 64, "--fw-version", "1.2").exit_code == 0
    assert player.calls == [{"fwPackageUri": _URI, "fwPackageCheckValue": "a" * 64, "fwVersion": "1.2"}]


def test_device_of_the_tutorial_is_watched_to_its_end(hub: Hub) -> None:
    """It gives no id, so the end of its first update must not be taken for that of its second."""
    first, *rest = TUTORIAL_REPORTS
    again = first | {"startedWaitingTime": "2026-11-24T12:00:00.000Z"}
    with Player(hub, "d1", reports=[first, *rest]) as player:
        assert _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60").exit_code == 0
        player.reports = [again, {"status": "downloadfailed", "error": {"code": 404, "message": "no image"}}]
        result = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60")
    assert result.exit_code == 7
    assert result.stdout.splitlines()[-1].endswith(" s  downloadFailed  404: no image")


def test_watch_of_a_settled_update_ends_at_once(hub: Hub) -> None:
    """Who looks after the end sees how it went."""
    with Player(hub, "d1", reports=TUTORIAL_REPORTS):
        assert _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60").exit_code == 0
    result = _fwsm(hub, "watch", "d1")
    assert (result.exit_code, result.stdout) == (0, "    0.0 s  applyComplete\n")


def test_watch_as_json_shows_what_was_reported(hub: Hub) -> None:
    """Every change is an object with the reported section as it is, but for the secret of the address."""
    with Player(hub, "d1", reports=TUTORIAL_REPORTS):
        result = _fwsm(hub, *_TRIGGER, "--watch", "--json", "--timeout", "60")
    answer, *reported = _objects(result)
    assert answer["event"] == "answer"
    assert {(line["event"], line["deviceId"]) for line in reported} == {("reported", "d1")}
    last = reported[-1]["firmwareUpdate"]
    assert (last["status"], last["fwPackageUri"]) == ("applyComplete", "https://example.org/fw.img")
    assert reported[-1]["elapsedS"] >= reported[0]["elapsedS"] >= 0
    assert "secret" not in result.output


@pytest.mark.parametrize(
    ("end", "code", "text"),
    [
        ({"status": "applyComplete", "substatus": None}, 0, ""),
        (
            {"status": "applyFailed", "substatus": None, "error": {"code": "slot", "message": "no slot"}},
            7,
            "error: the update of d1 failed (applyFailed)\n  why: slot: no slot\n",
        ),
        (
            {"status": "applyFailed", "substatus": "rolledBack", "error": {"code": "health", "message": "dead"}},
            8,
            "error: d1 has rolled back to its old firmware\n  why: health: dead\n",
        ),
    ],
)
def test_end_of_the_update_is_the_end_of_the_command(hub: Hub, end: dict[str, Any], code: int, text: str) -> None:
    """Done, failed and rolled back each have an exit code."""
    with Player(hub, "d1", payload={"updateId": "u2"}, reports=[*_OURS, end]):
        result = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60")
    assert result.exit_code == code
    assert text in result.stderr
    assert end["status"] in result.stdout.splitlines()[-1]


def _reported(twin: dict[str, Any]) -> dict[str, Any]:
    section: dict[str, Any] = twin["properties"]["reported"].get("iothubDM", {}).get("firmwareUpdate", {})
    return section


def test_reason_and_restarts_are_told(hub: Hub) -> None:
    """Why it waits, till when, and how often it went on, in words."""
    with Player(hub, "d1", payload={"updateId": "u2"}, reports=_OURS[:1]):
        assert _fwsm(hub, *_TRIGGER).exit_code == 0
        hub.wait_twin("d1", lambda twin: _reported(twin).get("status") == "waiting")
    result = _fwsm(hub, "watch", "d1", "--timeout", "0.1")
    assert result.stdout.splitlines()[-1].endswith(" s  waiting  outside the window until 22:00")
    with Player(hub, "d2", payload={"updateId": "u2"}, reports=_OURS):
        assert _fwsm(hub, "trigger", "d2", "--uri", _URI).exit_code == 0
        hub.wait_twin("d2", lambda twin: _reported(twin).get("status") == "applying")
    result = _fwsm(hub, "watch", "d2", "--timeout", "0.1")
    assert result.stdout.splitlines()[-1].endswith(" s  applying.rebooting  went on after 2 restarts")


def test_time_runs_out(hub: Hub) -> None:
    """An update that does not settle in time ends the command, not the update."""
    with Player(hub, "d1", payload={"updateId": "u2"}, reports=_OURS):
        result = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "0.3", "--json")
    assert result.exit_code == 6
    error = _objects(result)[-1]
    assert (error["event"], error["error"]["code"]) == ("error", "deviceTimeout")
    assert error["error"]["exitCode"] == 6


def test_refusal_of_the_device_is_shown_with_its_reason(hub: Hub) -> None:
    """A status from 400 on: the answer is still the result, and the exit code is 19."""
    with Player(hub, "d1", status=409, payload={"message": "another update runs"}):
        result = _fwsm(hub, *_TRIGGER, "--watch")
    assert result.exit_code == 19
    assert result.stdout == "d1 answered 409: another update runs\n"
    assert result.stderr == "error: d1 refused the update (status 409)\n  why: another update runs\n"


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("--uri", "ftp://h/f?sig=secret"), "error: --uri has the scheme 'ftp'"),
        (("--uri", "https://u:secret@h/f"), "error: --uri carries credentials"),
        (("--uri", ""), "error: --uri is not a text"),
        (("--uri", _URI, "--sha256", "abc"), "error: --sha256 is no SHA-256 digest"),
        (("--uri", _URI, "--fw-version", ""), "error: --fw-version is no version"),
    ],
)
def test_malformed_request_is_told_in_the_words_of_the_command_line(
    hub: Hub, arguments: tuple[str, ...], text: str
) -> None:
    """It is found here, before the hub is asked, and no secret is repeated."""
    result = _fwsm(hub, "trigger", "d1", *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(text)
    assert "fix: " in result.stderr
    assert "secret" not in result.output


def test_offline_device_is_told(hub: Hub) -> None:
    """Exit code 5."""
    hub.add_device("d1")
    result = _fwsm(hub, *_TRIGGER)
    assert (result.exit_code, result.stdout) == (5, "")
    assert result.stderr.startswith("error: d1 is offline\n  why: ")


@pytest.mark.parametrize("command", [_TRIGGER, (*_TRIGGER, "--watch"), ("watch", "d1")])
def test_unknown_device_is_told(hub: Hub, command: tuple[str, ...]) -> None:
    """Exit code 16, whichever call met it."""
    result = _fwsm(hub, *command)
    assert result.exit_code == 16
    assert "knows no device 'd1'" in result.stderr


def test_wrong_key_is_told(hub: Hub) -> None:
    """Exit code 15, and the key is not shown."""
    text = hub.service_connection_string.rpartition("=")[0].rpartition("SharedAccessKey")[0]
    result = _fwsm(hub, *_TRIGGER, connection_string=f"{text}SharedAccessKey=d3Jvbmcga2V5")
    assert result.exit_code == 15
    assert "d3Jvbmcga2V5" not in result.output


@pytest.mark.parametrize("part", ["HostName", "SharedAccessKeyName", "SharedAccessKey"])
def test_connection_string_without_a_part_is_told(hub: Hub, part: str) -> None:
    """Exit code 11, and the missing part is named."""
    parts = hub.service_connection_string.split(";")
    text = ";".join(piece for piece in parts if not piece.startswith(f"{part}="))
    result = _fwsm(hub, *_TRIGGER, connection_string=text)
    assert result.exit_code == 11
    assert result.stderr.startswith(f"error: {part} is missing in the operator's connection string")


@pytest.mark.parametrize("command", [_TRIGGER, ("watch", "d1")])
def test_hub_that_is_not_there_is_told(hub: Hub, command: tuple[str, ...]) -> None:
    """Exit code 14, after a few tries that are announced."""
    environment = _environment(hub)
    with hub.offline():
        result = CliRunner().invoke(program, command, env=environment)
    assert result.exit_code == 14
    assert result.stderr.count("Connection refused; trying again ") == 3
    assert "in 0.0 s" not in result.stderr
    assert f"error: no connection to the hub at {hub.address}:{hub.rest_port}" in result.stderr


def test_ctrl_c_ends_the_watch(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """A device without an update is waited for until the user has had enough."""
    hub.add_device("d1")
    process = start("watch", "d1", env=_environment(hub))
    assert process.stderr is not None
    assert process.stderr.readline() == "d1 has reported no update yet; waiting for one\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")


def test_reader_that_goes_away_is_no_drama(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """`fwsm watch … | head -1` ends without a word."""
    with Player(hub, "d1", reports=TUTORIAL_REPORTS):
        assert _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60").exit_code == 0
    process = start("watch", "d1", "--json", env=_environment(hub))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    assert process.stderr.read() == ""
    assert process.wait(PATIENCE_S) == 141


def test_absence_of_the_hub_is_told_and_survived(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """The watch goes on when the hub comes back, and still sees the end."""
    with Player(hub, "d1", reports=_OURS[:1]) as player:
        assert _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "0.3").exit_code == 6
        hub.wait_twin("d1", lambda twin: _reported(twin).get("status") == "waiting")
        process = start("watch", "d1", "--interval", "0.05", env=_environment(hub))
        assert process.stdout is not None
        assert process.stderr is not None
        assert "waiting" in process.stdout.readline()
        with hub.offline():
            assert process.stderr.readline().startswith("the hub does not answer (no connection to the hub at ")
        assert process.stderr.readline().startswith("the hub is back after ")
        hub.wait_reachable("d1")
        player.report({"status": "applyComplete"})
        assert process.wait(PATIENCE_S) == 0


@contextlib.contextmanager
def _sdk_device(hub: Hub, device_id: str, reports: list[dict[str, Any]]) -> Iterator[None]:
    """A device app on the unmodified SDK, in the manner of the tutorial."""
    client = IoTHubDeviceClient.create_from_connection_string(
        hub.add_device(device_id).connection_string, server_verification_cert=hub.ca_pem
    )

    def update(request: Any) -> None:
        response = MethodResponse.create_from_method_request(request, 200, "FirmwareUpdate started")
        client.send_method_response(response)
        for section in reports:
            client.patch_twin_reported_properties({"iothubDM": {"firmwareUpdate": section}})

    try:
        client.connect()
        client.on_method_request_received = update
        yield
    finally:
        client.shutdown()


@pytest.mark.e2e
@pytest.mark.sdk
def test_device_on_the_real_sdk_is_triggered_and_watched(hub: Hub) -> None:
    """The unmodified SDK on one side, the command on the other."""
    with _sdk_device(hub, "d1", TUTORIAL_REPORTS):
        result = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "60", "--json")
    assert result.exit_code == 0, result.output
    assert _objects(result)[-1]["firmwareUpdate"]["status"] == "applyComplete"


@pytest.mark.parametrize(
    "command",
    [
        ("watch", "d1", "--interval", "0.05", "--timeout", "60"),
        (*_TRIGGER, "--wait-online", "--watch", "--timeout", "60"),
    ],
)
def test_hub_that_is_away_at_first_is_waited_for(
    hub: Hub, start: Callable[..., subprocess.Popen[str]], command: tuple[str, ...]
) -> None:
    """As one that goes away later is; with --wait-online or --timeout."""
    end = {"updateId": "u1", "status": "applyComplete"}
    with Player(hub, "d1", payload={"updateId": "u1"}, reports=[end]) as device:
        given = {name: str(value) for name, value in _environment(hub).items()}
        if command[0] == "watch":
            device.report(end)
            hub.wait_twin("d1", lambda twin: "iothubDM" in twin["properties"]["reported"])
        hub.pause()
        process = start(*command, env=given)
        assert process.stderr is not None
        assert "the hub does not answer" in process.stderr.readline()
        hub.resume()
        _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "the hub is back" in err


@pytest.mark.parametrize("command", ["watch", "status"])
def test_timeout_without_a_hub_is_kept(command: str) -> None:
    """The command ends after what it was given, not before, with the code of a hub that is not there."""
    nowhere = {CONNECTION_STRING: "HostName=127.0.0.1:9;SharedAccessKeyName=service;SharedAccessKey=a2V5", CA_FILE: ""}
    began = time.monotonic()
    result = CliRunner().invoke(program, [command, "d1", "--timeout", "1"], env=nowhere)
    assert result.exit_code == 14
    assert time.monotonic() - began >= 1
    assert "the hub does not answer" in result.stderr
    assert "no connection to the hub at 127.0.0.1:9" in result.stderr


def test_timeout_is_told_as_it_was_given(hub: Hub) -> None:
    """Not what the trigger has left of it."""
    with Player(hub, "d1", payload={"updateId": "u1"}, reports=[{"updateId": "u1", "status": "waiting"}]):
        result = _fwsm(hub, *_TRIGGER, "--watch", "--timeout", "1.5")
    assert result.exit_code == 6
    assert "has not settled within 1.5 s" in result.stderr
