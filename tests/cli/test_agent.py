"""`fwsm device run` as a process under a supervisor, without any hub there."""

from __future__ import annotations

import base64
import json
import signal
import socket
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.timeout(120)

KEY = base64.b64encode(b"the key of this device").decode()


def test_it_tells_systemd_how_it_is_and_logs_json_without_secrets(
    start: Callable[..., subprocess.Popen[str]], loopback: Callable[[], str], tmp_path: Path
) -> None:
    """Up, well again and again although the hub is away, stopping; each line of the log is an object with the ids."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(60)
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
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    entries = [json.loads(line) for line in err.splitlines()]
    assert any("FWSM_SOAK_S was meant" in entry["message"] for entry in entries)
    running = next(entry for entry in entries if "runs, process" in entry["message"])
    assert (running["device_id"], running["update_id"], bool(running["boot_id"])) == ("d1", None, True)
    assert KEY not in out + err


def test_a_start_that_fails_is_an_entry_of_the_log(start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """What a person is told otherwise, a program can read."""
    process = start("device", "run", "--state-dir", tmp_path / "state", "--log-format", "json")
    _, err = process.communicate(timeout=60)
    (entry,) = [json.loads(line) for line in err.splitlines()]
    assert process.returncode == 11
    assert entry["level"] == "ERROR"
    assert "no connection string" in entry["message"]
