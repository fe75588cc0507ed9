"""Waiting for a device, and following it. How a whole update is shown is in test_operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from fwsm.cli.follow import reached
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from fwsm.cli.progress import LineBar
from fwsm.core.lifecycle import TABLE
from fwsm.core.update import State
from fwsm.service import Section
from tests.patience import PATIENCE_S
from tests.service.player import TUTORIAL_REPORTS, Player

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fwsm.hub import Hub


def test_device_that_comes_online_is_triggered_and_watched(
    hub: Hub, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """With --wait-online the order may come before the device does; it is given once."""
    player = Player(hub, "d1", reports=TUTORIAL_REPORTS)
    variables = {CONNECTION_STRING: hub.service_connection_string, CA_FILE: str(hub.ca_path)}
    options: tuple[Any, ...] = ("--wait-online", "--watch", "--interval", "0.05", "--timeout", "60")
    process = start("trigger", "d1", "--uri", "https://example.org/fw.img", *options, env=variables)
    assert process.stderr is not None
    assert process.stderr.readline() == "d1 is offline; waiting for it to come online\n"
    with player:
        assert process.stdout is not None
        assert process.stdout.readline() == "d1 answered 200: FirmwareUpdate started\n"
        assert process.wait(PATIENCE_S) == 0
        assert len(player.calls) == 1


@st.composite
def journeys(draw: st.DrawFn) -> list[Section]:
    """What a watcher may see of an update: a walk over the table, with tries, restarts, retries, and looks missed."""
    state, seen = State.WAITING, []
    for _ in range(draw(st.integers(1, 60))):
        document: dict[str, Any] = {"status": state.status, "substatus": state.substatus}
        if state is State.DOWNLOADING:
            percent = draw(st.none() | st.integers(-5, 105))  # a try may begin anew, and a device may say nonsense
            document["progress"] = {"bytes": 1, "percent": percent}
        if draw(st.booleans()):
            seen.append(Section(document))
        targets = [row.target for row in TABLE if row.source is state and row.target is not None]
        if targets:
            state = draw(st.sampled_from(targets))
    return seen


class _Bar(LineBar):
    """Remembers what it was told to draw, beside the lines."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(lines.append)
        self.drawn: list[int] = []

    def _draw(self, percent: int, label: str) -> None:
        self.drawn.append(percent)
        super()._draw(percent, label)


@given(journeys())
def test_the_bar_of_an_update_never_runs_backwards(journey: list[Section]) -> None:
    """Whatever becomes of it: another try, a damaged file, a rollback, a retry; what is drawn and what is written."""
    lines: list[str] = []
    with _Bar(lines) as bar:
        for section in journey:
            bar.show(reached(section), section.status)
    assert bar.drawn == sorted(bar.drawn)
    assert all(0 <= percent <= 100 for percent in bar.drawn)
    written = [int(line.partition("%")[0]) for line in lines]
    assert written == sorted(written)
    assert all(reached(section) <= shown for section, shown in zip(journey, bar.drawn, strict=True))
