"""What the new database knows of the lost one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fwsm.core.moment import Moment
from fwsm.store import Store
from fwsm.store.loss import DAMAGED, LOST, Loss, read_incident, read_loss, write_loss
from fwsm.store.prepared import reading, writing

if TYPE_CHECKING:
    from pathlib import Path

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")


def test_the_last_loss_is_known(tmp_path: Path) -> None:
    """One after the other; before the first there is none."""
    with Store(tmp_path) as store, writing(store._connection, "cannot write") as driver:
        assert read_loss(driver) is None
        for name in ("fwsm.db.damaged-1-x", "fwsm.db.damaged-2-x", None):
            write_loss(driver, Loss(name, None), None, NOW, "it was lost")
        assert read_loss(driver) == "fwsm.db.damaged-2-x"


@pytest.mark.parametrize(("name", "code"), [("fwsm.db.damaged-1-x", "storeDamaged"), (None, "storeLost")])
def test_it_is_told_in_line_with_all_reports(tmp_path: Path, name: str | None, code: str) -> None:
    """Small, and always the same two values."""
    with Store(tmp_path) as store:
        with writing(store._connection, "cannot write") as driver:
            write_loss(driver, Loss(name, None), None, NOW, "it was lost")
        (report,) = store.outbox().pending()
        told = {"code": code, "at": "2026-05-04T12:00:00.000Z"}
        assert report.patch == {"iothubDM": {"firmwareUpdate": {"incident": told}}}


def test_the_newest_incident_of_the_twin_is_known(tmp_path: Path) -> None:
    """Of those that the twin is told of; others may come after it."""
    with Store(tmp_path) as store, reading(store._connection, "cannot read") as driver:
        assert read_incident(driver) is None
        store.note("hookFailed", "no", NOW)
        assert read_incident(driver) is None
        for code in (DAMAGED, LOST, "hookFailed"):
            store.note(code, "no", NOW)
        assert read_incident(driver) == (LOST, NOW.wall)
