"""A whole update with a secret in every place: none of them is seen again.

The programs are the real ones, in processes of their own. Looked through are all that they print, with and without
--json, the log at its most talkative, what systemd is told, every file of the device, its database, and what the hub
knows of it.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import socket
import stat
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.hub import Hub, Operation, Refuse
from fwsm.hub.sas import sign
from fwsm.store import Store
from fwsm.testing.image_faults import cut, refusal
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess
from tests.device.iothub.certificates import make_certificate
from tests.e2e.commands import Ended, fwsm, operator
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.e2e

IMAGE = random.Random(7).randbytes(300_000)
SIGNATURE = f"{secrets.token_hex(24)}%2B%3D"
DIGEST = hashlib.sha256(IMAGE).hexdigest()


@pytest.fixture
def server(loopback: Callable[[], str]) -> Iterator[ImageServer]:
    """An image server that is first in trouble, then cuts the device off."""
    with (
        ImageServer(loopback(), {"/fw.img": IMAGE}) as server,
        server.fault("/fw.img", refusal(503), times=1),
        server.fault("/fw.img", cut(after_bytes=100_000), times=1),
    ):
        yield server


class Supervisor:
    """What is told systemd, as long as it listens."""

    def __init__(self, path: Path) -> None:
        self.heard: list[str] = []
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._door.bind(str(path))
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def close(self) -> None:
        """Listen no longer."""
        self._door.shutdown(socket.SHUT_RD)  # which ends the wait
        self._thread.join(60.0)
        self._door.close()

    def _listen(self) -> None:
        while datagram := self._door.recv(4096):
            self.heard.append(datagram.decode())


def _signed(server: ImageServer) -> str:
    """An address as a storage account signs it, and with a part that nothing tells to be a secret."""
    return f"{server.url('/fw.img')}?ticket={SIGNATURE}&se=2027-01-01&sig={SIGNATURE}"


class Unit:
    """A device with its secrets, and all that it and those who ask it say."""

    def __init__(
        self, directory: Path, authorities: str, settings: Mapping[str, str], hidden: Mapping[str, str]
    ) -> None:
        self.hidden = {"signature": SIGNATURE, **hidden}
        self.said: dict[str, str] = {}
        directory.mkdir()
        ca_file = directory / "authorities.pem"
        ca_file.write_text(authorities)
        self.variables = {
            "FWSM_CA_FILE": str(ca_file),
            "FWSM_STATE_DIR": str(directory / "state"),
            "FWSM_SLOTS_DIR": str(directory / "board"),
            "FWSM_LOG_LEVEL": "DEBUG",
            "FWSM_RETRY_BASE_S": "0.1",
            "FWSM_PROGRESS_EVERY_S": "0.1",
        } | {f"FWSM_{name.upper()}": value for name, value in settings.items()}
        quick = {"retry_base_s": "0.1", "progress_every_s": "0.1", "log_level": "DEBUG", **settings}
        string = settings.get("connection_string", "")
        self.process = DeviceProcess(directory, string, ca_file, quick)
        self._socket = directory / "notify"

    @contextmanager
    def running(self) -> Iterator[None]:
        """The device runs, under a supervisor that wants to hear of it often."""
        with closing(Supervisor(self._socket)) as supervisor:
            self.process.start(under=("env", f"NOTIFY_SOCKET={self._socket}", "WATCHDOG_USEC=300000"))
            try:
                yield
            finally:
                if self.process.running:
                    self.process.kill()
        self.said["supervisor"] = "\n".join(supervisor.heard)

    def ask(self, *arguments: object) -> None:
        """Run a command of the device's side in its environment, as it is and with --json."""
        for words in (arguments, (*arguments, "--json")):
            clean: dict[str, str | None] = {name: None for name in os.environ if name.startswith("FWSM_")}
            result = CliRunner().invoke(program, [*map(str, words)], env=clean | self.variables | {"FWSM_DEBUG": "1"})
            self.keep(Ended(result.exit_code, result.stdout, result.stderr), *words)

    def keep(self, ended: Ended, *arguments: object, code: int = 0) -> None:
        """Keep what a command said."""
        said = ended.out + ended.err
        assert ended.code == code, said
        self.said[" ".join(map(str, arguments))] = said

    def leaks(self, hub: Hub, name: str) -> list[str]:
        """Where which secret is to be seen, the database apart; none is hoped for."""
        texts = {name: said.encode() for name, said in self.said.items()}
        texts["log"] = self.process.log.read_bytes()
        texts["twin"] = json.dumps(hub.twin(name)).encode()
        texts["reports"] = json.dumps(hub.reports(name)).encode()
        for directory in (self.process.state_dir, self.process.slots_dir):
            texts |= {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
        # A text may be spread over pages of the database, so its halves are looked for.
        parts = {
            f"{name}, part {at}": part for name, text in self.hidden.items() for at, part in enumerate(_halves(text))
        }
        found = [(where, what) for where, text in texts.items() for what, part in parts.items() if part in text]
        return [f"{what} in {where}" for where, what in found if not self._may_keep(where, what)]

    def _may_keep(self, where: str, what: str) -> bool:
        """The database keeps the address of the image whole, or a download could not go on; nobody else reads it."""
        return what.startswith("signature") and where.startswith(str(self.process.state_dir / "fwsm.db"))


def _halves(text: str) -> list[bytes]:
    middle = len(text) // 2
    return [text[:middle].encode(), text[middle:].encode()]


def _await(unit: Unit, hub: Hub, name: str, status: str) -> None:
    def told(twin: Mapping[str, Any]) -> bool:
        shown = twin["properties"]["reported"].get("iothubDM", {}).get("firmwareUpdate", {})
        return bool(shown.get("status") == status)

    hub.wait_twin(name, told, PATIENCE_S)
    assert unit.process.running


def test_a_signed_address_a_key_and_a_proxy_with_a_password(
    loopback: Callable[[], str], server: ImageServer, tmp_path: Path
) -> None:
    """Through trigger, faults, reboot, and every command that shows something; the address is kept for nobody else."""
    address = loopback()
    password = f"{secrets.token_hex(10)}+/{secrets.token_hex(10)}"
    with Hub(address, mqtt_port=18883, rest_port=18443, socks_port=11080) as hub:
        device = hub.add_device("d1")
        settings = {
            "connection_string": device.connection_string,
            "proxy": f"socks5://agent:{quote(password, safe='')}@{address}:11080",
            "log_format": "json",
        }
        hidden = {"key": device.primary_key, "password": password, "password as written": quote(password, safe="")}
        unit = Unit(tmp_path / "d1", hub.ca_pem + server.ca_pem, settings, hidden)
        hub.faults.inject(Operation.CONNECT, Refuse(3), times=3)
        with unit.running():
            hub.wait_reachable("d1", PATIENCE_S)
            bad = f"https://operator:{quote(password, safe='')}@h/fw.img?sig={SIGNATURE}"
            unit.keep(fwsm("trigger", "d1", "--uri", bad, variables=operator(hub)), "bad", code=2)
            refused = hub.call_method("d1", "firmwareUpdate", {"fwPackageUri": bad})
            unit.said["refused"] = json.dumps(refused.payload)
            assert refused.status == 400
            update = ("trigger", "d1", "--uri", _signed(server), "--sha256", DIGEST, "--watch", "--interval", "0.1")
            unit.keep(fwsm(*update, variables=operator(hub) | {"FWSM_DEBUG": "1"}), "trigger")
            with server.fault("/fw.img", refusal(403)):
                again = ("trigger", "d1", "--uri", _signed(server), "--watch", "--interval", "0.1", "--json")
                unit.keep(fwsm(*again, variables=operator(hub)), "trigger again", code=7)
            for command in (
                *(("device", name) for name in ("status", "history", "explain")),
                *(("config", name) for name in ("show", "check")),
            ):
                unit.ask(*command)
            unit.keep(fwsm("watch", "d1", variables=operator(hub)), "watch", code=7)
            assert unit.process.terminate() == 0
        unit.hidden["operator's key"] = hub.service_connection_string.rpartition("SharedAccessKey=")[2]
        assert "STATUS=no update yet; the hub" in unit.said["supervisor"]
        assert "STATUS=update " in unit.said["supervisor"]
        assert unit.leaks(hub, "d1") == []
        assert hub.twin("d1")["properties"]["reported"]["iothubDM"]["firmwareUpdate"]["fwPackageUri"] == server.url(
            "/fw.img"
        )
    _is_kept_for_nobody_else(unit.process.state_dir, _signed(server))


def _is_kept_for_nobody_else(state_dir: Path, uri: str) -> None:
    with Store(state_dir, read_only=True) as store:
        kept = store.latest()
    assert kept is not None
    assert kept.request.uri == uri
    files = [path for path in state_dir.glob("fwsm.db*") if path.is_file()]
    assert files
    assert [path.name for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077] == []


@pytest.mark.parametrize("way", ["token", "certificate", "enrolment"])
def test_a_token_a_passphrase_and_the_key_of_an_enrolment(
    loopback: Callable[[], str], server: ImageServer, tmp_path: Path, way: str
) -> None:
    """Each of the other ways to prove who a device is, over an update."""
    with Hub(loopback()) as hub, hub.provisioning(loopback()) as service:
        name, settings, hidden = "d1", {"log_format": "json"}, {}
        if way == "token":
            key = hub.add_device("d1").primary_key
            token = sign(f"{hub.address}/devices/d1", key, int(time.time()) + 600)
            (tmp_path / "token").write_text(token)
            settings["sas_token_file"] = str(tmp_path / "token")
            hidden["token"] = token.partition("sig=")[2].partition("&")[0]
        elif way == "certificate":
            hidden["passphrase"] = secrets.token_hex(12)
            shown = make_certificate(tmp_path, passphrase=hidden["passphrase"])
            hub.add_device("d1", thumbprint=shown.thumbprint)
            settings |= {
                "connection_string": f"HostName={hub.address};DeviceId=d1;x509=true",
                "x509_cert_file": shown.certificate.cert_file,
                "x509_key_file": shown.certificate.key_file,
                "x509_key_passphrase": hidden["passphrase"],
            }
        else:
            name = "p1"
            hidden["key of the enrolment"] = service.enroll("r1", device_id=name).primary_key
            settings |= {
                "dps_id_scope": service.id_scope,
                "dps_host": service.address,
                "registration_id": "r1",
                "dps_symmetric_key": hidden["key of the enrolment"],
            }
        unit = Unit(tmp_path / "d1", hub.ca_pem + server.ca_pem, settings, hidden)
        if "connection_string" not in settings:
            unit.variables.pop("FWSM_CONNECTION_STRING", None)
        with unit.running():
            hub.wait_reachable(name, PATIENCE_S)
            payload = {"fwPackageUri": _signed(server), "fwPackageCheckValue": DIGEST}
            assert hub.call_method(name, "firmwareUpdate", payload).status == 200
            _await(unit, hub, name, "applyComplete")
            unit.ask("config", "show")
            unit.ask("config", "check")
            assert unit.process.terminate() == 0
        assert unit.leaks(hub, name) == []
        entries = [json.loads(line) for line in unit.process.log.read_text().splitlines()]
        assert entries[-1]["device_id"] == name
