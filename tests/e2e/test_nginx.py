"""The servers and images that the end-to-end tests lean on are what they say."""

from __future__ import annotations

import hashlib
import ssl
import subprocess
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import pytest

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import StartNginx
    from tests.e2e.nginx import Nginx

pytestmark = pytest.mark.e2e


def test_it_serves_ranges_of_a_real_image_over_tls(
    start_nginx: StartNginx, firmware: Path, tool: Callable[[str], str], tmp_path: Path
) -> None:
    """Two ranges put together are the image, and nginx has written down both."""
    size_bytes, loaded = firmware.stat().st_size, tmp_path / "loaded"
    nginx = start_nginx(firmware.parent)
    url, half = nginx.url(firmware.name), size_bytes // 2
    with loaded.open("wb") as file:
        for span in (f"0-{half - 1}", f"{half}-"):
            command = [tool("curl"), "-sS", "--fail", "--cacert", f"{nginx.ca_path}", "-r", span, url]
            subprocess.run(command, stdout=file, check=True, timeout=PATIENCE_S)

    assert hashlib.sha256(loaded.read_bytes()).digest() == hashlib.sha256(firmware.read_bytes()).digest()
    asked = [(transfer.status, transfer.range, transfer.sent_bytes) for transfer in nginx.transfers(2)]
    assert asked == [(206, f"bytes=0-{half - 1}", half), (206, f"bytes={half}-", size_bytes - half)]


def test_a_client_that_goes_away_has_not_been_sent_everything(start_nginx: StartNginx, tmp_path: Path) -> None:
    """The limit of speed gives a test the time to break off in the middle."""
    (tmp_path / "image").write_bytes(bytes(4 << 20))
    nginx = start_nginx(tmp_path, limit_rate="100k")
    _read_a_little(nginx)
    (transfer,) = nginx.transfers(1)
    assert (transfer.path, transfer.status) == ("/image", 200)
    assert transfer.sent_bytes < 4 << 20


def _read_a_little(nginx: Nginx) -> None:
    host = nginx.url("").removeprefix("https://").rstrip("/")
    context = ssl.create_default_context(cafile=nginx.ca_path)
    connection = HTTPSConnection(host, context=context, timeout=PATIENCE_S)
    connection.request("GET", "/image")
    assert connection.getresponse().read(1000) == bytes(1000)
    connection.close()
