"""Journeys for tests: told row by row, or drawn at random from the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.update import Request, State, Update
from fwsm.diagram.journey import Journey
from fwsm.store.history import ACCEPTED, HistoryRow
from fwsm.store.incidents import Incident
from fwsm.store.logbook import Logbook

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

START = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIFECYCLE = Lifecycle()
_WAYS = {state: [row for row in LIFECYCLE.rows_from(state) if row.target is not None] for state in LIFECYCLE.states}
ID = "0c8e88e7-60b3-4c47-815f-0bd90062786c"


def told(
    *rows: tuple[float, str, State | str] | tuple[float, str, State | str, str],
    now_s: float | None = None,
    told_up_to: int | None = None,
    incidents: Sequence[tuple[float, str]] = (),
    version: str | None = "2.0",
    **known: Any,
) -> Journey:
    """A journey of entries: seconds since the start, trigger, state, and perhaps a boot."""
    entries: list[HistoryRow] = []
    for number, (at_s, trigger, state, *boot) in enumerate(rows, start=1):
        entries.append(
            HistoryRow(
                number=number,
                update_id=ID,
                at=START + timedelta(seconds=at_s),
                boot_id=boot[0] if boot else "boot-1",
                trigger=trigger,
                source=entries[-1].state if entries else None,
                state=State.named(state),
                attempt=1,
                failure_code="downloadInterrupted" if trigger.endswith("failed") else None,
            )
        )
    update = Update(
        id=ID,
        request=Request("https://images.example/fw.img", version=version),
        state=entries[-1].state if entries else State.WAITING,
        boot_id="boot-1",
    )
    logbook = Logbook(
        update=replace(update, **known),
        rows=tuple(entries),
        incidents=tuple(
            Incident(number, START + timedelta(seconds=at_s), "boot-1", ID, "hookFailed", message)
            for number, (at_s, message) in enumerate(incidents, start=1)
        ),
        told=len(entries) if told_up_to is None else told_up_to,
    )
    last_s = max((row[0] for row in rows), default=0.0)
    return Journey.of(logbook, START + timedelta(seconds=last_s if now_s is None else now_s))


GOOD = (
    (0.0, ACCEPTED, State.WAITING),
    (1.0, Trigger.POLICY_ALLOWED, State.DOWNLOADING),
    (4.0, Trigger.DOWNLOAD_FAILED, State.DOWNLOADING),
    (9.0, Trigger.RESTARTED, State.DOWNLOADING),
    (20.0, Trigger.DOWNLOAD_VERIFIED, State.DOWNLOAD_COMPLETE),
    (20.1, Trigger.POLICY_ALLOWED, State.INSTALLING),
    (30.0, Trigger.INSTALLED, State.REBOOTING),
    (45.0, Trigger.RESTARTED, State.CONFIRMING, "boot-2"),
    (50.0, Trigger.HEALTH_CONFIRMED, State.APPLY_COMPLETE, "boot-2"),
)
"""An update that came through a failed try, a killed process and a reboot."""

_PAUSES = st.one_of(
    st.floats(0, 0.5), st.floats(0, 60), st.floats(0, 900_000), st.floats(-5_000, 0), st.just(-1.8e9), st.just(1.8e9)
)


@st.composite
def journeys(draw: Callable[..., Any]) -> Journey:
    """A walk through the table with a clock that need not be right, perhaps pruned, perhaps reported."""
    state, at_s, boot = State.WAITING, 0.0, 1
    rows: list[tuple[float, str, State, str]] = [(at_s, ACCEPTED, state, "boot-1")]
    for _ in range(draw(st.integers(0, 15))):
        if not _WAYS[state]:
            break
        row = draw(st.sampled_from(_WAYS[state]))
        state = row.target
        at_s = min(max(at_s + draw(_PAUSES), -1.77e9), 2e9)
        boot += draw(st.booleans()) and row.trigger is Trigger.RESTARTED
        rows.append((at_s, row.trigger, state, f"boot-{boot}"))
    kept = rows[draw(st.integers(0, len(rows) - 1)) :]
    incidents = draw(st.lists(st.tuples(st.floats(-1e9, 1e9), st.text(max_size=40)), max_size=4))
    return told(
        *kept,
        now_s=kept[-1][0] + draw(_PAUSES) if -1.7e9 < kept[-1][0] < 1.9e9 else 0.0,
        told_up_to=draw(st.integers(0, len(kept))),
        incidents=incidents,
        version=draw(st.none() | st.text(max_size=60)),
    )
