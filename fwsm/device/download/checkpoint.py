"""Makes the bytes of a part safe while more of them come.

A checkpoint syncs the part and then writes, atomically, a record that says how many bytes are safe. It runs in a
thread of its own, since a sync in the loading thread costs nearly half of the speed. One is under way at a time: when
the next falls due, the loading waits for the last. So never more than two intervals of bytes are at stake.
"""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fwsm.device.download.header import Validator

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from fwsm.device.durable import Disk

__all__ = ["Checkpoints", "Record"]

_FORMAT: Final = 1
_MOST_RECORD_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a part: the small JSON file beside it.

    Attributes:
        boot_id: the boot that wrote the bytes behind `safe_bytes`.
        safe_bytes: how many bytes at the beginning have been synced.
        total_bytes: the size of the object; None while the server has not said.
        validator: the version of the object.
        renewed: whether an earlier part of this object was whole and had a wrong digest.
    """

    boot_id: str
    safe_bytes: int = 0
    total_bytes: int | None = None
    validator: Validator = field(default_factory=Validator)
    renewed: bool = False

    def encode(self) -> bytes:
        """The content of the file."""
        return json.dumps(
            {
                "format": _FORMAT,
                "bootId": self.boot_id,
                "safeBytes": self.safe_bytes,
                "totalBytes": self.total_bytes,
                "etag": self.validator.tag,
                "lastModified": self.validator.modified,
                "renewed": self.renewed,
            }
        ).encode()

    @classmethod
    def read(cls, path: Path, disk: Disk) -> Record | None:
        """Read the file; None if it is missing or not ours, and then the part is worth nothing."""
        try:
            with disk.read(path) as file:
                fields = json.loads(file.read(_MOST_RECORD_BYTES))
            known = fields["format"] == _FORMAT
            boot_id, safe, total = fields["bootId"], fields["safeBytes"], fields["totalBytes"]
            validator = Validator.stored(fields["etag"], fields["lastModified"])
            renewed = fields["renewed"]
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
        fits = known and isinstance(boot_id, str) and isinstance(renewed, bool)
        if not fits or not _is_size(safe) or not (total is None or _is_size(total)):
            return None
        return cls(boot_id, safe, total, validator, renewed)


class Checkpoints:
    """The checkpoints of one open part. All methods belong to the loading thread.

    Attributes:
        record: what the record on disk says.
        asked_bytes: up to where the newest checkpoint reaches, done or under way.
    """

    def __init__(self, disk: Disk, file: FileIO, path: Path, record: Record) -> None:
        self.record = record
        self.asked_bytes = record.safe_bytes
        self._disk = disk
        self._file = file
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fwsm-checkpoint")
        self._pending: Future[Record] | None = None
        self._sync_failed = False

    def begin(self, record: Record) -> None:
        """Start to make `record.safe_bytes` bytes safe, once the last checkpoint is done.

        Raises:
            OSError: the last one failed.
        """
        self.finish()
        self.asked_bytes = record.safe_bytes
        self._pending = self._thread.submit(self._make_safe, record)

    def finish(self) -> None:
        """Wait for the checkpoint that is under way.

        Raises:
            OSError: it failed. If it was the sync, the part has been cut back to what is safe.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            self._settle(pending)

    def poll(self) -> None:
        """Take note of a checkpoint that is done by now; raises as `finish` does."""
        if self._pending is not None and self._pending.done():
            self.finish()

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()

    def _settle(self, pending: Future[Record]) -> None:
        try:
            self.record = pending.result()
        except OSError:
            if self._sync_failed:
                # Linux calls such pages clean although they never reached the disk.
                with suppress(OSError):
                    self._disk.truncate(self._file, self.record.safe_bytes)
            raise

    def _make_safe(self, record: Record) -> Record:
        self._sync_failed = True
        self._disk.sync(self._file)
        self._sync_failed = False
        self._disk.write_file(self._path, record.encode())
        return record


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
