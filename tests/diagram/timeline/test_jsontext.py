from __future__ import annotations

import json

from fwsm.diagram.timeline.jsontext import text
from tests.diagram.journeys import GOOD, told


def test_an_update_is_told_to_programs() -> None:
    """Each entry with what was made of it, and what went wrong beside."""
    drawn = json.loads(text(told(*GOOD, told_up_to=7, incidents=[(12, "it raised")])))
    assert (drawn["updateId"][:8], drawn["fwVersion"], drawn["state"]) == ("0c8e88e7", "2.0", "applyComplete")
    assert (drawn["asOf"], drawn["whole"], len(drawn["entries"])) == ("2026-05-04T12:00:50+00:00", True, 9)
    assert drawn["entries"][2] == {
        "number": 3,
        "at": "2026-05-04T12:00:04+00:00",
        "state": "downloading",
        "trigger": "download_failed",
        "attempt": 1,
        "error": "downloadInterrupted",
        "seconds": 5.0,
        "sign": "retry",
        "rebooted": False,
        "reported": True,
    }
    assert [entry["number"] for entry in drawn["entries"] if not entry["reported"]] == [8, 9]
    assert drawn["incidents"] == [{"at": "2026-05-04T12:00:12+00:00", "code": "hookFailed", "message": "it raised"}]
    assert json.loads(text(told()))["entries"] == []
