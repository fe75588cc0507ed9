"""The reported section as an operator reads it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.errors import UpdateFailedError, UpdateRolledBackError
from fwsm.service.section import Section


@pytest.mark.parametrize(
    "reported",
    [{}, {"iothubDM": None}, {"iothubDM": "x"}, {"iothubDM": {}}, {"iothubDM": {"firmwareUpdate": {}}}],
)
def test_twin_without_an_update_has_no_section(reported: dict[str, Any]) -> None:
    """Nothing reported, or something else in its place, is no section."""
    assert Section.of({"properties": {"reported": reported}}) is None


def test_section_of_our_device_is_read_whole() -> None:
    """Every field that the operator shows comes from the field of that name on the wire."""
    document = {
        "updateId": "u1",
        "status": "downloading",
        "substatus": "x",
        "reason": "outside the window",
        "until": "2026-11-23T22:00:00.000Z",
        "resumed": 2,
        "progress": {"bytes": 450, "totalBytes": 1000, "percent": 45},
        "error": {"code": "downloadInterrupted", "message": "it broke off"},
    }
    section = Section.of({"properties": {"reported": {"iothubDM": {"firmwareUpdate": document}}}})
    assert section is not None
    assert (section.update_id, section.status, section.substatus) == ("u1", "downloading", "x")
    assert (section.reason, section.until) == ("outside the window", "2026-11-23T22:00:00.000Z")
    assert (section.percent, section.resumed) == (45, 2)
    assert section.error == "downloadInterrupted: it broke off"
    assert not section.settled


@pytest.mark.parametrize("status", ["downloadFailed", "downloadfailed", "applyFailed", "applyComplete"])
def test_ends_are_settled_in_either_spelling(status: str) -> None:
    """The tutorial's code and its text write downloadFailed differently; both are an end."""
    assert Section({"status": status}).settled


@pytest.mark.parametrize("status", ["waiting", "downloading", "downloadComplete", "applying", "", "fine"])
def test_all_else_goes_on(status: str) -> None:
    """A status that is unknown does not end a watch."""
    assert not Section({"status": status}).settled


def test_success_is_silent() -> None:
    """An applied update raises nothing."""
    Section({"status": "applyComplete"}).require_success("d1")


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"status": "downloadfailed"}, UpdateFailedError),
        ({"status": "applyFailed"}, UpdateFailedError),
        ({"status": "applyFailed", "substatus": "rolledBack"}, UpdateRolledBackError),
    ],
)
def test_bad_end_is_raised_with_the_devices_reason(document: dict[str, Any], kind: type[UpdateFailedError]) -> None:
    """A failure and a roll-back are told apart, and both carry what the device said."""
    with pytest.raises(UpdateFailedError) as caught:
        Section(document | {"error": {"code": "slot", "message": "no room"}}).require_success("d1")
    assert type(caught.value) is kind
    assert caught.value.why == "slot: no room"


_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just({"percent": "x"})
_names = ["status", "substatus", "updateId", "reason", "until", "progress", "resumed", "error"]


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(_names, _values)))
def test_value_of_a_wrong_kind_counts_as_absent(document: dict[str, Any]) -> None:
    """A twin may hold anything; reading it never fails and gives texts and numbers."""
    section = Section(document)
    texts = (section.status, section.substatus, section.update_id, section.reason, section.until, section.error)
    assert all(isinstance(text, str) for text in texts)
    assert isinstance(section.resumed, int)
    assert section.percent is None or 0 <= section.percent <= 100
