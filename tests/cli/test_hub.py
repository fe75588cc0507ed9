"""`fwsm hub`: a hub as a process of its own, and its registry."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from contextlib import contextmanager
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from fwsm.hub import Hub
from fwsm.hub.codec import encode
from fwsm.hub.packets import ConnAck, Connect
from fwsm.service import Client, Transport
from fwsm.service.sas import SharedAccess
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_CLEAN: dict[str, str | None] = {CONNECTION_STRING: None, CA_FILE: None}


def _ready(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    card: dict[str, Any] = json.loads(process.stdout.readline())
    assert card["event"] == "ready"
    return card


def _fwsm(*arguments: object, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(program, list(map(str, arguments)), env={**_CLEAN, **environment})
    return result.exit_code, result.stdout, result.stderr


@contextmanager
def _hangup(handler: signal.Handlers) -> Iterator[None]:
    """Have a process that is started meanwhile take SIGHUP so, whoever started the tests."""
    before = signal.signal(signal.SIGHUP, handler)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_hub_runs_until_it_is_told_to_stop(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], ending: signal.Signals
) -> None:
    """What it prints lets an operator in, and a signal ends it in good order."""
    with _hangup(signal.SIG_DFL):
        process = start("hub", "run", "--address", loopback(), "--ephemeral", "--device", "d1", "--json")
    card = _ready(process)
    with Client(Transport(SharedAccess.parse(card["ownerConnectionString"]), ca_file=card["caPath"])) as client:
        assert client.device("d1").connection_string == card["devices"][0]["connectionString"]
    process.send_signal(ending)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out, err) == (0, "", "the hub has stopped\n")
    assert not os.path.exists(card["caPath"])  # noqa: PTH110 - the path came as text


def test_hub_outlives_its_terminal_if_it_is_told_to(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]
) -> None:
    """`nohup fwsm hub run &`."""
    with _hangup(signal.SIG_IGN):
        process = start("hub", "run", "--address", loopback(), "--ephemeral", "--json")
    card = _ready(process)
    process.send_signal(signal.SIGHUP)
    with Client(Transport(SharedAccess.parse(card["ownerConnectionString"]), ca_file=card["caPath"])) as client:
        assert list(client.devices()) == []
    process.terminate()
    assert process.wait(60) == 0


def test_hub_says_what_to_export(loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]) -> None:
    """The lines can be pasted into a shell as they are."""
    address = loopback()
    process = start("hub", "run", "--address", address, "--port", "9443", "--ephemeral", "--device", "d1")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(13)]
    exports = "".join(line for line in lines if line.startswith("  export "))
    shows = 'printf \'%s\\n\' "$FWSM_SERVICE_CONNECTION_STRING" "$FWSM_CONNECTION_STRING"'
    script = f'{exports} {shows}; test -r "$FWSM_CA_FILE" && test -r "$NODE_EXTRA_CA_CERTS"'
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, timeout=PATIENCE_S)
    operators, devices = shown.stdout.splitlines()
    assert operators.startswith(f"HostName={address}:9443;SharedAccessKeyName=iothubowner;SharedAccessKey=")
    assert devices == lines[2].removeprefix("device d1  ").rstrip()
    assert lines[0] == f"hub on {address}: devices port 8883, operators port 9443\n"
    assert lines[2].startswith(f"device d1  HostName={address};DeviceId=d1;SharedAccessKey=")


def test_hub_says_why_it_refuses(loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]) -> None:
    """If it is asked to; the device itself is told a number."""
    address = loopback()
    process = start("hub", "run", "--address", address, "--ephemeral", "--json", "--verbose")
    card = _ready(process)
    context = ssl.create_default_context(cafile=card["caPath"])
    raw = socket.create_connection((address, 8883), timeout=PATIENCE_S)
    with context.wrap_socket(raw, server_hostname=address) as device:
        device.sendall(encode(Connect("nobody", user_name=f"{address}/nobody/?api-version=1", password=b"x")))
        assert device.recv(4) == encode(ConnAck(5))
    assert process.stderr is not None
    assert process.stderr.readline().endswith("nobody is not let in (CONNACK 5): the device is not registered\n")


@pytest.mark.parametrize("name", ["", "a/b", "two words", "x" * 129])
def test_hub_does_not_begin_with_a_name_that_no_device_has(name: str, tmp_path: Path) -> None:
    """It is said at once, and nothing is made on disk."""
    code, out, err = _fwsm("hub", "run", "--state", tmp_path / "hub", "--device", name)
    assert (code, out) == (2, "")
    assert "is no device id" in err
    assert not (tmp_path / "hub").exists()


def test_hub_remembers_its_devices(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Started again on the same directory it has the same keys, and --device takes what is there."""
    cards = []
    for _ in range(2):
        process = start("hub", "run", "--address", loopback(), "--state", tmp_path / "h", "--device", "d1", "--json")
        cards.append(_ready(process))
        process.terminate()
        assert process.wait(PATIENCE_S) == 0
    keys = [card["devices"][0]["connectionString"].partition("DeviceId")[2] for card in cards]
    assert keys[0] == keys[1]


