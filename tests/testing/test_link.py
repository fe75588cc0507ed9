"""The hub in memory."""

from __future__ import annotations

import pytest

from fwsm.device.ports import Message, Twin
from fwsm.errors import LinkError
from fwsm.testing.link import MemoryLink


def test_a_patch_is_merged_as_iot_hub_merges_it() -> None:
    """Objects merge, null deletes, everything else replaces, also an object by a value and a value by an object."""
    link = MemoryLink()
    link.report({"a": {"b": 1, "c": {"d": 2}}, "e": 1, "f": {"g": 1}})
    link.report({"a": {"b": None, "c": {"x": 3}}, "e": {"y": None, "z": 4}, "f": 5, "h": None})
    assert link.twin == {"a": {"c": {"d": 2, "x": 3}}, "e": {"z": 4}, "f": 5}


def test_failures_come_once_each_and_apply_nothing() -> None:
    """Then the hub is well again."""
    link = MemoryLink()
    link.failures = [LinkError("first"), LinkError("second")]
    for what in ("first", "second"):
        with pytest.raises(LinkError, match=what):
            link.report({"a": 1})
    assert link.twin == {}
    link.report({"a": 1})
    assert link.twin == {"a": 1}


def test_a_lost_answer_applies_the_patch() -> None:
    """The device cannot know, and sends it again."""
    link = MemoryLink()
    link.lost_answers = 1
    with pytest.raises(LinkError):
        link.report({"a": 1})
    link.report({"a": 1})
    assert link.patches == [{"a": 1}, {"a": 1}]


def test_statuses_are_shown_without_repetitions_in_a_row() -> None:
    """A status that comes back later counts again; patches without one do not."""
    link = MemoryLink()
    assert link.section == {}
    for part in ({"status": "waiting"}, {"attempt": 1}, {"status": "waiting"}, {"status": "x"}, {"status": "waiting"}):
        link.report({"iothubDM": {"firmwareUpdate": part}})
    assert link.statuses == ["waiting", "x", "waiting"]
    assert link.section == {"status": "waiting", "attempt": 1}


def test_the_twin_is_delivered_at_the_start_and_after_each_change_of_a_desired_property() -> None:
    """As it is then: what changes later does not show in what was delivered."""
    link = MemoryLink()
    delivered: list[Message] = []
    link.report({"a": {"b": 1}})
    link.start(delivered.append)
    link.report({"a": {"b": 2}})
    link.desire({"x": 1})
    assert delivered == [
        Twin(desired={"$version": 1}, reported={"a": {"b": 1}}),
        Twin(desired={"$version": 2, "x": 1}, reported={"a": {"b": 2}}),
    ]
    link.stop()
    link.desire({"x": None})
    assert len(delivered) == 2
    assert link.desired == {"$version": 3}
