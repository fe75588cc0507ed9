"""The record, and what may still be said of an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.core.update import State
from fwsm.store import Store
from fwsm.testing.fakes import MemoryDownload
from tests.device.life import OTHER, URI, LateRunner, Life

if TYPE_CHECKING:
    from fwsm.device.hooks import Entered


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


def test_hooks_hear_of_what_is_on_disk(life: Life) -> None:
    """On every entry, that of the request included, a second connection finds the state that the hook is told."""
    told: list[tuple[State, State | None]] = []

    def look(entered: Entered) -> None:
        with Store(life.directory, read_only=True) as beside:
            latest = beside.latest()
        told.append((entered.update.state, latest.state if latest else None))

    life.hooks.on_enter(look)
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    assert [heard for heard, _ in told][-3:] == [State.DOWNLOAD_COMPLETE, State.INSTALLING, State.REBOOTING]
    assert [(heard, kept) for heard, kept in told if heard is not kept] == []
