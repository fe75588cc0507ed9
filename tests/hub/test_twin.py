"""The twin: merge, versions, metadata, etag."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.twin import Section, Twin

_keys = st.sampled_from(["a", "b", "c"])
_scalars = st.booleans() | st.integers(-5, 5) | st.sampled_from(["x", "y"]) | st.lists(st.integers(0, 3), max_size=2)
_patches = st.recursive(
    st.dictionaries(_keys, st.none() | _scalars, max_size=3),
    lambda inner: st.dictionaries(_keys, inner | st.none() | _scalars, max_size=3),
    max_leaves=8,
)


def _merge_patch(target: Any, patch: Any) -> Any:
    """JSON Merge Patch, as RFC 7396 writes it."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merge_patch(target.get(name), value)
    return target


def _shape(values: Any) -> Any:
    return {key: _shape(value) for key, value in values.items()} if isinstance(values, dict) else {}


def _metadata_shape(metadata: dict[str, Any]) -> Any:
    return {key: _metadata_shape(value) for key, value in metadata.items() if not key.startswith("$")}


@given(st.lists(_patches, max_size=6))
def test_patches_merge_as_json_merge_patch_does(patches: list[dict[str, Any]]) -> None:
    """Any series of patches leads where RFC 7396 leads, one version a patch, with metadata of the same shape."""
    twin = Twin.new(now=0)
    expected: dict[str, Any] = {}
    for patch in patches:
        twin = twin.with_reported(patch, None, now=1)
        expected = _merge_patch(expected, patch)
    assert twin.reported.values == expected
    assert twin.reported.version == 1 + len(patches)
    assert _metadata_shape(twin.reported.metadata) == _shape(expected)


@given(_patches, _patches)
def test_change_leaves_the_older_twin_alone(first: dict[str, Any], second: dict[str, Any]) -> None:
    """Whoever holds a twin sees no later change."""
    twin = Twin.new(now=0).with_change(first, first, now=1)
    before = copy.deepcopy(twin)
    twin.with_change(second, second, now=2)
    twin.with_reported(second, None, now=2)
    assert twin == before


@given(_patches, _patches)
def test_record_brings_the_twin_back(desired: dict[str, Any], reported: dict[str, Any]) -> None:
    """A twin survives being stored as JSON."""
    twin = Twin.new(now=0).with_change(desired, desired, now=1).with_reported(reported, None, now=2)
    assert Twin.from_record(json.loads(json.dumps(twin.record()))) == twin


def test_last_key_leaves_an_empty_object() -> None:
    """Deleting a leaf takes only the leaf; an empty object is a value."""
    section = Section.empty(now=0).patched("reported", {"a": {"b": 1}}, 1).patched("reported", {"a": {"b": None}}, 2)
    assert section.values == {"a": {}}


def test_arrays_replace_whole() -> None:
    """Arrays do not merge, also not those of objects."""
    section = Section.empty(now=0).patched("reported", {"a": [{"b": 1}, 2]}, 1)
    assert section.patched("reported", {"a": [{"c": 3}]}, 2).values == {"a": [{"c": 3}]}


def test_metadata_says_when_and_in_which_version() -> None:
    """A write stamps what it wrote and the way to it, and leaves the rest; only desired metadata has versions."""
    section = Section.empty(now=0).patched("desired", {"a": {"b": 1}, "c": 2}, 1).patched("desired", {"a": {"d": 3}}, 2)
    first = {"$lastUpdated": "1970-01-01T00:00:01.0000000Z", "$lastUpdatedVersion": 2}
    second = {"$lastUpdated": "1970-01-01T00:00:02.0000000Z", "$lastUpdatedVersion": 3}
    assert section.metadata == {**second, "a": {**second, "b": first, "d": second}, "c": first}
    assert "$lastUpdatedVersion" not in Section.empty(0).patched("reported", {"a": 1}, 1).metadata["a"]


def test_etag_moves_with_operators_and_not_with_reports() -> None:
    """A report never makes an operator's If-Match stale; a write to tags and desired at once counts once."""
    twin = Twin.new(now=0)
    assert twin.etag == "AAAAAAAAAAE="
    assert twin.with_reported({"a": 1}, None, now=1).etag == twin.etag
    assert twin.with_change({"a": 1}, {"a": 1}, now=1).etag == "AAAAAAAAAAI="
    assert twin.with_replacement({}, {}, now=1).etag == "AAAAAAAAAAI="


def test_replacement_wipes_what_it_does_not_name() -> None:
    """A replacement leaves nothing of the old tags and desired properties but the count of their version."""
    twin = Twin.new(now=0).with_change({"a": 1}, {"b": {"c": 1}}, now=1).with_replacement({"d": 1}, {"e": None}, now=2)
    assert (twin.tags, twin.desired.values, twin.desired.version) == ({"d": 1}, {}, 3)


def test_device_sees_neither_tags_nor_metadata() -> None:
    """The device's view has properties and versions only."""
    twin = Twin.new(now=0).with_change({"a": 1}, {"b": 2}, now=1).with_reported({"c": 3}, None, now=1)
    assert twin.device_document() == {"desired": {"b": 2, "$version": 2}, "reported": {"c": 3, "$version": 2}}


def test_report_on_a_stale_version_is_refused() -> None:
    """A device that names the version it builds on is protected from overwriting a newer one."""
    twin = Twin.new(now=0).with_reported({"a": 1}, 1, now=1)
    with pytest.raises(Refusal, match="version 2, not 1") as caught:
        twin.with_reported({"a": 2}, 1, now=2)
    assert caught.value.why is Why.PRECONDITION


def test_change_beyond_a_limit_changes_nothing() -> None:
    """Neither part of a change is taken when one breaks a limit."""
    twin = Twin.new(now=0)
    for tags, desired in (({"a": 1}, {"b.c": 1}), ({"b.c": 1}, {"a": 1}), ({"a": ["x" * 4096] * 2}, {})):
        with pytest.raises(Refusal):
            twin.with_change(tags, desired, now=1)
    assert twin == Twin.new(now=0)
