"""A hub that is killed: nothing that it acknowledged is lost."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from fwsm.hub import Hub
from fwsm.hub.codec import Decoder, encode
from fwsm.hub.packets import Connect, PubAck, Publish
from fwsm.hub.sas import sign
from tests.hub.rest.asking import Operator
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from pathlib import Path

    from fwsm.hub import Device

# Reports in flight when the hub is killed.
WINDOW = 8
KILL_AFTER = 200

PROGRAM = """
import signal, sys
from fwsm.hub import Hub
with Hub(sys.argv[1], state=sys.argv[2]):
    print("ready", flush=True)
    signal.pause()
"""


def _report_until_the_end(address: str, device: Device, ca_path: Path, enough: threading.Event) -> int:
    """Report n = 1, 2, 3, … until the connection breaks, and return the last n that was acknowledged."""
    token = sign(f"{address}/devices/d1", device.primary_key, int(time.time()) + 3600).encode()
    context = ssl.create_default_context(cafile=ca_path)
    raw = socket.create_connection((address, 8883), timeout=PATIENCE_S)
    decoder, sent, acknowledged = Decoder(), 0, 0
    with context.wrap_socket(raw, server_hostname=address) as connection:
        connection.send(encode(Connect("d1", user_name=f"{address}/d1/?api-version=1", password=token)))
        try:
            while data := connection.recv(65536):
                decoder.feed(data)
                while (packet := decoder.next_packet()) is not None:
                    acknowledged = packet.packet_id if isinstance(packet, PubAck) else acknowledged
                while sent < acknowledged + WINDOW:
                    sent += 1
                    topic = f"$iothub/twin/PATCH/properties/reported/?$rid={sent}"
                    connection.send(encode(Publish(topic, b'{"n": %d}' % sent, 1, sent)))
                if acknowledged >= KILL_AFTER:
                    enough.set()
        except OSError:
            pass  # the hub has been killed: what was acknowledged until now is what counts
    return acknowledged


@pytest.mark.kill
def test_killed_hub_has_kept_what_it_acknowledged(address: str, tmp_path: Path) -> None:
    """After SIGKILL in the middle of a stream of reports, every acknowledged one is in the twin."""
    with Hub(address, state=tmp_path) as hub:
        device, ca_path = hub.add_device("d1"), hub.ca_path
    enough = threading.Event()
    with subprocess.Popen([sys.executable, "-c", PROGRAM, address, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"

        def kill() -> None:
            enough.wait(PATIENCE_S)
            process.send_signal(signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        acknowledged = _report_until_the_end(address, device, ca_path, enough)
        killer.join()
    assert acknowledged >= KILL_AFTER
    with Hub(address, state=tmp_path) as hub:
        kept = hub.twin("d1")["properties"]["reported"]["n"]
    assert acknowledged <= kept <= acknowledged + WINDOW


DEVICES = 300
JOB = {
    "type": "scheduleUpdateTwin",
    "updateTwin": {"properties": {"desired": {"byJob": 1}}, "etag": "*"},
    "queryCondition": "*",
}
CONFIGURATION = {"targetCondition": "*", "content": {"deviceContent": {"properties.desired.byConfiguration": 1}}}


def _changes(hub: Hub) -> list[tuple[int, int, int]]:
    """Return of each device what the job and the configuration have written, and the version of that."""
    engine = hub._live.engine
    sections = [engine.twins.get(f"d{number}").desired for number in range(DEVICES)]
    return [(s.values.get("byJob", 0), s.values.get("byConfiguration", 0), s.version) for s in sections]


@pytest.mark.kill
def test_killed_hub_goes_on_with_jobs_and_configurations(address: str, tmp_path: Path) -> None:
    """Both were acknowledged just before SIGKILL: each device gets each change, and gets it once."""
    with Hub(address, state=tmp_path) as hub:
        owner = Operator(hub)
        entries = [{"id": f"d{number}", "importMode": "create"} for number in range(DEVICES)]
        for first in range(0, DEVICES, 100):
            assert owner.ask("POST", "/devices", entries[first : first + 100]).status == 200
    with subprocess.Popen([sys.executable, "-c", PROGRAM, address, tmp_path], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        assert owner.ask("PUT", "/configurations/c", CONFIGURATION).status == 200
        assert owner.ask("PUT", "/jobs/v2/j", JOB).status == 200
        process.send_signal(signal.SIGKILL)
    with Hub(address, state=tmp_path) as hub:
        done = [(1, 1, 3)] * DEVICES
        hub._live.watch.wait_for(lambda: _changes(hub) == done, "every change on every device, once", PATIENCE_S)
        hub._live.watch.wait_for(lambda: not hub._live.engine.jobs.active(), "the end of the job", PATIENCE_S)
        job = owner.ask("GET", "/jobs/v2/j").body
        configuration = owner.ask("GET", "/configurations/c").body
    assert (job["status"], job["deviceJobStatistics"]["succeededCount"]) == ("completed", DEVICES)
    assert configuration["systemMetrics"]["results"] == {"targetedCount": DEVICES, "appliedCount": DEVICES}
