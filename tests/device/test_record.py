"""The record, and what may still be said of an older one."""

from __future__ import annotations

from fwsm.core.update import State
from fwsm.testing.fakes import MemoryDownload
from tests.device.life import OTHER, URI, LateRunner, Life


def test_a_late_progress_does_not_follow_what_came_after_it(life: Life) -> None:
    """A job that was told to end may still note progress; it is not shown as that of the next update."""
    runner = LateRunner()
    life.options = {"runner": runner}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    life.agent.step(life.clock.now())
    life.call(payload={"fwPackageUri": OTHER})
    late = MemoryDownload(life.download.served)
    life.download.fetch = late.fetch  # type: ignore[method-assign]
    runner.jobs[0].stop.clear()
    runner.jobs[0].run()
    assert late.fetches == [URI]
    life.report()
    assert life.link.section["updateId"] == "u2"
    assert "progress" not in life.link.section
