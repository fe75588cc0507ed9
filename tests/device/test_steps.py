"""Steps that a program has added, on the real agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.core.lifecycle import Extension, Step
from fwsm.core.update import Limits, State, Update
from fwsm.errors import InstallError, Kind
from tests.device.life import URI

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from tests.device.life import Life


class BusyError(InstallError):
    """Time helps against it."""

    kind = Kind.TRANSIENT


class Diary:
    """Steps that note that they ran, and fail when they are told to."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.failures: list[Exception] = []

    def step(self, name: str, before: State) -> Step:
        """A step."""
        return Step(name, before, self._run(name))

    def _run(self, name: str) -> Callable[[Update, threading.Event], None]:
        def run(update: Update, stop: threading.Event) -> None:
            assert update.state.substatus == name
            assert not stop.is_set()
            self.ran.append(name)
            if self.failures:
                raise self.failures.pop(0)

        return run


@pytest.fixture
def diary() -> Diary:
    """What ran."""
    return Diary()


@pytest.fixture
def extended(life: Life, diary: Diary) -> Life:
    """A device with a step at each place."""
    steps = (
        diary.step("backingUp", State.INSTALLING),
        diary.step("warning", State.REBOOTING),
        diary.step("migrating", State.CONFIRMING),
    )
    life.options = {"extension": Extension(steps), "limits": Limits(attempts=3)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    return life


def test_each_step_runs_where_it_stands_and_is_reported(extended: Life, diary: Diary) -> None:
    """Once, if nothing goes wrong; the twin shows it as a substatus."""
    extended.step_until(State.REBOOTING)
    assert diary.ran == ["backingUp", "warning"]
    extended.agent.step(extended.clock.now())
    extended.reboot()
    extended.step_until(State.APPLY_COMPLETE)
    assert diary.ran == ["backingUp", "warning", "migrating"]
    extended.report()
    told = [patch["iothubDM"]["firmwareUpdate"].get("substatus") for patch in extended.link.patches]
    assert [name for name in told if name] == [
        "backingUp",
        "installing",
        "warning",
        "rebooting",
        "migrating",
        "confirming",
    ]
    assert extended.agent.may_happen()[0].source is State.APPLY_COMPLETE


def test_a_step_that_dies_runs_again(extended: Life, diary: Diary) -> None:
    """A process that comes back in it does it once more."""
    extended.step_until(State.child("warning"))
    extended.restart()
    extended.step_until(State.REBOOTING)
    assert diary.ran == ["backingUp", "warning"]
    assert extended.agent.update is not None
    assert extended.agent.update.resumed == 1


def test_a_busy_step_is_tried_again_and_a_broken_one_rolls_back(extended: Life, diary: Diary) -> None:
    """With the usual pause; a foreign exception is a bug, and a bug is not repeated."""
    diary.failures = [BusyError("busy"), BusyError("busy"), KeyError("bug")]
    failed = extended.step_until(State.APPLY_FAILED)
    assert diary.ran == ["backingUp"] * 3
    assert failed.failure is not None
    assert failed.failure.code == "internal"
    assert extended.board.booted == "a"


def test_new_firmware_whose_step_fails_is_left(extended: Life, diary: Diary) -> None:
    """After the reboot it is as good as a health check that fails."""
    extended.step_until(State.REBOOTING)
    extended.agent.step(extended.clock.now())
    extended.reboot()
    diary.failures = [InstallError("the data cannot be migrated")]
    extended.step_until(State.ROLLING_BACK)
    extended.agent.step(extended.clock.now())
    extended.agent.step(extended.clock.now())
    extended.reboot()
    failed = extended.step_until(State.APPLY_FAILED)
    assert failed.failure is not None
    assert failed.failure.message == "the data cannot be migrated"
    assert extended.board.booted == "a"


def test_a_program_without_the_step_goes_on_by_what_runs(extended: Life) -> None:
    """The firmware that knew it was rolled back by the boot loader while the step ran."""
    extended.step_until(State.REBOOTING)
    extended.agent.step(extended.clock.now())
    extended.reboot()
    extended.step_until(State.child("migrating"))
    extended.options = {}
    extended.board.primary = "a"
    extended.reboot()
    failed = extended.step_until(State.APPLY_FAILED)
    assert failed.failure is not None
    assert failed.failure.code == "bootFellBack"
    assert extended.store is not None
    assert State.child("migrating") in [row.state for row in extended.store.history()]


@pytest.mark.filterwarnings("error")
def test_a_step_that_only_makes_a_coroutine_has_failed(life: Life) -> None:
    """Nothing of it was done, and the lifecycle must not go on as if it were."""

    async def later(_update: Update, _stop: threading.Event) -> None:
        """Not before somebody awaits it."""

    life.options = {"extension": Extension((Step("backingUp", State.INSTALLING, cast("Any", later)),))}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    failed = life.step_until(State.APPLY_FAILED)
    assert failed.failure is not None
    assert failed.failure.message.startswith("TypeError: it returned a coroutine")
