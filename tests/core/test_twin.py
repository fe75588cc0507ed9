"""What the twin shows."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.request import parse_request
from fwsm.core.twin import changed, incident, progress_patch, section, shown_uri, wrapped
from fwsm.core.update import Failure, Progress, Request, State, Update
from fwsm.errors import Kind

URI = "https://images.example/fw-1.2.bin"
DIGEST = "0123456789abcdef" * 4
WALL = datetime(2026, 5, 4, 12, 30, 15, 123456, tzinfo=UTC)
UPDATE = Update(id="u1", request=Request(URI), state=State.WAITING, boot_id="boot-1", started_waiting_at=WALL)


def test_an_incident_is_told_by_its_code_and_time() -> None:
    """What went wrong beside the update; its text stays on the device."""
    assert incident("hookFailed", WALL) == {"incident": {"code": "hookFailed", "at": "2026-05-04T12:30:15.123Z"}}


# -- what is shown -----------------------------------------------------------------------------------------------------


def test_section_shows_the_tutorials_properties_and_ours() -> None:
    """Each by its wire name; times are ISO 8601 in UTC with milliseconds."""
    update = replace(
        UPDATE,
        request=Request(f"{URI}?sig=secret", DIGEST, "1.2"),
        state=State.CONFIRMING,
        attempt=2,
        resumed=3,
        failure=Failure("health", "it does not answer", Kind.PERMANENT),
        reason="retry",
        until=WALL,
        progress=Progress(50, 100),
        download_complete_at=WALL,
        started_applying_at=WALL,
        applied_at=WALL,
    )
    time = "2026-05-04T12:30:15.123Z"
    assert section(update) == {
        "updateId": "u1",
        "fwPackageUri": URI,
        "fwVersion": "1.2",
        "status": "applying",
        "substatus": "confirming",
        "error": {"code": "health", "message": "it does not answer"},
        "reason": "retry",
        "until": time,
        "progress": {"bytes": 50, "totalBytes": 100, "percent": 50},
        "attempt": 2,
        "resumed": 3,
        "startedWaitingTime": time,
        "downloadCompleteTime": time,
        "startedApplyingImage": time,
        "lastFirmwareUpdate": time,
    }


def test_rolled_back_update_says_so() -> None:
    """`applyFailed` alone does not tell whether the old firmware runs."""
    failed = replace(UPDATE, state=State.APPLY_FAILED)
    assert section(failed)["substatus"] is None
    assert section(replace(failed, rolled_back=True))["substatus"] == "rolledBack"
    assert section(replace(failed, state=State.ROLLING_BACK, rolled_back=True))["substatus"] == "rollingBack"


def test_first_patch_is_the_whole_section() -> None:
    """What an older update left on the twin is overwritten or removed."""
    assert changed(None, UPDATE) == section(UPDATE)
    older = replace(UPDATE, id="u0")
    assert changed(older, UPDATE) == section(UPDATE)


def test_patch_holds_only_what_changed() -> None:
    """Reports are metered, and small ones fold better."""
    assert changed(UPDATE, replace(UPDATE, state=State.DOWNLOADING)) == {"status": "downloading"}
    assert changed(UPDATE, replace(UPDATE, boot_id="boot-2")) == {}


def test_progress_is_said_again_when_a_download_ends() -> None:
    """The twin was told more of it meanwhile than the record knows, and must not keep that for ever."""
    loading = replace(UPDATE, state=State.DOWNLOADING, progress=Progress(7, 10))
    shown = {"bytes": 7, "totalBytes": 10, "percent": 70}
    assert changed(loading, replace(loading, state=State.DOWNLOAD_FAILED)) == {
        "status": "downloadFailed",
        "progress": shown,
    }
    assert changed(loading, replace(loading, attempt=2)) == {"attempt": 2, "progress": shown}
    nothing = replace(loading, progress=None)
    assert changed(nothing, replace(nothing, attempt=2)) == {"attempt": 2, "progress": None}


def test_reason_fits_whatever_a_policy_says() -> None:
    """It may be the embedder's own text."""
    shown = section(replace(UPDATE, reason="x" * 5000 + "\udcff"))["reason"]
    assert shown == "x" * 127 + "…"
    assert section(replace(UPDATE, reason="no \udcff"))["reason"] == "no  "


