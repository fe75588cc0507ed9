"""What becomes of a command of the embedding program."""

from __future__ import annotations

from concurrent.futures import CancelledError, Future
from typing import TYPE_CHECKING, NoReturn

import pytest

from fwsm.core.update import State, Update
from fwsm.device.order import came_of
from fwsm.errors import RefusedError, RequestError
from tests.device.life import URI

if TYPE_CHECKING:
    from collections.abc import Generator

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
    with pytest.raises(RequestError) as caught:
        life.agent.order("firmwareUpdate", {})
    assert caught.value.field == "fwPackageUri"
    refused = life.agent.order("firmwareUpdateCancel")
    life.agent.step(life.clock.now())
    with pytest.raises(RefusedError, match="there is no update"):
        refused.result(0)


def test_it_is_cancelled_if_the_agent_ends_before(life: Life) -> None:
    """Nobody waits for ever."""
    done = life.agent.order("firmwareUpdateStatus")
    life.agent.drop_orders()
    late = life.agent.order("firmwareUpdateStatus")
    for each in (done, late):
        with pytest.raises(CancelledError):
            each.result(0)


class Evil(dict[str, object]):
    """A mapping whose own code fails."""

    def __iter__(self) -> NoReturn:
        """Fail."""
        raise LookupError("no names")


def test_a_payload_that_cannot_be_read_is_its_senders_affair(life: Life) -> None:
    """Its error is raised where it was handed over, and the agent never sees it."""
    with pytest.raises(LookupError, match="no names"):
        life.agent.order("firmwareUpdate", Evil())
    assert life.agent.step(life.clock.now()) is None


class Speechless(Exception):  # noqa: N818  # it is somebody else's
    """Its text cannot be made."""

    def __str__(self) -> NoReturn:
        """Fail."""
        raise ValueError


@pytest.mark.parametrize(
    ("error", "said"),
    [(SystemExit(3), "SystemExit: 3"), (Speechless(), "its text cannot be made: ValueError")],
    ids=["exit", "speechless"],
)
def test_whoever_waits_hears_that_the_agent_ended_over_it(life: Life, error: BaseException, said: str) -> None:
    """At once; and the error goes on its way."""

    def ids() -> Generator[str]:
        yield from ()
        raise error

    life.ids = ids()
    done = life.agent.order("firmwareUpdate", {"fwPackageUri": URI})
    with pytest.raises(type(error)):
        life.agent.step(life.clock.now())
    with pytest.raises(RefusedError, match=rf"not known what came of firmwareUpdate.*{said}") as caught:
        done.result(0)
    assert caught.value.__cause__ is error


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
