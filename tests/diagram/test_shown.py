from __future__ import annotations

from fwsm.core.lifecycle import TABLE
from fwsm.core.update import State
from fwsm.diagram.shown import Shown


def test_twin_shows_the_target_of_every_row() -> None:
    """Status and substatus after a row are those of the state it leads to."""
    for row in TABLE:
        shown = Shown.after(row)
        if row.target is None:
            assert shown is None
        else:
            assert shown is not None
            assert shown.status == row.target.status
            assert row.target.substatus in {None, shown.substatus}


def test_twin_shows_the_failure_that_a_row_names() -> None:
    """A row with a failure of its own shows the code of it, one without shows none."""
    for row in TABLE:
        shown = Shown.after(row)
        if shown is not None:
            assert shown.error == (row.failure.code if row.failure else None)


def test_twin_shows_that_the_old_firmware_runs() -> None:
    """A failed update whose old firmware runs again says so in its substatus."""
    fell_back = [row for row in TABLE if row.source is State.CONFIRMING and row.target is State.APPLY_FAILED]
    assert [Shown.after(row) for row in fell_back] == [Shown("applyFailed", "rolledBack", "bootFellBack")]
