"""The embedded hub under load beside Mosquitto and amqtt: the same client, the same TLS, in turns."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contender import PEERS

from fwsm.hub.certificates import Authority, server_file
from fwsm.hub.home import Home

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 3
CONNECTS = 400
PUBLISHES = 50_000
PATCHES = 10_000
IDLE = 2_000
CALLS = 500
_PATIENCE_S = 120

OURS: Final = "fwsm, ephemeral"
ON_DISK: Final = "fwsm, on disk"
MOSQUITTO: Final = "Mosquitto"
AMQTT: Final = "amqtt"

_CONTENDERS = Path(__file__).parent / "contenders"
_HUB = """
import sys
from fwsm.hub import Hub
with Hub(sys.argv[1], state=sys.argv[2] or None) as hub:
    def add(keys, create=hub._live.engine.registry.create):
        for number, key in enumerate(keys):
            symmetric = {"primaryKey": key, "secondaryKey": key}
            create(f"d{number}", {"authentication": {"symmetricKey": symmetric}})
    hub._live.decide(add, sys.stdin.readline().split())
    print(hub.ca_path, hub.service_connection_string, flush=True)
    sys.stdin.readline()
"""
_MOSQUITTO = """
user root
persistence false
allow_anonymous true
max_inflight_messages 0
log_dest none
listener 8883 {address}
certfile {server}
keyfile {server}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs: where, whom to trust, the topic of a message of device `{}`, and how to call methods."""

    process: subprocess.Popen[str]
    address: str
    ca_file: str
    keys: list[str]
    topic: str = "devices/d{}/messages/events/"
    connection_string: str = ""

    def load(self, work: str, *arguments: Any) -> float:
        """Have the load generator do one thing; what it measured."""
        with self.loading(work, *arguments) as load:
            return float(load.communicate(timeout=_PATIENCE_S)[0])

    @contextlib.contextmanager
    def loading(self, work: str, *arguments: Any) -> Iterator[subprocess.Popen[str]]:
        """Run the load generator."""
        asked = {"address": self.address, "ca_file": self.ca_file, "keys": self.keys}
        with subprocess.Popen(
            [sys.executable, _CONTENDERS / "mqtt_load.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as load:
            assert load.stdin is not None
            load.stdin.write(json.dumps(asked | {"work": work, "arguments": arguments}) + "\n")
            load.stdin.flush()
            yield load

    def cpu_us(self) -> float:
        """Processor time that the server has taken so far, in microseconds."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return 1e6 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def held_mib(self, count: int) -> float:
        """Resident memory while so many connections are idle."""
        with self.loading("idle", count) as load:
            assert load.stdout is not None
            if load.stdout.readline() != "held\n":
                raise RuntimeError("the load generator has failed")
            pages = next(
                line.split()[1]
                for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
                if line.startswith("VmRSS")
            )
            load.communicate("\n", timeout=_PATIENCE_S)
        return int(pages) / 1024


def run() -> Iterator[str]:
    """TLS connects, QoS 1 publishes, twin patches from 100 connections, memory of idle connections, method calls."""
    keys = [base64.b64encode(secrets.token_bytes(32)).decode() for _ in range(IDLE)]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name, contextlib.ExitStack() as running:
        folder = Path(name)
        servers = {
            OURS: running.enter_context(_hub("127.31.7.3", "", keys)),
            ON_DISK: running.enter_context(_hub("127.31.7.4", f"{folder / 'hub'}", keys[:100])),
        }
        if mosquitto := shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"):
            servers[MOSQUITTO] = running.enter_context(_mosquitto(mosquitto, "127.31.7.5", folder, keys))
        else:
            yield "left out: mosquitto not installed"
        if PEERS.exists():
            servers[AMQTT] = running.enter_context(_amqtt("127.31.7.6", folder, keys))
        else:
            yield "left out: amqtt not installed"
        rates: dict[str, dict[str, float]] = {server: {} for server in servers}
        cpu_us = dict.fromkeys(servers, math.inf)
        for _ in range(ROUNDS):
            for server, rate in _round(servers, cpu_us):
                what, measured = rate
                rates[server][what] = max(rates[server].get(what, 0), measured)
        call_ms = min(servers[OURS].load("calls", CALLS, servers[OURS].connection_string) for _ in range(ROUNDS))
        for server, best in rates.items():
            yield f"{server:16} " + ", ".join(f"{value:6.0f} {what}" for what, value in best.items())
        for server in servers.keys() - {ON_DISK}:
            yield f"{server:16} {cpu_us[server]:6.1f} us of processor time a publish"
        yield from _ratios(rates)
        yield f"direct method, from the operator's call to the device's answer: {call_ms:.1f} ms (at most 3 wanted)"
        for server in servers.keys() - {ON_DISK}:
            yield f"{server:16} {servers[server].held_mib(IDLE):6.1f} MiB resident with {IDLE} idle TLS connections"


