"""What becomes of a command of the embedding program."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State, Update
from fwsm.device.order import came_of
from fwsm.errors import RefusedError, RequestError
from tests.device.life import URI

if TYPE_CHECKING:
    from tests.device.life import Life


def test_it_brings_back_the_update(life: Life) -> None:
    """As it stands when it was carried out."""
    done = life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    assert not done.done()
    life.agent.step(life.clock.now())
    update = done.result(0)
    assert update is not None
    assert (update.id, update.state) == ("u1", State.WAITING)
    assert life.agent.update is update


def test_it_brings_back_why_it_was_not_carried_out(life: Life) -> None:
    """A malformed request, and one that the table refuses; the agent goes on."""
    malformed, refused = life.agent.order("firmwareUpdate", {}), life.agent.order("firmwareUpdateCancel")
    for _ in range(2):
        life.agent.step(life.clock.now())
    with pytest.raises(RequestError) as caught:
        malformed.result(0)
    assert caught.value.field == "fwPackageUri"
    with pytest.raises(RefusedError, match="there is no update"):
        refused.result(0)


def test_it_is_cancelled_if_the_agent_ends_before(life: Life) -> None:
    """Nobody waits for ever."""
    done = life.agent.order("firmwareUpdateStatus")
    life.agent.stop()
    life.agent.run()
    with pytest.raises(CancelledError):
        done.result(0)


def test_an_order_interrupts_as_a_method_does(life: Life) -> None:
    """What changes the update ends the work in hand."""
    life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    done = life.agent.order("firmwareUpdateCancel")
    life.agent.step(life.clock.now())
    update = done.result(0)
    assert update is not None
    assert update.state is State.DOWNLOAD_FAILED


def test_an_order_that_was_taken_back_is_not_carried_out(life: Life) -> None:
    """As long as the agent has not come to it."""
    assert life.agent.order("firmwareUpdate", {"fwPackageUri": URI}).cancel()
    life.agent.step(life.clock.now())
    assert life.agent.update is None


def test_what_a_busy_agent_has_not_begun_is_taken_back(life: Life) -> None:
    """Whoever was told that it was not carried out must not see it carried out later."""
    done = life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    with pytest.raises(RefusedError, match="firmwareUpdate was not carried out: the agent was busy for 0 s"):
        came_of("firmwareUpdate", done, 0)
    life.agent.step(life.clock.now())
    assert life.agent.update is None


def test_what_a_busy_agent_has_begun_is_not_called_undone() -> None:
    """It may be stored a moment later."""
    done: Future[Update | None] = Future()
    assert done.set_running_or_notify_cancel()
    with pytest.raises(RefusedError, match="it is not known yet what came of firmwareUpdate"):
        came_of("firmwareUpdate", done, 0)
