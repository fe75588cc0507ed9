"""Pauses between tries, as facts for the table."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from fwsm.core.moment import Deadline
from fwsm.core.update import Failure, Limits, Request, State, Update
from fwsm.device.outcome import Pauses, log_failure
from fwsm.errors import DownloadError, NoSpaceError
from fwsm.testing.clock import FakeClock
from tests.logs import records_of

if TYPE_CHECKING:
    from collections.abc import Callable

UPDATE = Update(id="u1", request=Request("https://x/y"), state=State.DOWNLOADING, boot_id="boot-1", attempt=3)


@pytest.fixture
def pauses() -> Callable[[float], Pauses]:
    """Pauses with a random number of the test's choice."""
    return lambda chance: Pauses(FakeClock(), Limits(retry_base_s=10.0, retry_cap_s=600.0), lambda: chance)


def test_a_pause_says_why_and_till_when_on_both_clocks(pauses: Callable[[float], Pauses]) -> None:
    """The third try failed: half of four times the base; `until` is the same moment for people."""
    deadline = Deadline.after(FakeClock().now(), 20.0)
    assert pauses(0.5).after(UPDATE) == {"reason": "retry", "until": deadline.wall_at, "deadline": deadline}


def test_what_the_server_asks_for_wins(pauses: Callable[[float], Pauses]) -> None:
    """But not over the cap."""
    spans_s = [pauses(0.5).after(UPDATE, asked_s)["deadline"].span_s for asked_s in (77.0, 1e9, -1.0)]
    assert spans_s == [77.0, 600.0, 0.0]


def test_only_what_time_heals_is_waited_for(pauses: Callable[[float], Pauses]) -> None:
    """A full disk needs a person; a broken connection needs patience."""
    full, broken = Failure.of(NoSpaceError("full")), Failure.of(DownloadError("broken"))
    assert pauses(0.5).after_failure(UPDATE, full) == {"failure": full}
    assert pauses(0.5).after_failure(UPDATE, broken) == {"failure": broken} | pauses(0.5).after(UPDATE)


def test_a_bug_shows_where_it_came_from_and_an_expected_failure_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """One line for what we know; a traceback for what we do not."""
    with caplog.at_level(logging.WARNING):
        log_failure("it failed", DownloadError("broken"))
        log_failure("it failed", ValueError("a bug"))
    assert [(record.message, bool(record.exc_info)) for record in records_of(caplog, "fwsm.device.outcome")] == [
        ("it failed: broken", False),
        ("it failed: a bug", True),
    ]
