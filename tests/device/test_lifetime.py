"""How the threads of a device start and end; what a program sees of it is tried in test_device."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.update import State
from fwsm.device.lifetime import Lifetime
from fwsm.device.reporter import Reporter
from fwsm.errors import LifecycleError, LinkError, RefusedError
from fwsm.testing.link import MemoryLink
from tests.device.life import URI, Life
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from fwsm.device.hooks import Entered
    from fwsm.device.ports import Message


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """The parts of a device."""
    life = Life(tmp_path / "state")
    life.start()
    yield life
    life.end()


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("fwsm-")}


def test_a_stop_ends_every_thread_and_the_link(life: Life) -> None:
    """In the end nothing of it runs; to stop twice does no harm, and it is started once."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    lifetime.start()
    with pytest.raises(LifecycleError, match="started before"):
        lifetime.start()
    lifetime.stop()
    lifetime.stop()
    assert lifetime.join(PATIENCE_S)
    with pytest.raises(LinkError):
        life.link.report({})
    for thread in threading.enumerate():
        if thread.name == "fwsm-stop":
            thread.join(PATIENCE_S)
    assert not _threads() & {"fwsm-agent", "fwsm-reporter", "fwsm-stop"}


def test_a_stop_before_the_start_counts(life: Life) -> None:
    """A signal may come at any time."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    lifetime.stop()
    lifetime.run()
    assert lifetime.join(0.0)


def test_it_is_run_once_however_it_is_begun(life: Life) -> None:
    """A second run beside the first would work on the same update, and one behind it would do nothing."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    lifetime.start()
    with pytest.raises(LifecycleError, match="started before"):
        lifetime.run()
    lifetime.close()
    for begin in (lifetime.run, lifetime.start):
        with pytest.raises(LifecycleError, match=r"was closed\. Make a new Device"):
            begin()


def test_a_close_waits_for_the_end_wherever_it_runs(life: Life) -> None:
    """What it works on is taken away behind that."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    running = threading.Thread(target=lifetime.run, daemon=True)
    done = life.agent.order("firmwareUpdateStatus")
    running.start()
    assert done.result(PATIENCE_S) is None
    assert not lifetime.join(0.0)
    lifetime.close()
    running.join(PATIENCE_S)
    assert not running.is_alive()
    assert not _threads() & {"fwsm-reporter"}
    lifetime.close()


def test_what_was_closed_before_the_start_never_starts(life: Life) -> None:
    """Its database is gone; that is told at once, and not by a thread that dies of it."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    lifetime.close()
    with pytest.raises(LifecycleError, match="the device was closed"):
        lifetime.start()
    with pytest.raises(RefusedError, match="does not run"):
        lifetime.require_running_elsewhere("firmwareUpdate")
    assert lifetime.join(0.0)


def test_a_hook_neither_closes_it_nor_waits_for_it(life: Life) -> None:
    """Neither that of an entry nor that of a report: the end waits for both."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    refused: list[str] = []
    reported = threading.Event()

    def close() -> None:
        for end in (lifetime.close, lambda: lifetime.join(None)):
            with pytest.raises(LifecycleError, match="this is a hook, or a part at work") as caught:
                end()
            refused.append(caught.value.what)

    def in_a_report(_patch: object) -> None:
        if not reported.is_set():
            close()
            reported.set()

    life.hooks.on_enter(lambda _entered: close(), State.WAITING)
    life.reporter = Reporter(life.outbox, life.link, life.clock, on_report=in_a_report)
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    lifetime.start()
    life.reporter.ring()
    assert reported.wait(PATIENCE_S)
    lifetime.close()
    assert lifetime.join(0.0)
    assert len(refused) >= 4


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_a_reporter_that_ends_ends_the_run(life: Life, error: BaseException) -> None:
    """What is never reported again is as bad as dead, and nobody would notice."""

    def leave(_patch: object) -> None:
        raise error

    reporter = Reporter(life.outbox, life.link, life.clock, on_report=leave)
    lifetime = Lifetime(life.agent, reporter, life.link)
    life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    life.hooks.on_enter(lambda _entered: reporter.ring(), State.WAITING)
    lifetime.start()
    assert lifetime.wait(PATIENCE_S)
    with pytest.raises(type(error)):
        lifetime.join(0.0)


class BrokenLink(MemoryLink):
    """Cannot be started."""

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Raise what a bug would."""
        raise ZeroDivisionError(str(deliver))


