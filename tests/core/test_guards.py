"""Each guard on both sides of its edge."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core import guards
from fwsm.core.entry import Facts
from fwsm.core.moment import Moment
from fwsm.core.update import Failure, Limits, Probe, Progress, Request, State, Update
from fwsm.errors import Kind

if TYPE_CHECKING:
    from fwsm.core.guards import Guard

LIMITS = Limits(attempts=3, restarts=3, reboots=3, damages=3, progress_bytes=100)
NOW = Moment(datetime(2026, 5, 4, tzinfo=UTC), 1.0, "boot-1")
ELSEWHERE = Moment(datetime(2026, 5, 4, tzinfo=UTC), 1.0, "boot-2")
GAIN = Progress(100)

# guard, what the record says, what the facts say, whether it holds
CASES: list[tuple[Guard, dict[str, Any], dict[str, Any], bool]] = [
    (guards.cause_transient, {}, {}, False),
    *((guards.cause_transient, {}, {"failure": Failure("c", "m", kind)}, kind is Kind.TRANSIENT) for kind in Kind),
    (guards.attempts_left, {"attempt": 2}, {}, True),
    (guards.attempts_left, {"attempt": 3}, {}, False),
    (guards.attempts_left, {"attempt": 3}, {"progress": GAIN}, True),
    (guards.attempts_left, {"attempt": 3, "reached_bytes": 1}, {"progress": GAIN}, False),
    (guards.restarts_left, {"restarts": 2}, {}, True),
    (guards.restarts_left, {"restarts": 3}, {}, False),
    (guards.restarts_left, {"restarts": 3}, {"progress": GAIN}, True),
    (guards.reboots_left, {"reboots": 2}, {}, True),
    (guards.reboots_left, {"reboots": 3}, {}, False),
    (guards.damages_left, {"damages": 2}, {}, True),
    (guards.damages_left, {"damages": 3}, {}, False),
    (guards.reboot_required, {}, {"reboot_required": True}, True),
    (guards.reboot_required, {}, {}, False),
    (guards.boot_unchanged, {}, {"now": NOW}, True),
    (guards.boot_unchanged, {}, {"now": ELSEWHERE}, False),
    (guards.target_runs, {}, {"target_runs": True}, True),
    (guards.target_runs, {}, {}, False),
    (guards.request_lost, {}, {"request_lost": True}, True),
    (guards.request_lost, {}, {}, False),
    (guards.probe_done, {}, {}, False),
    *((guards.probe_done, {}, {"probe": probe}, probe is Probe.DONE) for probe in Probe),
    (guards.must_roll_back, {}, {}, False),
    *((guards.must_roll_back, {}, {"probe": probe}, probe is Probe.UNFINISHED) for probe in Probe),
    *((guards.must_roll_back, {}, {"probe": probe, "repeatable": True}, False) for probe in Probe),
]


@pytest.mark.parametrize(("guard", "known", "facts", "holds"), CASES)
def test_guard_holds_exactly_then(guard: Guard, known: dict[str, Any], facts: dict[str, Any], holds: bool) -> None:
    """The predicate holds up to its edge and not beyond."""
    update = Update(id="u", request=Request("https://h/i"), state=State.WAITING, boot_id="boot-1", **known)
    assert guard(update, Facts(**{"now": NOW, **facts}), LIMITS) is holds


def test_every_guard_is_tried_on_both_sides() -> None:
    """No guard is forgotten above."""
    assert {(guard.__name__, holds) for guard, _, _, holds in CASES} == {
        (name, holds) for name in guards.__all__ if inspect.isfunction(getattr(guards, name)) for holds in (True, False)
    }
