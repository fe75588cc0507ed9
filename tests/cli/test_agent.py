"""`fwsm device run` as a process under a supervisor, without any hub there."""

from __future__ import annotations

import base64
import json
import signal
import socket
from contextlib import closing
from typing import TYPE_CHECKING

from fwsm.cli.agent import _Life
from fwsm.cli.output import Output
from fwsm.config import DeviceConfig
from fwsm.errors import LinkDeafError, LinkError, LinkLostError
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

KEY = base64.b64encode(b"the key of this device").decode()


def test_it_tells_systemd_how_it_is_and_logs_json_without_secrets(
    start: Callable[..., subprocess.Popen[str]], loopback: Callable[[], str], tmp_path: Path
) -> None:
    """Up, well again and again although the hub is away, stopping; each line of the log is an object with the ids."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(PATIENCE_S)
        process = start(
            *("device", "run", "--state-dir", tmp_path / "state", "--slots-dir", tmp_path / "board"),
            env={
                "FWSM_CONNECTION_STRING": f"HostName={loopback()};DeviceId=d1;SharedAccessKey={KEY}",
                "FWSM_LOG_FORMAT": "json",
                "FWSM_SOAKS": "1",
                "NOTIFY_SOCKET": str(tmp_path / "notify"),
                "WATCHDOG_USEC": "600000",
            },
        )
        heard: list[str] = []
        while heard.count("WATCHDOG=1") < 4:
            heard.append(supervisor.recv(4096).decode())
        assert heard[0].startswith("EXTEND_TIMEOUT_USEC=")
        assert heard[1] == "READY=1"
        assert heard[2].startswith("STATUS=no update yet; ")
        process.send_signal(signal.SIGTERM)
        while not heard[-1].startswith("STOPPING=1"):
            heard.append(supervisor.recv(4096).decode())
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    entries = [json.loads(line) for line in err.splitlines()]
    assert any("FWSM_SOAK_S was meant" in entry["message"] for entry in entries)
    running = next(entry for entry in entries if "runs, process" in entry["message"])
    assert (running["device_id"], running["update_id"], bool(running["boot_id"])) == ("d1", None, True)
    assert KEY not in out + err
    told = [entry["message"] for entry in entries]
    assert "disconnected from the hub" not in told
    assert [text for text in told if any(other.startswith(f"{text} (next try") for other in told)] == []


def test_the_link_is_said_to_come_and_go_and_its_troubles_are_left_to_its_log(tmp_path: Path) -> None:
    """Nothing is said twice, and nothing ends that had not begun; the status knows all of it."""
    output, said = Output(), list[str]()
    output.speak_through(lambda _level, text: said.append(text))
    life = _Life(output, DeviceConfig(state_dir=tmp_path))
    life.note_link(False, LinkError("no connection"))
    assert life.status() == "no update yet; no connection"
    life.note_link(False, None)
    assert said == []
    for connected, error in [(True, None), (True, None), (False, LinkLostError("cut")), (True, None), (False, None)]:
        life.note_link(connected, error)
    assert said == ["connected to the hub", "connected to the hub", "disconnected from the hub"]
    assert life.status() == "no update yet; disconnected from the hub"


def test_a_link_that_is_deaf_is_not_said_to_be_well(tmp_path: Path) -> None:
    """The status shows both, that the hub is there and what does not arrive; what arrives at last is said."""
    output, said = Output(), list[str]()
    output.speak_through(lambda _level, text: said.append(text))
    life = _Life(output, DeviceConfig(state_dir=tmp_path))
    life.note_link(True, LinkDeafError("no methods arrive"))
    assert said == []
    assert life.status() == "no update yet; connected to the hub, but no methods arrive"
    life.note_link(True, None)
    assert said == ["connected to the hub"]
    assert life.status() == "no update yet; connected to the hub"


def test_the_status_is_cleared_of_secrets(tmp_path: Path) -> None:
    """What a library says of the connection may quote anything, and everybody on the machine reads the status."""
    text = f"HostName=h;DeviceId=d1;SharedAccessKey={KEY}"
    life = _Life(Output(), DeviceConfig(state_dir=tmp_path, connection_string=text))
    life.note_link(False, LinkError(f"socks5://me:pass@proxy says no to https://blobs/fw?sig=secret, {KEY}, {text}"))
    assert life.status() == "no update yet; socks5://proxy says no to https://blobs/fw [redacted], [redacted]"


def test_a_start_that_fails_is_an_entry_of_the_log(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """What a person is told otherwise, a program can read."""
    process = start("device", "run", "--state-dir", tmp_path / "state", "--log-format", "json")
    _, err = process.communicate(timeout=PATIENCE_S)
    (entry,) = [json.loads(line) for line in err.splitlines()]
    assert process.returncode == 11
    assert entry["level"] == "ERROR"
    assert "no connection string" in entry["message"]