def test_what_ends_it_is_raised_where_it_is_waited_for(life: Life) -> None:
    """And not lost in a thread that nobody looks at."""
    lifetime = Lifetime(life.agent, life.reporter, BrokenLink())
    lifetime.start()
    assert lifetime.wait(PATIENCE_S)
    with pytest.raises(ZeroDivisionError):
        lifetime.join(0.0)


def test_whoever_waits_is_told_when_the_link_does_not_start(life: Life) -> None:
    """The agent never began, and never will."""
    lifetime = Lifetime(life.agent, life.reporter, BrokenLink())
    done = life.agent.order("firmwareUpdateStatus")
    with pytest.raises(ZeroDivisionError):
        lifetime.run()
    assert done.cancelled()


def test_nobody_waits_for_an_agent_that_cannot_answer(life: Life) -> None:
    """It does not run, or it is this very thread that it runs in, as in a hook."""
    lifetime = Lifetime(life.agent, life.reporter, life.link)
    with pytest.raises(RefusedError, match="does not run"):
        lifetime.require_running_elsewhere("firmwareUpdate")
    refused: list[str] = []

    def in_a_hook(_entered: Entered) -> None:
        try:
            lifetime.require_running_elsewhere("firmwareUpdate")
        except RefusedError as error:
            refused.append(error.what)

    life.hooks.on_enter(in_a_hook, State.WAITING)
    lifetime.start()
    assert life.agent.order("firmwareUpdateStatus").result(PATIENCE_S) is None
    lifetime.require_running_elsewhere("firmwareUpdate")
    assert life.agent.order("firmwareUpdate", {"fwPackageUri": URI}).result(PATIENCE_S) is not None
    lifetime.stop()
    assert lifetime.join(PATIENCE_S)
    assert refused[0] == "firmwareUpdate cannot be asked for here"


def test_a_link_that_cannot_be_stopped_keeps_nothing_from_ending(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    """It is said in the log; what is raised is what has ended the run."""

    class Stuck(BrokenLink):
        def stop(self) -> None:
            raise OSError("no such socket")

    lifetime = Lifetime(life.agent, life.reporter, Stuck())
    lifetime.start()
    assert lifetime.wait(PATIENCE_S)
    with pytest.raises(ZeroDivisionError):
        lifetime.join(0.0)
    assert "the link could not be stopped: OSError: no such socket" in caplog.text
    assert not _threads() & {"fwsm-agent", "fwsm-reporter"}


def test_a_report_that_is_never_let_go_of_is_left_behind(life: Life, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever closes the device does not wait for it for ever, and the log says what it was."""
    asked, enough = threading.Event(), threading.Event()

    class Deaf(MemoryLink):
        def report(self, patch: Mapping[str, Any]) -> None:
            asked.set()
            enough.wait(PATIENCE_S)
            super().report(patch)

    life.link = Deaf()
    life.restart()
    life.hooks.on_enter(lambda _entered: life.reporter.ring(), State.WAITING)
    lifetime = Lifetime(life.agent, life.reporter, life.link, reporter_ends_s=0.01)
    life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    lifetime.start()
    assert asked.wait(PATIENCE_S)
    lifetime.close()
    assert "has not let go of a report" in caplog.text
    enough.set()
    for thread in threading.enumerate():
        if thread.name == "fwsm-reporter":
            thread.join(PATIENCE_S)
