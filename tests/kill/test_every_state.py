"""SIGKILL in every state, on real processes: wherever it falls, the update ends as the table says.

The device is `fwsm device run` on the real SDK, the hub and the image server are real servers. States that last are
waited for on the twin. Those that are over within milliseconds are hit by strace, which kills at a given system call.
"""

from __future__ import annotations

import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from tests.kill.tracer import Tracer

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.testing.image_server import ImageServer
    from tests.kill.conftest import NewUnit
    from tests.kill.unit import Unit

pytestmark = [pytest.mark.kill, pytest.mark.timeout(400)]

ON_THE_WAY = [
    State.WAITING,
    State.DOWNLOADING,
    State.DOWNLOAD_COMPLETE,
    State.INSTALLING,
    State.REBOOTING,
    State.CONFIRMING,
]
WELL = [*ON_THE_WAY, State.APPLY_COMPLETE]
BADLY = [*ON_THE_WAY, State.ROLLING_BACK, State.APPLY_FAILED]
SICK = {"health_command": "/bin/false", "confirm_s": "0.2"}
# So many syncs may be made beyond those of the life that was counted, and so often the walk may be made.
_MORE_SYNCS = 2
_WALKS = 3


@pytest.fixture
def tracer(tool: Callable[[str], str], tmp_path: Path) -> Tracer:
    """Return what kills at a system call."""
    return Tracer(tool, tmp_path / "strace.log")


def test_one_update_outlives_a_kill_in_each_state_on_its_way(
    new_unit: NewUnit, server: ImageServer, tracer: Tracer
) -> None:
    """Killed six times, once in each state that it passes, and once more at its end, one update is applied."""
    image = random.Random(7).randbytes(3 << 20)
    unit = new_unit(image)
    died = []

    unit.start(delay_s="3600")
    assert unit.trigger()
    unit.await_told(status="waiting", reason="delay")
    died.append(unit.kill())

    server.bytes_per_s = len(image) / 4
    unit.start()
    unit.await_fact(lambda: (unit.told.get("progress") or {}).get("percent", 0) >= 25, "progress on the twin")
    died.append(unit.kill())

    server.bytes_per_s = None
    unit.start(window=closed_window())
    unit.await_told(status="downloadComplete", reason="window")
    died.append(unit.kill())

    slot = unit.process.slots_dir / "slots" / "b.img"
    unit.start(under=tracer.kill("pwrite64", slot, when=2))
    died.append(unit.await_death())
    assert 0 < slot.stat().st_size < len(image)

    unit.start(under=tracer.kill("execve", Path(sys.executable)))
    died.append(unit.await_death())

    unit.start(soak_s="3600", confirm_s="7200")
    unit.await_told(status="applying", substatus="confirming")
    died.append(unit.kill())

    unit.start()
    unit.await_told(status="applyComplete")
    died.append(unit.kill())

    assert died == WELL
    settled = [(row.number, row.state) for row in unit.process.history()]
    unit.start()
    unit.check(State.APPLY_COMPLETE)
    assert [(row.number, row.state) for row in unit.process.history()] == settled
    assert unit.told["resumed"] == 6
    assert [request.status for request in server.requests] == [200, 206]


@pytest.mark.parametrize(
    ("settings", "path", "begin"),
    [({}, WELL, State.WAITING), (SICK, BADLY, State.CONFIRMING)],
    ids=["firmware that works", "firmware that does not"],
)
def test_a_kill_at_any_commit_changes_nothing_about_the_end(
    settings: dict[str, str], path: list[State], begin: State, new_unit: NewUnit, tracer: Tracer
) -> None:
    """At each sync of the database's log a device of its own is killed, and ends like the one that nobody killed.

    The two ways part in `confirming`, so the second is walked from its end back to there. Two lives of the same update
    do not sync equally often: whoever closes the database last moves its log, and that may be either thread. So the
    walk begins behind the end, where the update outlives the count, and is made again if it has stepped across a state.
    """
    image = random.Random(8).randbytes(50_000)
    calm = new_unit(image, "calm", **settings)
    moments = commits(calm, tracer)
    calm.check(path[-1])
    calm.kill()

    wanted = {*path[path.index(begin) :]}
    died: set[State] = set()
    for walk in range(_WALKS):
        if died >= wanted:
            break
        for moment in range(moments.stop - 1 + _MORE_SYNCS, moments.start - 1, -1):
            with new_unit(image, f"killed-at-{moment}-of-walk-{walk}", **settings) as unit:
                unit.start(under=tracer.kill("fdatasync", unit.log_of_database, moment))
                unit.trigger(patience_s=1)
                state = unit.await_death_or_report(path[-1].status)
                if state is not None:
                    died.add(state)
                    unit.start()
                    unit.await_told(status=path[-1].status)
                unit.check(path[-1])
            if state is not None and path.index(state) < path.index(begin):
                break
    assert died >= wanted


def commits(unit: Unit, tracer: Tracer) -> range:
    """Run an update to its end, and tell which syncs of the database's log, counted from the start, belong to it."""
    unit.start(under=tracer.watch("fdatasync", unit.log_of_database))
    before = tracer.count("fdatasync")
    assert unit.trigger()
    unit.await_fact(lambda: unit.told.get("status") in {"applyComplete", "applyFailed"}, "settled update")
    return range(before + 1, tracer.count("fdatasync") + 1)


def closed_window() -> str:
    """A maintenance window that does not open in the next hours."""
    now = datetime.now(UTC)
    return "-".join(f"{now + timedelta(hours=hours):%H:%M}" for hours in (6, 7))
