"""What the operator of a rehearsal says; what the whole of it does is judged by tests/e2e/test_demo.py."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from fwsm.hub import Hub
from fwsm.service import Client, SharedAccess, Transport
from fwsm.testing.image_server import ImageServer
from fwsm.testing.process import DeviceProcess
from fwsm.testing.rehearsal.player import Player
from fwsm.testing.rehearsal.telling import Teller
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.testing.rehearsal.telling import Moment

_SECTION = {"iothubDM": {"firmwareUpdate": {"status": "waiting"}}}


AWAY = ("operator", "the hub does not answer")


def _told(loopback: Callable[[], str], directory: Path, patience_s: float, *, ended: bool) -> list[tuple[str, str]]:
    """What an operator says whose hub is stopped, behind the end of the rehearsal or before it."""
    told: list[tuple[str, str]] = []
    seen = threading.Event()

    def tell(moment: Moment) -> None:
        told.append((moment.who, moment.text))
        seen.set()

    with ImageServer(loopback(), {}, tls=False) as server, Hub(loopback()) as hub:
        string = hub.add_device("d1").connection_string
        access = SharedAccess.parse(hub.service_connection_string)
        client = Client(Transport(access, ca_file=hub.ca_path))
        player = Player(
            "d1",
            DeviceProcess(directory, string, directory / "ca.pem", {}),
            client=client,
            server=server,
            size_bytes=1,
            patience_s=patience_s,
            teller=Teller(tell),
        )
        hub._live.decide(hub._live.engine.twins.report, "d1", _SECTION)
        watcher = threading.Thread(target=player._watch, args=(None,))
        watcher.start()
        assert seen.wait(PATIENCE_S)
        if ended:
            player.__exit__()
    watcher.join(PATIENCE_S)
    client.__exit__()
    assert told[0] == ("operator", "twin: waiting")
    return told


def test_operator_does_not_miss_a_hub_that_the_rehearsal_has_stopped(
    loopback: Callable[[], str], tmp_path: Path
) -> None:
    """It is told while the rehearsal runs, and not while that clears up."""
    # On a slow machine the watch may be over before the hub has stopped.
    assert any(AWAY in _told(loopback, tmp_path, patience_s, ended=False) for patience_s in (0.75, 7.5, 25.0))
    assert AWAY not in _told(loopback, tmp_path, 0.75, ended=True)
