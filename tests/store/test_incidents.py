"""What went wrong beside the update, kept for people, and not for ever."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fwsm.core.moment import Moment
from fwsm.store import Incident, Store

if TYPE_CHECKING:
    from pathlib import Path

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")


def test_what_went_wrong_is_kept_in_order(tmp_path: Path) -> None:
    """With the update it happened to, or without one; also for the next program."""
    with Store(tmp_path) as store:
        store.note("hookFailed", "it raised", NOW, "u1")
        store.note("storeLost", "it was damaged", NOW)
    with Store(tmp_path, read_only=True) as store:
        found = store.incidents()
        assert store.incidents(limit=1) == found[1:]
    assert found == [
        Incident(1, NOW.wall, NOW.boot_id, "u1", "hookFailed", "it raised"),
        Incident(2, NOW.wall, NOW.boot_id, None, "storeLost", "it was damaged"),
    ]


def test_old_incidents_are_forgotten(tmp_path: Path) -> None:
    """What keeps going wrong for years must not fill the disk."""
    with Store(tmp_path) as store:
        for number in range(203):
            store.note("hookFailed", str(number), NOW)
        found = store.incidents(limit=1000)
    assert [incident.message for incident in found] == [str(number) for number in range(3, 203)]


@pytest.mark.parametrize(("message", "kept"), [("x" * 5000, "x" * 4000), ("a\udcffb", "a?b")])
def test_any_message_can_be_kept(tmp_path: Path, message: str, kept: str) -> None:
    """An exception of the embedder may quote a whole file, or a file name that is no UTF-8."""
    with Store(tmp_path) as store:
        store.note("hookFailed", message, NOW)
        assert store.incidents()[0].message == kept
