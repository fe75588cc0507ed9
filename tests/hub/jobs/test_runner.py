"""Jobs carried out: on every device that was meant, once, within their time, also across the end of a hub."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING, Any

from fwsm.errors import HubError
from fwsm.hub.diskstate import DiskState
from fwsm.hub.state import EphemeralState
from tests.hub.jobs.scene import Device, Scene, method, twin, until

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def _statistics(job: dict[str, Any]) -> tuple[int, ...]:
    counts = job["deviceJobStatistics"]
    return tuple(counts[f"{name}Count"] for name in ("succeeded", "failed", "running", "pending"))


def test_method_job_calls_every_device_that_meets_the_condition() -> None:
    """Its outcome is the device's answer; a device that is offline fails, and the job completes all the same."""

    async def act() -> None:
        scene = Scene()
        scene.add("d1", "d2", "x")
        device = Device(scene.engine, "d1")
        scene.order("j", method("deviceId IN ['d1', 'd2']"))
        job = await scene.until_over("j")
        assert (job["status"], _statistics(job)) == ("completed", (1, 1, 0, 0))
        good, bad = scene.outcomes()
        assert good["outcome"] == {"deviceMethodResponse": {"status": 200, "payload": "done"}}
        assert (bad["status"], bad["error"]["code"]) == ("failed", "DeviceNotOnline")
        assert len(device.rids) == 1

    asyncio.run(act())


def test_twin_job_changes_every_twin_once() -> None:
    """Many more devices than are worked on side by side."""

    async def act() -> None:
        scene = Scene()
        names = [f"d{number:03}" for number in range(250)]
        scene.add(*names)
        scene.order("j", twin())
        job = await scene.until_over("j")
        assert (job["status"], _statistics(job)) == ("completed", (250, 0, 0, 0))
        twins = [scene.engine.twins.get(name).desired for name in names]
        assert {(section.values["a"], section.version) for section in twins} == {(1, 2)}

    asyncio.run(act())


def test_twin_job_fails_on_the_device_whose_twin_refuses() -> None:
    """Because of its etag, or because it is gone."""

    async def act() -> None:
        scene = Scene()
        scene.add("d1")
        scene.order("j", twin(updateTwin={"tags": {"a": 1}, "etag": "other"}))
        await scene.until_over("j")
        (outcome,) = scene.outcomes()
        assert outcome["error"]["code"] == "PreconditionFailed"

    asyncio.run(act())


def test_job_waits_for_its_time() -> None:
    """Scheduled meanwhile, and about the devices that are there when it starts."""

    async def act() -> None:
        scene = Scene()
        scene.order("j", twin(startTime="1970-01-01T01:00:00Z"))
        assert scene.job("j")["status"] == "queued"
        scene.runner.tick()
        scene.runner.tick()
        assert scene.job("j")["status"] == "scheduled"
        scene.add("late")
        scene.now = 3600.0
        assert _statistics(await scene.until_over("j")) == (1, 0, 0, 0)

    asyncio.run(act())


def test_job_about_nobody_completes() -> None:
    """With no device."""

    async def act() -> None:
        scene = Scene()
        scene.order("j", twin("deviceId = 'nobody'"))
        job = await scene.until_over("j")
        assert (job["status"], job["deviceJobStatistics"]["deviceCount"]) == ("completed", 0)

    asyncio.run(act())


def test_condition_that_cannot_be_read_fails_the_job_when_it_starts() -> None:
    """As on the service, nobody looks at it before."""

    async def act() -> None:
        scene = Scene()
        scene.order("j", twin("what?"))
        job = await scene.until_over("j")
        assert job["status"] == "failed"
        assert "'?' has no meaning here" in job["failureReason"]

    asyncio.run(act())


def test_cancelled_job_never_starts() -> None:
    """It is cancelled at the next look around, and the next one may come."""

    async def act() -> None:
        scene = Scene()
        scene.add("d1")
        scene.order("j", twin())
        scene.engine.jobs.cancel("j")
        job = await scene.until_over("j")
        assert (job["status"], scene.outcomes()) == ("cancelled", [])
        scene.order("k", twin())

    asyncio.run(act())


def test_job_that_is_cancelled_while_its_devices_are_looked_for_never_starts() -> None:
    """Among many devices that takes a while, and the operator has been told that it is cancelled."""

    async def act() -> None:
        scene = Scene(monotonic=itertools.count().__next__)  # whatever it does takes a second
        scene.add("d1", "d2", "d3")
        scene.order("j", twin())
        scene.runner.tick()
        await asyncio.sleep(0)
        scene.engine.jobs.cancel("j")
        for _ in range(20):  # more rounds than it takes to look for three
            await asyncio.sleep(0)
        assert (scene.job("j")["status"], scene.outcomes()) == ("queued", [])
        assert (await scene.until_over("j"))["status"] == "cancelled"

    asyncio.run(act())


