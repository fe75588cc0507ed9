"""The device twin: a document of tags, desired and reported properties. Pure; a change makes a new twin.

- A change merges into a section: objects merge key by key, everything else replaces, and null deletes.
- What is deleted takes nothing with it: an object whose last key goes stays, empty. Arrays replace whole.
- `$version` of desired and of reported grows by one with every accepted write, also one that changes nothing.
- `$metadata` mirrors the section and says when (desired: also in which version) each part was last written.
- The etag moves when tags or desired properties are written, never when the device reports.

Values are never changed in place, so a twin that someone holds stays what it was, in any thread.
Source: "Understand and use device twins in IoT Hub".
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from fwsm.hub.limits import check_section, check_values
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.timestamp import timestamp

__all__ = ["JsonObject", "Section", "Twin"]

JsonObject: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Section:
    """Desired or reported properties.

    Attributes:
        values: the properties.
        metadata: the same tree, of times (and versions).
        version: `$version`.
    """

    values: JsonObject
    metadata: JsonObject
    version: int = 1

    @classmethod
    def empty(cls, now: float) -> Section:
        """Return the section of a new twin."""
        return cls({}, {"$lastUpdated": timestamp(now)})

    def patched(self, name: str, patch: JsonObject, now: float) -> Section:
        """Return this section with `patch` merged in.

        Raises:
            Refusal: 400004, the patch or its outcome breaks a limit.
        """
        check_values(name, patch)
        version = self.version + 1
        stamp = _stamp(name, version, now)
        values, metadata = _merged(self.values, self.metadata, patch, stamp)
        check_section(name, values)
        return Section(values, metadata, version)

    def replaced(self, name: str, values: JsonObject, now: float) -> Section:
        """Return a section that holds `values` and nothing else, and is younger than this one.

        Raises:
            Refusal: 400004, the values break a limit.
        """
        return Section({}, {}, self.version).patched(name, values, now)

    def document(self) -> JsonObject:
        """Return the section as a device reads it."""
        return {**self.values, "$version": self.version}

    def full_document(self) -> JsonObject:
        """Return the section as an operator reads it."""
        return {**self.values, "$metadata": self.metadata, "$version": self.version}


@dataclass(frozen=True, slots=True)
class Twin:
    """The twin of one device.

    Attributes:
        tags: seen by operators only.
        version: counts every write to any section.
        writes: counts the writes to tags and desired; the etag is made of it.
    """

    desired: Section
    reported: Section
    tags: JsonObject = field(default_factory=dict)
    version: int = 1
    writes: int = 1

    @classmethod
    def new(cls, now: float) -> Twin:
        """Return the twin of a device that was just created."""
        return cls(Section.empty(now), Section.empty(now))

    @property
    def etag(self) -> str:
        """The number of writes as eight bytes in base64; a new twin has AAAAAAAAAAE=."""
        return base64.b64encode(self.writes.to_bytes(8, "big")).decode()

    def device_document(self) -> JsonObject:
        """Return the twin as the device reads it: no tags, no metadata."""
        return {"desired": self.desired.document(), "reported": self.reported.document()}

    def with_reported(self, patch: JsonObject, base_version: int | None, now: float) -> Twin:
        """Return the twin after a report of the device.

        Raises:
            Refusal: 400004, a limit; 412001, `base_version` is not the version of the reported properties.
        """
        if base_version not in {None, self.reported.version}:
            raise Refusal(
                Why.PRECONDITION,
                f"The reported properties have version {self.reported.version}, not {base_version}.",
            )
        reported = self.reported.patched("reported", patch, now)
        return Twin(self.desired, reported, self.tags, self.version + 1, self.writes)

    def with_change(self, tags: JsonObject | None, desired: JsonObject | None, now: float) -> Twin:
        """Return the twin after an operator's merge into tags and desired properties; None leaves a part alone.

        Raises:
            Refusal: 400004, a limit.
        """
        return replace(
            self,
            tags=self.tags if tags is None else _tagged(self.tags, tags),
            desired=self.desired if desired is None else self.desired.patched("desired", desired, now),
            version=self.version + 1,
            writes=self.writes + 1,
        )

    def with_replacement(self, tags: JsonObject, desired: JsonObject, now: float) -> Twin:
        """Return the twin with other tags and desired properties; raises Refusal 400004 at a limit."""
        return replace(
            self,
            tags=_tagged({}, tags),
            desired=self.desired.replaced("desired", desired, now),
            version=self.version + 1,
            writes=self.writes + 1,
        )

    def record(self) -> JsonObject:
        """Return the twin as it is stored."""
        return {
            "tags": self.tags,
            "desired": self.desired.full_document(),
            "reported": self.reported.full_document(),
            "version": self.version,
            "writes": self.writes,
        }

    @classmethod
    def from_record(cls, record: JsonObject) -> Twin:
        """Return the twin that `record` was made of."""
        desired, reported = (_section_from(record[name]) for name in ("desired", "reported"))
        return cls(desired, reported, record["tags"], record["version"], record["writes"])


def _section_from(document: JsonObject) -> Section:
    values = {key: value for key, value in document.items() if not key.startswith("$")}
    return Section(values, document["$metadata"], document["$version"])


def _tagged(tags: JsonObject, patch: JsonObject) -> JsonObject:
    check_values("tags", patch)
    merged, _ = _merged(tags, {}, patch, {})
    check_section("tags", merged)
    return merged


def _stamp(name: str, version: int, now: float) -> JsonObject:
    stamp: JsonObject = {"$lastUpdated": timestamp(now)}
    return {**stamp, "$lastUpdatedVersion": version} if name == "desired" else stamp


def _merged(
    values: JsonObject, metadata: JsonObject, patch: JsonObject, stamp: JsonObject
) -> tuple[JsonObject, JsonObject]:
    """Return `values` and their metadata with `patch` merged in. A node on the way to a change is stamped as well."""
    values, metadata = dict(values), {**metadata, **stamp}
    for key, change in patch.items():
        if change is None:
            values.pop(key, None)
            metadata.pop(key, None)
        elif isinstance(change, dict):
            old = values.get(key)
            below = metadata.get(key, {}) if isinstance(old, dict) else {}
            values[key], metadata[key] = _merged(old if isinstance(old, dict) else {}, below, change, stamp)
        else:
            values[key], metadata[key] = change, stamp
    return values, metadata
