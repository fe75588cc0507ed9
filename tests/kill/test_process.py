"""The device as a process: stopped, started twice, killed while the hub is away."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from fwsm.hub import Hub
    from fwsm.testing.image_server import ImageServer
    from tests.kill.conftest import NewUnit
    from tests.kill.unit import Unit

pytestmark = pytest.mark.kill

IMAGE = random.Random(9).randbytes(2 << 20)


def loading(unit: Unit, server: ImageServer) -> None:
    """Start an update that takes seconds to load, and wait until a quarter has come and is safe."""
    server.bytes_per_s = len(IMAGE) / 4
    unit.start()
    assert unit.trigger()
    unit.await_fact(lambda: (unit.told.get("progress") or {}).get("percent", 0) >= 25, "progress on the twin")


def test_sigterm_in_a_download_ends_the_process_well(new_unit: NewUnit, server: ImageServer) -> None:
    """As systemd stops it: exit status 0, before the rest is loaded; nothing is lost, and the next start goes on."""
    unit = new_unit(IMAGE)
    loading(unit, server)
    assert unit.process.terminate() == 0
    assert unit.update.state is State.DOWNLOADING

    server.bytes_per_s = None
    unit.start()
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)
    assert [request.status for request in server.requests] == [200, 206]


def test_a_kill_in_a_download_costs_only_what_was_on_its_way(new_unit: NewUnit, server: ImageServer) -> None:
    """The next process asks for the rest alone, and nothing of it was known to be safe."""
    unit = new_unit(IMAGE)
    loading(unit, server)
    assert unit.kill() is State.DOWNLOADING

    server.bytes_per_s = None
    unit.start()
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)
    _, second = server.requests
    begin_bytes = int((second.range or "").removeprefix("bytes=").removesuffix("-"))
    assert begin_bytes >= len(IMAGE) // 4
    assert second.if_range
    assert (second.status, second.sent_bytes) == (206, len(IMAGE) - begin_bytes)


def test_a_second_agent_on_the_same_directory_gives_way(new_unit: NewUnit, server: ImageServer) -> None:
    """It says what is wrong and ends with exit code 13; the first one does not notice."""
    unit = new_unit(IMAGE)
    loading(unit, server)
    with unit.twin_process() as second:
        assert second.wait(PATIENCE_S) == 13
        said = second.log.read_text()
    assert str(unit.process.state_dir) in said
    assert all(word in said for word in ("error:", "why:", "fix:"))

    server.bytes_per_s = None
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)
    assert unit.update.resumed == 1  # by the reboot
    assert [request.status for request in server.requests] == [200]


def test_an_agent_whose_lock_was_removed_gives_way_to_the_second(new_unit: NewUnit, server: ImageServer) -> None:
    """Never do both go on: the first ends with exit code 13 and says why, the second brings the update to its end."""
    unit = new_unit(IMAGE)
    loading(unit, server)
    server.bytes_per_s = len(IMAGE) / 200  # so that the first is still loading when the second has come up
    (unit.process.state_dir / "lock").unlink()
    with unit.twin_process() as second:
        unit.await_fact(lambda: "runs, process" in second.log.read_text(), "second agent")
        server.bytes_per_s = None
        assert unit.process.wait(60) == 13
        said = unit.process.log.read_text()
        assert f"error: another agent works on {unit.process.state_dir}" in said
        assert all(word in said for word in ("why:", "fix:"))
        assert "Traceback" not in said
        unit.await_told(status="applyComplete")
        unit.check(State.APPLY_COMPLETE)
        assert second.terminate() == 0


def test_an_update_that_the_hub_misses_is_told_when_it_is_back(new_unit: NewUnit, hub: Hub) -> None:
    """From the first state to the last without a hub; then everything is told, one by one."""
    unit = new_unit(IMAGE, delay_s="2")
    unit.start()
    assert unit.trigger()
    with hub.offline():
        unit.await_fact(lambda: unit.update.state.settled, "settled update")
        assert unit.told.get("status") != "applyComplete"
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)


def test_a_kill_while_the_hub_is_away_loses_no_report(new_unit: NewUnit, hub: Hub, server: ImageServer) -> None:
    """What the killed process had not told, the next one tells, also if it too begins without a hub."""
    unit = new_unit(IMAGE)
    loading(unit, server)
    with hub.offline():
        server.bytes_per_s = None
        unit.await_fact(lambda: unit.update.state.settled, "settled update")
        assert unit.kill() is State.APPLY_COMPLETE
        unit.process.start()
        unit.await_fact(lambda: unit.process.log.read_text().count("next try in") >= 2, "try to connect")
    unit.await_told(status="applyComplete")
    unit.check(State.APPLY_COMPLETE)
