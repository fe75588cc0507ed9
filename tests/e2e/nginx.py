"""A real nginx over TLS on a loopback address: ranges, a limit of speed, and an account of what was asked for.

It runs in the foreground as our child, with a configuration, a certificate and logs of its own in one directory, so it
needs no rights and leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Nginx", "Transfer"]

_PORT = 8443
_LOOK_AGAIN_S = 0.02

# One process, so that ending it ends everything.
_CONFIGURATION = """
daemon off;
master_process off;
pid nginx.pid;
error_log error.log;
events {{}}
http {{
    default_type application/octet-stream;
    log_format account escape=json
        '{{"path": "$uri", "status": $status, "sent_bytes": $body_bytes_sent, "range": "$http_range", "if_range": "$http_if_range"}}';
    access_log access.log account;
    client_body_temp_path temporary;
    proxy_temp_path temporary;
    fastcgi_temp_path temporary;
    uwsgi_temp_path temporary;
    scgi_temp_path temporary;
    server {{
        listen {address}:{port} ssl;
        ssl_certificate server.pem;
        ssl_certificate_key server.key;
        root "{root}";
        limit_rate {limit_rate};
    }}
}}
"""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Transfer:
    """One answered request, as nginx has logged it at its end.

    Attributes:
        path: what was asked for, beginning with a slash.
        status: of HTTP.
        sent_bytes: how much of the body went out; less than asked for if the client went away.
        range: the request's header, such as "bytes=4096-"; "" if there was none.
        if_range: likewise.
    """

    path: str
    status: int
    sent_bytes: int
    range: str
    if_range: str


class Nginx:
    """A web server; a context manager.

    Args:
        tool: finds the path of a program by its name; asked for nginx and openssl.
        address: a loopback address that nobody else uses.
        directory: where its files go; made if it is not there.
        root: what it serves.
        limit_rate: how fast one answer may go, in nginx's words, such as "500k"; "0" for no limit.

    Attributes:
        ca_path: the certificate of the authority that a client is to trust.
    """

    def __init__(
        self, tool: Callable[[str], str], address: str, directory: Path, root: Path, *, limit_rate: str = "0"
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.ca_path = directory / "ca.pem"
        self._address = address
        self._directory = directory
        self._program = tool("nginx")
        self._process: subprocess.Popen[bytes] | None = None
        _certify(tool("openssl"), address, directory)
        configuration = _CONFIGURATION.format(address=address, port=_PORT, root=root, limit_rate=limit_rate)
        (directory / "nginx.conf").write_text(configuration)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it; returns once clients can connect."""
        command = [self._program, "-p", f"{self._directory}", "-e", "error.log", "-c", "nginx.conf"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._await(self._listens)

    def stop(self) -> None:
        """End it at once, in the middle of its answers; it may be started again."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(PATIENCE_S)

    def url(self, name: str) -> str:
        """Return where clients find a file of `root`."""
        return f"https://{self._address}:{_PORT}/{name}"

    def transfers(self, at_least: int = 0) -> list[Transfer]:
        """Return what was answered so far, in the order in which the answers ended.

        A client that was killed is only noticed a moment later, so a test says how many it waits for.
        """
        self._await(lambda: len(self._log()) >= at_least)
        return [Transfer(**json.loads(line)) for line in self._log()]

    def _log(self) -> list[str]:
        path = self._directory / "access.log"
        return path.read_text().splitlines() if path.exists() else []

    def _listens(self) -> bool:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection((self._address, _PORT)):
            return True
        return False

    def _await(self, fact: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not fact():
            alive = self._process is not None and self._pause(self._process)
            if not alive or time.monotonic() > end:
                errors = (self._directory / "error.log").read_text()
                raise AssertionError(f"nginx {'did not get there in time' if alive else 'does not run'}: {errors}")

    def _pause(self, process: subprocess.Popen[bytes]) -> bool:
        """Let a moment pass; whether nginx still runs."""
        try:
            process.wait(_LOOK_AGAIN_S)
        except subprocess.TimeoutExpired:
            return True
        return False


def _certify(openssl: str, address: str, directory: Path) -> None:
    """Make an authority, and a server certificate of it for the address."""

    def certify(name: str, subject: str, *options: str) -> None:
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-subj", f"/CN={subject}"]
        subprocess.run([openssl, *new, *files, *options], cwd=directory, check=True, capture_output=True)

    certify("ca", "authority of a test", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    leaf = ["basicConstraints=critical,CA:FALSE", f"subjectAltName=IP:{address}", "extendedKeyUsage=serverAuth"]
    extensions = [part for extension in leaf for part in ("-addext", extension)]
    certify("server", address, "-CA", "ca.pem", "-CAkey", "ca.key", *extensions)
