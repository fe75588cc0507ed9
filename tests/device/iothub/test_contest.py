"""When a loss is one too many."""

from __future__ import annotations

import pytest

from fwsm.core.connection_string import DeviceConnection
from fwsm.core.credentials import SymmetricKey
from fwsm.device.iothub.contest import Contest
from fwsm.errors import FwsmError, Kind, LinkError, LinkLostError, LinkTakenError

DEVICE = DeviceConnection("hub.example", "d1", SymmetricKey("a2V5"))
LOST = LinkLostError("the connection to the hub hub.example was lost")
SILENT = LinkError("could not report")


def _judged(*ends: tuple[FwsmError | None, float]) -> list[FwsmError | None]:
    contest = Contest(120.0)
    return [contest.judged(error, lasted_s, DEVICE) for error, lasted_s in ends]


def test_the_third_loss_in_a_row_is_told_as_what_it_seems_to_be() -> None:
    """And every further one; a person has to look, so it is tried slowly."""
    first, second, third, fourth = _judged((LOST, 0.0), (LOST, 60.0), (LOST, 119.0), (LOST, 1.0))
    assert first is second is LOST
    assert isinstance(third, LinkTakenError)
    assert third.__cause__ is LOST
    assert third.kind is Kind.NEEDS_OPERATOR
    assert "seems to be the device 'd1' of hub.example" in third.what
    assert "4 times in a row" in str(fourth)


@pytest.mark.parametrize("between", [(LOST, 120.0), (SILENT, 1.0), (None, 1.0)], ids=["long", "silent", "stopped"])
def test_other_trouble_or_a_long_connection_begins_the_count_anew(between: tuple[FwsmError | None, float]) -> None:
    """A network that fails, or a hub, looks so."""
    ends = _judged((LOST, 1.0), (LOST, 1.0), between, (LOST, 1.0), (LOST, 1.0))
    assert ends == [LOST, LOST, between[0], LOST, LOST]


def test_a_connect_that_fails_begins_the_count_anew() -> None:
    """So a hub that goes down again and again is no rival."""
    contest = Contest(120.0)
    for _ in range(5):
        assert contest.judged(LOST, 1.0, DEVICE) is contest.judged(LOST, 1.0, DEVICE) is LOST
        contest.forget()