def test_port_in_use_is_told(hub: Hub) -> None:
    """Exit code 17, and the way out."""
    code, out, err = _fwsm("hub", "run", "--address", hub.address, "--ephemeral", "--json")
    assert code == 17
    assert json.loads(out)["error"]["code"] == "portInUse"
    assert "why: another process listens there\n  fix: Stop it" in err


@pytest.mark.parametrize(
    ("ports", "words"),
    [
        (("--mqtt-port", 8443), "--port and --mqtt-port are both 8443"),
        (("--socks-port", 8443), "--port and --socks-port are both 8443"),
        (("--port", 443, "--mqtt-port", 443), "--port and --mqtt-port are both 443"),
        (("--mqtt-port", 1080, "--socks-port", 1080), "--mqtt-port and --socks-port are both 1080"),
    ],
)
def test_one_port_for_two_doors_is_a_usage_error(ports: tuple[object, ...], words: str, tmp_path: Path) -> None:
    """No other process is blamed, and nothing is made on disk."""
    code, out, err = _fwsm("hub", "run", "--state", tmp_path / "hub", *ports)
    assert (code, out) == (2, "")
    assert words in err
    assert not (tmp_path / "hub").exists()


def test_directory_in_use_is_told(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """A second hub does not touch the first one's state."""
    _ready(start("hub", "run", "--address", loopback(), "--state", tmp_path, "--json"))
    code, _, err = _fwsm("hub", "run", "--address", loopback(), "--state", tmp_path)
    assert code == 13
    assert "another hub runs on this directory" in err


@pytest.mark.parametrize("address", ["localhost", "8.8.8.8"])
def test_address_that_will_not_do_is_told(address: str) -> None:
    """A hub on this machine is for this machine."""
    code, _, err = _fwsm("hub", "run", "--address", address, "--ephemeral")
    assert code == 11
    assert err.startswith("error: ")
    assert "fix: " in err


def test_two_minds_about_memory_are_a_usage_error(tmp_path: Path) -> None:
    """--ephemeral and --state contradict each other."""
    code, _, err = _fwsm("hub", "run", "--ephemeral", "--state", tmp_path)
    assert code == 2
    assert "exclude each other" in err


_WITHOUT_EXTRA = """
import sys
sys.modules["starlette"] = None  # what an import of a package that is not installed comes to
from fwsm.cli import main
main()
"""


def test_missing_extra_is_told() -> None:
    """Without the packages of the hub the command says how to get them, and all other commands work."""
    command = [sys.executable, "-c", _WITHOUT_EXTRA]
    done = subprocess.run(
        [*command, "hub", "run", "--ephemeral"], capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )
    assert done.returncode == 11
    assert done.stderr.splitlines() == [
        "error: the embedded hub is not installed",
        "  why: the package starlette is missing",
        "  fix: Run: pip install 'fwsm[hub]'",
    ]
    other = subprocess.run([*command, "hub", "device", "--help"], capture_output=True, check=False, timeout=PATIENCE_S)
    assert other.returncode == 0


@pytest.fixture
def state(loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> Path:
    """Return the directory of a hub that runs as a process of its own."""
    _ready(start("hub", "run", "--address", loopback(), "--state", tmp_path / "hub", "--json"))
    return tmp_path / "hub"


def test_registry_is_kept_through_the_card(state: Path) -> None:
    """Whoever can read the hub's directory needs no connection string."""
    code, added, _ = _fwsm("hub", "device", "add", "d1", "--state", state)
    assert code == 0
    assert ";DeviceId=d1;SharedAccessKey=" in added
    assert _fwsm("hub", "device", "show", "d1", "--state", state) == (0, added, "")
    assert _fwsm("hub", "device", "list", "--state", state) == (0, "d1  not connected\n", "")
    assert _fwsm("hub", "device", "remove", "d1", "--state", state) == (0, "d1 is removed\n", "")
    assert _fwsm("hub", "device", "list", "--state", state) == (0, "", "")


def test_modules_are_registered_by_their_devices_name(hub: Hub) -> None:
    """With a string that is ready for an SDK, shown again on demand."""
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    hub.add_device("d1")
    code, added, said = _fwsm("hub", "device", "add", "d1/m1", **given)
    assert (code, added, said) == (0, f"{hub.device('d1/m1').connection_string}\n", "d1/m1 is registered\n")
    assert _fwsm("hub", "device", "show", "d1/m1", **given)[1] == added
    facts = {"deviceId": "d1", "moduleId": "m1", "enabled": True, "connected": False}
    assert json.loads(_fwsm("hub", "device", "show", "d1/m1", "--json", **given)[1]).items() >= facts.items()
    assert _fwsm("hub", "device", "remove", "d1/m1", **given) == (0, "d1/m1 is removed\n", "")
    code, _, said = _fwsm("hub", "device", "show", "d1/m1", **given)
    assert code == 16
    assert "the hub knows no module 'd1/m1'" in said


def test_device_that_is_named_twice_is_listed_once(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]
) -> None:
    """It is one device."""
    names = ("--device", "d1", "--device", "d2", "--device", "d1")
    card = _ready(start("hub", "run", "--address", loopback(), "--ephemeral", *names, "--json"))
    assert [device["deviceId"] for device in card["devices"]] == ["d1", "d2"]


def test_registry_as_json(state: Path) -> None:
    """The list has the facts, only add and show have the key."""
    facts = {"deviceId": "d1", "enabled": True, "connected": False}
    _, added, _ = _fwsm("hub", "device", "add", "d1", "--state", state, "--json")
    assert json.loads(added).items() >= facts.items()
    assert json.loads(added)["connectionString"].startswith("HostName=127.")
    assert json.loads(_fwsm("hub", "device", "list", "--state", state, "--json")[1]) == facts
    removed = _fwsm("hub", "device", "remove", "d1", "--state", state, "--json")[1]
    assert json.loads(removed) == {"event": "removed", "deviceId": "d1"}


def test_registry_is_kept_through_a_connection_string(hub: Hub) -> None:
    """The same commands work on any hub, a cloud's as well."""
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    code, added, _ = _fwsm("hub", "device", "add", "d1", **given)
    assert (code, added) == (0, f"{hub.device('d1').connection_string}\n")


def test_device_with_a_certificate_and_messages(hub: Hub) -> None:
    """A device is registered by its thumbprint, and sent a message."""
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    code, added, _ = _fwsm("hub", "device", "add", "d1", "--thumbprint", "AB" * 32, **given)
    assert (code, added) == (0, f"HostName={hub.address};DeviceId=d1;x509=true\n")
    code, added, said = _fwsm("hub", "device", "add", "d3", "--by-authority", "--json", **given)
    assert (code, said) == (0, "d3 is registered\n")
    assert json.loads(added)["connectionString"] == f"HostName={hub.address};DeviceId=d3;x509=true"
    assert _fwsm("hub", "send", "d1", "open the valve", **given) == (0, "the message to d1 is queued\n", "")
    assert json.loads(_fwsm("hub", "send", "d1", "again", "--json", **given)[1]) == {
        "event": "queued",
        "deviceId": "d1",
    }
    assert hub.mail.waiting("d1") == 2
    assert _fwsm("hub", "device", "add", "d2", "--thumbprint", "AB", **given)[0] != 0


def test_hub_on_other_ports_says_how_sdks_find_it(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]
) -> None:
    """The SOCKS5 door is among what to export."""
    address = loopback()
    ports = ("--port", "18443", "--mqtt-port", "18883", "--socks-port", "1080")
    card = _ready(start("hub", "run", "--address", address, *ports, "--ephemeral", "--json"))
    assert (card["mqttPort"], card["restPort"], card["socksPort"]) == (18883, 18443, 1080)
    assert card["environment"]["mqtt_proxy"] == f"socks://{address}:1080"


