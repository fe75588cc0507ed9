"""Waiting for a device, and following it. How a whole update is shown is in test_operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.service.player import TUTORIAL_REPORTS, Player

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fwsm.hub import Hub


@pytest.mark.timeout(60)
def test_device_that_comes_online_is_triggered_and_watched(
    hub: Hub, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """With --wait-online the order may come before the device does; it is given once."""
    player = Player(hub, "d1", reports=TUTORIAL_REPORTS)
    variables = {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}
    options: tuple[Any, ...] = ("--wait-online", "--watch", "--interval", "0.05", "--timeout", "40")
    process = start("trigger", "d1", "--uri", "https://example.org/fw.img", *options, env=variables)
    assert process.stderr is not None
    assert process.stderr.readline() == "d1 is offline; waiting for it to come online\n"
    with player:
        assert process.stdout is not None
        assert process.stdout.readline() == "d1 answered 200: FirmwareUpdate started\n"
        assert process.wait(40) == 0
        assert len(player.calls) == 1