def test_job_that_takes_too_long_fails_with_what_it_has_not_done() -> None:
    """The device that has not answered may have acted; its late answer changes nothing any more."""

    async def act() -> None:
        scene = Scene()
        scene.add("d1", "d2")
        good, mute = Device(scene.engine, "d1"), Device(scene.engine, "d2", mute=True)
        scene.order("j", method(maxExecutionTimeInSeconds=60))
        scene.runner.tick()
        await until(lambda: _statistics(scene.job("j")) == (1, 0, 1, 0))
        scene.now += 60
        scene.runner.tick()
        mute.answer()
        job = await scene.until_over("j")
        assert (job["status"], _statistics(job)) == ("failed", (1, 1, 0, 0))
        assert "within 60 s; the device may have acted" in scene.outcomes()[1]["error"]["description"]
        await until(lambda: not scene.runner._tasks)
        assert (_statistics(scene.job("j")), len(good.rids), len(mute.rids)) == ((1, 1, 0, 0), 1, 1)

    asyncio.run(act())


def test_hub_that_ends_in_the_middle_goes_on_where_it_was(tmp_path: Path) -> None:
    """Who has answered is not called again; whose answer was lost fails truthfully; the others have their turn."""

    async def first() -> None:
        state = DiskState(tmp_path / "hub.db")
        scene = Scene(state)
        scene.add("d1", "d2")
        Device(scene.engine, "d1")
        mute = Device(scene.engine, "d2", mute=True)
        scene.order("j", method())
        scene.runner.tick()
        await until(lambda: mute.rids and _statistics(scene.job("j")) == (1, 0, 1, 0))
        state.commit()
        state.close()

    async def second() -> None:
        state = DiskState(tmp_path / "hub.db")
        scene = Scene(state)
        devices = [Device(scene.engine, device_id) for device_id in ("d1", "d2")]
        assert (scene.job("j")["status"], _statistics(scene.job("j"))) == ("running", (1, 0, 1, 0))
        job = await scene.until_over("j")
        assert (job["status"], _statistics(job)) == ("completed", (1, 1, 0, 0))
        error = scene.outcomes()[1]["error"]
        assert error == {
            "code": "Interrupted",
            "description": "the hub was stopped during the call; the device may have acted",
        }
        assert [device.rids for device in devices] == [[], []]
        state.close()

    asyncio.run(first())
    asyncio.run(second())


class CutOffState(EphemeralState):
    """A disk that can be full."""

    full = False

    def commit(self) -> None:
        """Fail while the disk is full."""
        if self.full:
            raise HubError("the disk is full")


def test_full_disk_holds_a_job_up(caplog: pytest.LogCaptureFixture) -> None:
    """No device is called before that is written down; when there is room the job goes on."""

    async def act() -> None:
        state = CutOffState()
        scene = Scene(state)
        scene.add("d1")
        device = Device(scene.engine, "d1")
        scene.order("j", method())
        state.full = True
        scene.runner.tick()
        await until(lambda: not scene.runner._tasks)
        assert device.rids == []
        assert "the job j is held up: the disk is full" in caplog.text
        state.full = False
        assert _statistics(await scene.until_over("j")) == (1, 0, 0, 0)

    asyncio.run(act())


def test_answer_in_the_last_moment_comes_too_late() -> None:
    """What the job has said about a device stays said, though its answer was on the way."""

    async def act() -> None:
        scene = Scene()
        scene.add("d1")
        device = Device(scene.engine, "d1", mute=True)
        scene.order("j", method(maxExecutionTimeInSeconds=60))
        scene.runner.tick()
        await until(lambda: device.rids)
        device.answer()
        scene.now += 60
        scene.runner.tick()
        await until(lambda: not scene.runner._tasks)
        assert (scene.job("j")["status"], _statistics(scene.job("j"))) == ("failed", (0, 1, 0, 0))
        assert scene.outcomes()[0]["error"]["code"] == "JobExpired"

    asyncio.run(act())


def test_job_whose_time_ran_out_while_the_hub_was_away_fails_at_once(tmp_path: Path) -> None:
    """Nobody is called any more."""

    async def first() -> None:
        state = DiskState(tmp_path / "hub.db")
        scene = Scene(state)
        scene.add("d1")
        device = Device(scene.engine, "d1", mute=True)
        scene.order("j", method(maxExecutionTimeInSeconds=60))
        scene.runner.tick()
        await until(lambda: device.rids)
        state.close()

    async def second() -> None:
        state = DiskState(tmp_path / "hub.db")
        scene = Scene(state, now=1060.0)
        device = Device(scene.engine, "d1")
        scene.runner.tick()
        assert (scene.job("j")["status"], _statistics(scene.job("j"))) == ("failed", (0, 1, 0, 0))
        assert device.rids == []
        state.close()

    asyncio.run(first())
    asyncio.run(second())