def test_hub_on_other_ports_says_how_the_device_finds_it(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]]
) -> None:
    """What is printed for `fwsm device run` is all that it needs: the proxy too."""
    address = loopback()
    ports = ("--port", "18443", "--mqtt-port", "18883", "--socks-port", "1080")
    process = start("hub", "run", "--address", address, *ports, "--ephemeral", "--device", "d1")
    assert process.stdout is not None
    block = list(takewhile(lambda line: "For operators" not in line, process.stdout))
    assert f"  export FWSM_PROXY=socks5://{address}:1080\n" in block


def test_hub_is_not_opened_to_others_by_accident(start: Callable[..., subprocess.Popen[str]]) -> None:
    """It takes a word; without it nothing listens."""
    process = start("hub", "run", "--address", "0.0.0.0", "--ephemeral")
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode != 0
    assert "other machines could reach it" in err
    assert "--allow-remote" in err


def test_default_directory_is_where_hub_run_puts_it(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Without --state both sides mean the same place."""
    home = {"XDG_STATE_HOME": str(tmp_path)}
    _ready(start("hub", "run", "--address", loopback(), "--device", "d1", "--json", env=home))
    assert _fwsm("hub", "device", "list", **home) == (0, "d1  not connected\n", "")


@pytest.mark.parametrize(
    ("command", "code"),
    [(("add", "d1"), 19), (("add", "a/b"), 16), (("add", "a/b/c"), 2), (("show", "d2"), 16), (("remove", "d2"), 16)],
)
def test_what_the_registry_cannot_do_is_told(hub: Hub, command: tuple[str, str], code: int) -> None:
    """Each reason has its exit code."""
    hub.add_device("d1")
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    ended, out, err = _fwsm("hub", "device", *command, **given)
    assert (ended, out) == (code, "")
    assert err.startswith("error: ")


def test_hub_that_does_not_run_is_told(tmp_path: Path) -> None:
    """Exit code 14, with the command that starts one."""
    code, _, err = _fwsm("hub", "device", "list", "--state", tmp_path)
    assert code == 14
    assert "fwsm hub run" in err


def test_hub_that_was_killed_is_told_by_its_directory(
    loopback: Callable[[], str], start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Its card is still there; nobody who named a directory has a connection string to check."""
    process = start("hub", "run", "--address", loopback(), "--state", tmp_path / "a hub", "--json")
    _ready(process)
    process.kill()
    process.wait()
    code, out, err = _fwsm("hub", "device", "list", "--state", tmp_path / "a hub")
    assert (code, out) == (14, "")
    assert f"Start it again: fwsm hub run --state '{tmp_path}/a hub'" in err
    assert "HostName" not in err


def test_policy_without_the_right_is_told(hub: Hub) -> None:
    """The policy `service` may not write the registry: exit code 15."""
    given = {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}
    assert _fwsm("hub", "device", "add", "d1", **given)[0] == 15


def test_an_address_that_will_not_do_has_the_code_of_a_setting(start: Callable[..., subprocess.Popen[str]]) -> None:
    """Neither a name nor an address of others."""
    for address in ("localhost", "8.8.8.8"):
        process = start("hub", "run", "--ephemeral", "--address", address)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 11, err


def test_a_second_hub_on_a_directory_has_the_code_of_a_lock(
    start: Callable[..., subprocess.Popen[str]], loopback: Callable[[], str], tmp_path: Path
) -> None:
    """The first goes on."""
    with Hub(loopback(), state=tmp_path):
        process = start("hub", "run", "--address", loopback(), "--state", tmp_path)
        _, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 13, err
        assert "another hub runs on this directory" in err
