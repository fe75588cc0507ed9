"""The work on the image, when the board or the firmware makes trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Limits, Probe, State, Update
from fwsm.errors import DownloadError, SlotError
from fwsm.testing.fakes import MemoryInstaller
from tests.device.life import OTHER, URI, Life

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize("state", [State.INSTALLING, State.REBOOTING, State.CONFIRMING])
def test_an_installer_that_cannot_tell_for_a_while_is_asked_again(life: Life, state: State) -> None:
    """A board that cannot be read on coming back does not stop the device, and nothing is made up about its slots."""

    class Mute(MemoryInstaller):
        mute = False

        def runs(self, update: Update) -> bool:
            if self.mute:
                raise SlotError("the boot pointer cannot be read")
            return super().runs(update)

    life.installer = installer = Mute(life.board)
    life.options = {"soak_s": 5.0}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    if state is State.CONFIRMING:
        life.step_until(State.REBOOTING)
        life.reboot()
    life.step_until(state)
    installer.mute = True
    (life.reboot if state is State.REBOOTING else life.restart)()
    for _ in range(3):
        life.agent.step(life.clock.now())
    installer.mute = False
    if state is State.INSTALLING:
        life.step_until(State.REBOOTING)
        life.reboot()
    assert life.step_until(State.APPLY_COMPLETE).failure is None


def test_a_board_that_stays_unreadable_ends_in_apply_failed(life: Life) -> None:
    """What runs cannot be told any more: the update ends in time, and nobody claims that the old firmware runs."""

    class Lost(MemoryInstaller):
        def runs(self, _update: Update) -> bool:
            raise SlotError("the boot pointer is lost")

        def roll_back(self, _update: Update) -> bool:
            raise SlotError("the boot pointer is lost")

    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.installer = Lost(life.board)
    life.reboot()
    update = life.step_until(State.APPLY_FAILED)
    assert not update.rolled_back
    assert update.failure is not None
    assert "the boot pointer is lost" in update.failure.message


def test_an_installation_that_must_not_be_repeated_is_not_when_its_state_is_unknown(life: Life) -> None:
    """No answer counts as the worst one: something was touched."""

    class Mute(MemoryInstaller):
        def probe(self, _update: Update) -> Probe:
            raise SlotError("the slot cannot be read")

    life.installer = Mute(life.board, repeatable=False)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.INSTALLING)
    life.restart()
    update = life.step_until(State.APPLY_FAILED)
    assert update.failure is not None
    assert update.failure.code == "installInterrupted"


def test_an_installer_that_cannot_name_its_slot_fails_where_the_table_knows_it(life: Life) -> None:
    """The question before the installation does not end the program."""

    class Nameless(MemoryInstaller):
        asked = 0

        def target_slot(self) -> str | None:
            self.asked += 1
            if self.asked == 1:
                raise SlotError("the boot pointer cannot be read")
            return super().target_slot()

    life.installer = Nameless(life.board)
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    assert life.step_until(State.REBOOTING).target_slot is None


def test_every_update_has_its_own_soak_time(life: Life) -> None:
    """An installer without reboots: that the last update was healthy in this process says nothing of the next."""

    class Live(MemoryInstaller):
        def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
            super().install(update, artifact, stop)
            self.board.power_cycle()
            return False

    life.installer = Live(life.board)
    life.options = {"soak_s": 30.0}
    life.restart()
    for uri in (URI, OTHER):
        life.call(payload={"fwPackageUri": uri})
        life.step_until(State.CONFIRMING)
        began_s = life.clock.boottime_s
        life.step_until(State.APPLY_COMPLETE)
        assert life.clock.boottime_s - began_s == pytest.approx(30.0)


def test_what_does_not_run_is_not_confirmed(life: Life) -> None:
    """Installers may confirm whatever runs; the agent asks first whether that is the image of this update."""
    life.options = {"limits": Limits(confirm_s=60)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    life.step_until(State.CONFIRMING)
    life.board.booted = "a"
    update = life.step_until(State.APPLY_FAILED)
    assert life.board.primary == "a"
    assert update.failure is not None
    assert "does not run" in update.failure.message


async def _later(_update: Update) -> None:
    """A check that would have to be awaited."""


@pytest.mark.parametrize(
    ("check", "why"),
    [
        (lambda _update: False, "a check has answered that it does not hold"),
        (lambda update: _later(update), "it returned a coroutine"),  # noqa: PLW0108 - seen at once where it stands bare
    ],
)
def test_a_check_that_does_not_say_that_all_is_well_confirms_nothing(
    life: Life, check: Callable[[Update], None], why: str
) -> None:
    """A check raises where the firmware is bad; one that answers so, or was never carried out, is no proof either."""
    life.options = {"checks": [check], "limits": Limits(confirm_s=60)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.REBOOTING)
    life.reboot()
    update = life.step_until(State.APPLY_FAILED)
    assert life.board.primary == "a"
    assert update.failure is not None
    assert why in update.failure.message


def test_a_failed_installation_is_rolled_back_without_the_pause_of_a_retry(life: Life) -> None:
    """Once the tries have run out there is nothing to wait for."""
    life.options = {"limits": Limits(attempts=1)}
    life.restart()
    life.installer.failures = [DownloadError("the disk is slow today")]
    life.call(payload={"fwPackageUri": URI})
    update = life.step_until(State.ROLLING_BACK)
    assert (update.reason, update.deadline) == (None, None)
    assert life.agent.step(life.clock.now()) == 0.0


def test_what_runs_is_not_taken_for_what_should_be_installed(life: Life) -> None:
    """After a retry an older image of the same update may run; the installer's word counts, and it is installed."""

    class Stale(MemoryInstaller):
        def runs(self, _update: Update) -> bool:
            return True

    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.INSTALLING)
    life.installer = Stale(life.board)
    life.restart()
    assert life.step_until(State.REBOOTING).failure is None
    assert life.board.content == {"b": "u1"}