def test_patches_go_where_the_tutorial_reads_them() -> None:
    """The section is `iothubDM.firmwareUpdate`; progress is one part of it."""
    assert wrapped(progress_patch(Progress(1, 4))) == {
        "iothubDM": {"firmwareUpdate": {"progress": {"bytes": 1, "totalBytes": 4, "percent": 25}}}
    }


_times = st.none() | st.datetimes(timezones=st.just(UTC))
_failures = st.none() | st.builds(Failure, st.sampled_from(["a", "b"]), st.text(), st.sampled_from(Kind))
_progress = st.none() | st.builds(Progress, st.integers(0, 9), st.none() | st.integers(1, 9))
_updates = st.builds(
    Update,
    id=st.sampled_from(["u1", "u2"]),
    request=st.builds(Request, st.sampled_from([URI, "https://h/2?sig=x"]), version=st.none() | st.text(max_size=9)),
    state=st.sampled_from(State),
    boot_id=st.just("boot-1"),
    attempt=st.integers(1, 3),
    resumed=st.integers(0, 3),
    failure=_failures,
    rolled_back=st.booleans(),
    reason=st.sampled_from([None, "retry", "window"]),
    until=_times,
    progress=_progress,
    started_waiting_at=_times,
    download_complete_at=_times,
    started_applying_at=_times,
    applied_at=_times,
)


def _merged(twin: Any, patch: Any) -> Any:
    """As IoT Hub merges a patch: null removes, objects are merged, everything else takes the old value's place."""
    if not isinstance(patch, dict):
        return patch
    old = twin if isinstance(twin, dict) else {}
    names = [name for name in old | patch if patch.get(name, ...) is not None]
    return {name: _merged(old.get(name), patch[name]) if name in patch else old[name] for name in names}


@given(updates=st.lists(_updates, min_size=1, max_size=8))
def test_patches_in_order_make_the_section(updates: list[Update]) -> None:
    """After each patch the twin shows the record as it is, and when the last update before it was applied."""
    twin: dict[str, Any] = {}
    last_applied = None
    for before, after in zip([None, *updates], updates, strict=False):
        twin = _merged(twin, changed(before, after))
        shown = _merged({}, section(after))
        last_applied = shown.get("lastFirmwareUpdate", last_applied)
        assert twin == shown | ({"lastFirmwareUpdate": last_applied} if last_applied else {})


@given(update=_updates, message=st.text(min_size=900, max_size=1100), version=st.text(max_size=128))
def test_section_fits_into_a_twin(update: Update, message: str, version: str) -> None:
    """No text over 4 KB, no key that IoT Hub refuses, and together far from the 32 KB of reported properties."""
    request = parse_request({"fwPackageUri": "https://h/" + "a" * 1990})
    update = replace(
        update,
        request=replace(request, version=version),
        failure=Failure("internal", message * 100, Kind.PERMANENT),
    )
    whole = wrapped(section(update))
    assert len(json.dumps(whole, ensure_ascii=False).encode()) < 16 * 1024

    def check(value: object) -> None:
        if isinstance(value, str):
            assert len(value.encode()) <= 4096
        if isinstance(value, dict):
            for name, inner in value.items():
                assert re.fullmatch("[A-Za-z]+", name)
                check(inner)

    check(whole)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        (URI, URI),
        (f"{URI}?sig=secret&se=1", URI),
        (f"{URI}#secret", URI),
        ("https://user:secret@images.example:8443/fw", "https://images.example:8443/fw"),
        ("https://secret@images.example", "https://images.example"),
        ("https://images.example/a;secret?x", "https://images.example/a;secret"),
    ],
)
def test_shown_uri_has_no_secret(uri: str, shown: str) -> None:
    """User, password, query and fragment stay on the device; the path is what tells images apart."""
    assert shown_uri(uri) == shown
    assert section(replace(UPDATE, request=Request(uri)))["fwPackageUri"] == shown


def test_long_message_is_cut_where_one_sees_it() -> None:
    """A cut text ends in an ellipsis, and control characters do not reach the twin."""
    failure = Failure("internal", "a\n" * 1000, Kind.PERMANENT)
    message = section(replace(UPDATE, failure=failure))["error"]["message"]
    assert message == "a " * 499 + "a" + "…"