def _round(servers: dict[str, Server], cpu_us: dict[str, float]) -> Iterator[tuple[str, tuple[str, float]]]:
    """Load each server once; notes in `cpu_us` what a publish has cost it, if that was less than before."""
    for name, server in servers.items():
        if name != ON_DISK:
            yield name, ("connects/s", server.load("connects", CONNECTS))
            before_us = server.cpu_us()
            yield name, ("publishes/s", server.load("publishes", 50, PUBLISHES, server.topic, "x" * 64))
            # Of 50 connects as well, which is little beside so many messages.
            cpu_us[name] = min(cpu_us[name], (server.cpu_us() - before_us) / PUBLISHES)
        if name in {OURS, ON_DISK}:
            topic = "$iothub/twin/PATCH/properties/reported/?$rid=1"
            yield name, ("patches/s", server.load("publishes", 100, PATCHES, topic, '{"n": 1}'))


def _ratios(rates: dict[str, dict[str, float]]) -> Iterator[str]:
    ours, on_disk = rates[OURS], rates[ON_DISK]
    for peer, wanted in ((MOSQUITTO, " (at least 1 wanted)"), (AMQTT, "")):
        for what in ("connects/s", "publishes/s") if peer in rates else ():
            yield f"{what}: {ours[what] / rates[peer][what]:.2f} x {peer}{wanted}"
    yield f"patches/s: {ours['patches/s']:.0f} (at least 10000 wanted on a quiet machine)"
    yield f"patches/s: on disk {on_disk['patches/s'] / ours['patches/s']:.2f} x ephemeral (at least 0.33 wanted)"


@contextlib.contextmanager
def _hub(address: str, state: str, keys: list[str]) -> Iterator[Server]:
    command = [sys.executable, "-c", _HUB, address, state]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(" ".join(keys) + "\n")
        process.stdin.flush()
        ca_file, connection_string = process.stdout.readline().split()
        yield Server(process, address, ca_file, keys, connection_string=connection_string)
        process.communicate("\n", timeout=_PATIENCE_S)


@contextlib.contextmanager
def _mosquitto(program: str, address: str, folder: Path, keys: list[str]) -> Iterator[Server]:
    """Mosquitto as our child, with a certificate as the hub's."""
    home = Home(folder / "mosquitto")
    authority = Authority.kept_in(home)
    settings = home.path / "mosquitto.conf"
    settings.write_text(_MOSQUITTO.format(address=address, server=server_file(authority, address, home)))
    with subprocess.Popen([program, "-c", settings], stderr=subprocess.DEVNULL, text=True) as process:
        try:
            _wait_for(address)
            yield Server(process, address, f"{authority.path}", keys, "bench/{}")
        finally:
            process.terminate()
            home.close()


@contextlib.contextmanager
def _amqtt(address: str, folder: Path, keys: list[str]) -> Iterator[Server]:
    """The broker amqtt as our child, with a certificate as the hub's."""
    home = Home(folder / "amqtt")
    authority = Authority.kept_in(home)
    command = [PEERS, _CONTENDERS / "amqtt_broker.py", address, server_file(authority, address, home)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("amqtt does not start")
        try:
            yield Server(process, address, f"{authority.path}", keys, "bench/{}")
        finally:
            process.communicate("\n", timeout=_PATIENCE_S)
            home.close()


def _wait_for(address: str) -> None:
    give_up_at = time.monotonic() + 10
    while time.monotonic() < give_up_at:
        with contextlib.suppress(OSError):
            socket.create_connection((address, 8883), timeout=1).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens on {address}")
