"""What a twin's section says of an update, whatever stands there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.recall import recall, witnessed
from fwsm.core.twin import section, wrapped
from fwsm.core.update import Artifact, Failure, Probe, Progress, Request, State, Update
from fwsm.errors import Kind

_words = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=20)
_walls = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
_counts = st.integers(1, 2**31)
UPDATE = Update(id="u1", request=Request("https://images.example/fw"), state=State.DOWNLOADING, boot_id="")
IMAGE = Artifact("ab" * 32, 7)


@st.composite
def _updates(draw: st.DrawFn) -> Update:
    """Updates as far as the twin shows them."""
    state = draw(st.sampled_from(State))
    return Update(
        id=draw(_words),
        request=Request(f"https://images.example/{draw(_words)}", version=draw(st.none() | _words)),
        state=state,
        boot_id="",
        attempt=draw(_counts),
        resumed=draw(_counts),
        failure=draw(st.none() | st.builds(Failure, _words, _words, st.just(Kind.NEEDS_OPERATOR))),
        rolled_back=state is State.APPLY_FAILED and draw(st.booleans()),
        reason=draw(st.none() | _words),
        until=draw(st.none() | _walls),
        progress=draw(st.none() | st.builds(Progress, _counts, st.none() | _counts)),
        started_waiting_at=draw(st.none() | _walls),
        download_complete_at=draw(st.none() | _walls),
        started_applying_at=draw(st.none() | _walls),
        applied_at=draw(_walls) if state is State.APPLY_COMPLETE else None,
    )


@given(update=_updates())
def test_what_was_shown_is_recalled(update: Update) -> None:
    """Through JSON, and through a hub that drops what is null."""
    shown = {name: value for name, value in section(update).items() if value is not None}
    assert recall(json.loads(json.dumps(wrapped(shown)))) == update


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(value=_json, name=st.sampled_from(sorted(section(UPDATE))))
def test_any_value_is_borne(value: Any, name: str) -> None:
    """One property of a good section is anything; what comes out can be shown again."""
    good = section(UPDATE) | {"lastFirmwareUpdate": None}
    found = recall(wrapped(good | {name: value}))
    assert found is None or section(found)


@given(value=_json)
def test_any_section_is_borne(value: Any) -> None:
    """Whatever stands where the section belongs."""
    for reported in ({}, {"iothubDM": value}, {"iothubDM": {"firmwareUpdate": value}}):
        assert recall(reported) is None


@pytest.mark.parametrize(
    "change",
    [
        {"updateId": None},
        {"updateId": ""},
        {"updateId": "a\nb"},
        {"fwPackageUri": None},
        {"fwPackageUri": "https://[x/"},
        {"status": "levitating"},
        {"status": 7},
        {"status": "applying"},
        {"status": "waiting", "substatus": "installing"},
        {"substatus": 7},
    ],
)
def test_without_id_address_or_state_it_is_no_update(change: dict[str, Any]) -> None:
    """The tutorial's own device, for one, tells no id."""
    assert recall(wrapped(section(UPDATE) | change)) is None


@pytest.mark.parametrize("time", ["", "soon", "2026-01-01T00:00:00", 7, "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_none_is_left_out(time: object) -> None:
    """It decides nothing."""
    found = recall(wrapped(section(UPDATE) | {"startedWaitingTime": time}))
    assert found == replace(UPDATE, started_waiting_at=None)


@pytest.mark.usefixtures("elsewhere")
def test_times_are_utc() -> None:
    """Whoever wrote them with an offset, as only another program would."""
    found = recall(wrapped(section(UPDATE) | {"startedWaitingTime": "2026-01-01T02:00:00+02:00"}))
    assert found is not None
    assert found.started_waiting_at is not None
    assert found.started_waiting_at.isoformat() == "2026-01-01T00:00:00+00:00"


def test_an_update_that_was_rolled_back_stays_so() -> None:
    """The substatus of a failure is no state of its own."""
    update = replace(UPDATE, state=State.APPLY_FAILED, failure=Failure("health", "", Kind.NEEDS_OPERATOR))
    assert section(replace(update, rolled_back=True))["substatus"] == "rolledBack"
    for rolled_back in (True, False):
        assert recall(wrapped(section(replace(update, rolled_back=rolled_back)))) == replace(
            update, rolled_back=rolled_back
        )


@pytest.mark.parametrize(
    ("told", "attempt"),
    [(1, 1), (2**63 - 1, 2**63 - 1), (2**63, 1), (-1, 1), (True, 1), ("2", 1), (2.0, 1), (None, 1)],
)
def test_a_count_is_a_number_that_the_database_takes(told: object, attempt: int) -> None:
    """Anything else is a first attempt."""
    found = recall(wrapped(section(UPDATE) | {"attempt": told, "progress": {"bytes": 0}}))
    assert found == replace(UPDATE, attempt=attempt, progress=Progress(0, None))


@pytest.mark.parametrize(("length", "kept"), [(4096, True), (4097, False)])
def test_a_text_is_as_long_as_the_hub_allows(length: int, kept: bool) -> None:
    """No hub holds a longer one, so it is not the hub's."""
    found = recall(wrapped(section(UPDATE) | {"fwVersion": "1" * length}))
    assert found == replace(UPDATE, request=replace(UPDATE.request, version="1" * length if kept else None))


def test_the_time_of_an_earlier_update_is_not_taken_for_this_one() -> None:
    """The twin keeps it until the next one has worked."""
    found = recall(wrapped(section(UPDATE) | {"lastFirmwareUpdate": "2026-01-01T00:00:00.000Z"}))
    assert found == UPDATE


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("probe", [None, *Probe])
def test_the_slots_outrank_the_twin(state: State, probe: Probe | None) -> None:
    """An image in its slot puts an update behind the installation, unless the twin knows of what came after."""
    until = datetime(2026, 1, 1, tzinfo=UTC)
    told = replace(UPDATE, state=state, failure=Failure("c", "m", Kind.PERMANENT), reason="retry", until=until)
    found = witnessed(told, IMAGE, probe)
    assert (found.artifact, found.request.sha256) == (IMAGE, IMAGE.sha256)
    if probe is Probe.DONE and state not in {State.ROLLING_BACK, State.APPLY_COMPLETE, State.APPLY_FAILED}:
        assert (found.state, found.failure, found.reason, found.until) == (State.INSTALLING, None, None, None)
    else:
        assert (found.state, found.failure, found.reason, found.until) == (state, told.failure, "retry", until)


def test_without_a_witness_nothing_is_added() -> None:
    """An installer that keeps no account."""
    assert witnessed(UPDATE, None, Probe.NOT_BEGUN) == UPDATE
