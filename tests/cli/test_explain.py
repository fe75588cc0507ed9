"""An update in plain words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fwsm.cli.explain import explain, in_a_line
from fwsm.core.guards import damages_left
from fwsm.core.lifecycle import TABLE, Extension, Row, Step, Trigger
from fwsm.core.update import Failure, Progress, Request, State, Update
from fwsm.errors import Kind
from fwsm.store import HistoryRow, Incident

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
UPDATE = Update(id="update-1", request=Request("https://h/fw?sig=geheim"), state=State.WAITING, boot_id="b")


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_words_its_rows_and_advice(state: State) -> None:
    """The rows are those of the table, each with where it leads."""
    update = replace(UPDATE, state=state)
    explanation = explain(update, [], [])
    assert [(row["trigger"], row["state"]) for row in explanation.following] == [
        (row.trigger.value, row.target.value) for row in TABLE if row.source is state and row.target
    ]
    text = explanation.text(update)
    assert explanation.doing in text
    assert "What you can do:" in text
    assert "own" not in explanation.doing.split()
    assert ("What may happen next" in text) is (state is not State.APPLY_COMPLETE)


def test_a_wait_has_its_reason_and_its_end() -> None:
    """Till when, as the twin says it."""
    update = replace(UPDATE, state=State.DOWNLOAD_COMPLETE, reason="window", until=AT + timedelta(hours=2))
    text = explain(update, [], []).text(update)
    assert "It waits because images are applied in the maintenance window only." in text
    assert "It waits until 2026-05-04T14:00:00.000Z." in text
    assert "Change the setting window" in text
    own = replace(update, reason="nobodyHome")
    assert "the policy says: nobodyHome" in explain(own, [], []).text(own)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        (Kind.TRANSIENT, "Time may help"),
        (Kind.PERMANENT, "send a new one"),
        (Kind.NEEDS_OPERATOR, "Mend what the error names"),
    ],
)
def test_the_advice_after_a_failure_depends_on_what_helps(kind: Kind, advice: str) -> None:
    """And the failure is told with its code."""
    update = replace(UPDATE, state=State.DOWNLOAD_FAILED, failure=Failure("artifact", "no such image", kind))
    explanation = explain(update, [], [])
    assert "What went wrong: no such image (artifact)." in explanation.why
    assert advice in explanation.advice[0]


def test_what_can_only_be_waited_for_is_said() -> None:
    """From applying on nobody can stop it; and how it got there is told."""
    update = replace(UPDATE, state=State.INSTALLING, attempt=2, resumed=3)
    explanation = explain(update, [], [])
    assert explanation.advice[0].startswith("Wait:")
    assert explanation.why == ("This is try 2 in this state.", "It went on after 3 restarts.")
    assert explain(replace(update, resumed=1), [], []).why[-1] == "It went on after 1 restart."


def test_a_failure_that_a_person_has_to_mend_is_said_before_the_end() -> None:
    """While it still tries."""
    update = replace(UPDATE, failure=Failure("x", "why", Kind.NEEDS_OPERATOR), state=State.DOWNLOADING)
    assert any("Mend what the error names" in advice for advice in explain(update, [], []).advice)


def test_the_last_troubles_are_shown_newest_last() -> None:
    """Failures of the update and what went wrong beside it, by time, five at most."""
    rows = [
        HistoryRow(
            number=number,
            update_id="update-1",
            at=AT + timedelta(minutes=number),
            boot_id="b",
            trigger="download_failed",
            source=State.DOWNLOADING,
            state=State.DOWNLOADING,
            attempt=number,
            failure_code="downloadInterrupted" if number != 3 else None,
        )
        for number in range(1, 7)
    ]
    incident = Incident(
        number=1, code="hookFailed", message="lamp", update_id=None, at=AT + timedelta(minutes=4.5), boot_id="b"
    )
    update = replace(UPDATE, state=State.DOWNLOADING)
    explanation = explain(update, rows, [incident])
    assert [trouble["code"] for trouble in explanation.troubles] == [
        *["downloadInterrupted"] * 2,
        "hookFailed",
        *["downloadInterrupted"] * 2,
    ]
    assert "12:06:00Z  downloadInterrupted: download_failed in state downloading" in explanation.text(update)
    assert explanation.document(update)["troubles"][2]["what"] == "lamp"


def test_an_entry_that_only_carries_a_failure_on_is_no_trouble_of_its_own() -> None:
    """After a rollback the update keeps why it failed; the same for another update is told again."""
    told: list[tuple[str, str, State, State, str | None]] = [
        ("update-0", "health_failed", State.CONFIRMING, State.ROLLING_BACK, "health"),
        ("update-0", "restarted", State.ROLLING_BACK, State.ROLLING_BACK, "health"),
        ("update-0", "rolled_back", State.ROLLING_BACK, State.APPLY_FAILED, "health"),
        ("update-1", "installed", State.INSTALLING, State.REBOOTING, None),
        ("update-1", "health_failed", State.CONFIRMING, State.ROLLING_BACK, "health"),
        ("update-1", "rollback_failed", State.ROLLING_BACK, State.ROLLING_BACK, "install"),
        ("update-1", "rollback_failed", State.ROLLING_BACK, State.ROLLING_BACK, "install"),
        ("update-1", "rolled_back", State.ROLLING_BACK, State.APPLY_FAILED, "install"),
    ]
    rows = [
        HistoryRow(number, of, AT + timedelta(minutes=number), "b", trigger, source, state, 1, code)
        for number, (of, trigger, source, state, code) in enumerate(told)
    ]
    troubles = explain(replace(UPDATE, state=State.APPLY_FAILED), rows, []).troubles
    assert [(trouble["at"][14:16], trouble["code"]) for trouble in troubles] == [
        ("00", "health"),
        ("04", "health"),
        ("05", "install"),
        ("06", "install"),
    ]


def test_a_step_of_the_programs_own_is_named() -> None:
    """An agent that was extended may have been here."""
    update = replace(UPDATE, state=State.child("calibrating"))
    explanation = explain(update, [], [])
    assert "the step calibrating" in explanation.doing
    assert explanation.following == ()
    assert "--extension" in explanation.advice[-1]


def test_an_extended_lifecycle_has_its_own_rows() -> None:
    """Those of its steps, the ways that lead to them, and its further rows before the built-in ones."""
    step = Step("calibrating", State.CONFIRMING, lambda _update, _stop: None)
    row = Row(Trigger.POLICY_ALLOWED, State.WAITING, State.DOWNLOAD_FAILED, (damages_left,))
    extension = Extension((step,), (row,))
    calibrating = explain(replace(UPDATE, state=step.state), [], [], extension)
    assert [each["state"] for each in calibrating.following if each["trigger"] == "step_done"] == [State.CONFIRMING]
    assert "--extension" not in calibrating.advice[-1]
    installing = explain(replace(UPDATE, state=State.INSTALLING), [], [], extension)
    assert step.state in {each["state"] for each in installing.following}
    waiting = explain(UPDATE, [], [], extension).following
    assert [each["state"] for each in waiting if each["trigger"] == "policy_allowed"] == [
        State.DOWNLOAD_FAILED,
        State.DOWNLOADING,
    ]


def test_it_fits_into_a_line() -> None:
    """For the supervisor's status."""
    assert in_a_line(None) == "no update yet"
    busy = replace(UPDATE, state=State.DOWNLOADING, progress=Progress(50, 100))
    assert in_a_line(busy) == "update update-1: downloading, 50 % at the last entry"
    waiting = replace(UPDATE, reason="retry", failure=Failure("x", "long story", Kind.TRANSIENT))
    assert in_a_line(waiting) == "update update-1: waiting, waits (retry), x"
