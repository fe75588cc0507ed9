"""The half-loaded file: which of its bytes count, and how it becomes the image.

A part may be longer than what is safe. After a crash of the process that does no harm: the kernel has every byte that
was written. After a power cut the end of the file may be anything. So the record names the boot that wrote the part.
In that boot all of its length counts; in a later one only what the record calls safe, and the rest is cut off.

The bytes that count are read once more when a part is opened, because the state of a hash cannot be stored. That they
are the right ones is proved at the very end: only what has the right digest gets the name of an image.
"""

from __future__ import annotations

import hashlib
import re
import stat
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from fwsm.core.update import Artifact, Progress
from fwsm.device.download.checkpoint import Checkpoints, Record
from fwsm.device.download.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.update import Update
    from fwsm.device.download.header import Validator
    from fwsm.device.durable import Disk

__all__ = ["Part", "Place"]

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the files of one update are.

    Attributes:
        directory: the directory of all downloads.
        key: what the names begin with: the digest, so that a second update to the same image finds what there is; or
            the update's id if no digest was given.
    """

    directory: Path
    key: str

    @classmethod
    def of(cls, update: Update, directory: Path) -> Place:
        """The place of an update."""
        key = update.request.sha256 or update.id
        # Ids come from outside as well; one that is no plain name must not lead out of the directory.
        return cls(directory, key if _PLAIN.fullmatch(key) else hashlib.sha256(key.encode()).hexdigest())

    @property
    def part(self) -> Path:
        """The half-loaded file."""
        return self.directory / f"{self.key}.part"

    @property
    def record(self) -> Path:
        """What is known of it."""
        return self.directory / f"{self.key}.part.json"

    @property
    def image(self) -> Path:
        """The finished file."""
        return self.directory / f"{self.key}.image"

    def progress(self, disk: Disk, boot_id: str) -> Progress:
        """What is on disk, without reading it."""
        if (size := _size(self.image)) is not None:
            return Progress(size, size)
        record = Record.read(self.record, disk)
        return Progress(_counting(self, record, boot_id), record.total_bytes if record else None)


class Part:
    """An open part; a context manager. Every method may raise OSError.

    Args:
        place: where it is.
        disk: through which it is changed.
        boot_id: the present boot.
        check: called now and then while the bytes on disk are read; may raise.

    Attributes:
        whole: whether all of its bytes came in one answer.
    """

    def __init__(self, place: Place, disk: Disk, boot_id: str, check: Callable[[], None]) -> None:
        self._place = place
        self._disk = disk
        self._digest = Digest()
        record = Record.read(place.record, disk)
        counting = _counting(place, record, boot_id)
        _make_way(place.part, disk)
        self.whole = False
        self._discarded = False
        self._file = disk.create(place.part)
        self._checkpoints = Checkpoints(disk, self._file, place.record, record or Record(boot_id))
        try:
            self._digest.add_file(self._file, counting, check)
            if record is None or record.boot_id != boot_id or record.safe_bytes != self.size_bytes:
                # First the doubtful bytes go, then the record may say that this boot wrote all there is. What an
                # earlier process of this boot wrote and did not sync counts, so it is synced now: what is told of the
                # progress never goes back behind what was on disk when the download went on.
                self._disk.truncate(self._file, self.size_bytes)
                self._write_record(replace(self.record, boot_id=boot_id, safe_bytes=self.size_bytes))
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; what is not safe yet may get lost."""
        self._checkpoints.close()
        self._file.close()

    @property
    def record(self) -> Record:
        """What its record on disk says."""
        return self._checkpoints.record

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return self._digest.bytes

    @property
    def is_complete(self) -> bool:
        """Whether it has as many bytes as the object."""
        return self.size_bytes == self.record.total_bytes

    @property
    def artifact(self) -> Artifact:
        """Digest and size of what it has."""
        return Artifact(self._digest.sha256, self.size_bytes)

    def begin(self, total_bytes: int | None, validator: Validator, *, renewed: bool = False) -> None:
        """Throw away what there is and begin with this version of the object."""
        self._checkpoints.finish()
        self._disk.truncate(self._file, 0)
        self._digest = Digest()
        self.whole = True
        renewed = renewed or self.record.renewed
        self._write_record(Record(self.record.boot_id, 0, total_bytes, validator, renewed))

    def go_on(self, total_bytes: int | None) -> None:
        """Go on behind what there is; the server has said how large the object is."""
        self.whole = False
        if total_bytes != self.record.total_bytes:
            self._write_record(replace(self.record, total_bytes=total_bytes, safe_bytes=self.size_bytes))

    def end(self) -> None:
        """Nothing comes behind what there is."""
        self._write_record(replace(self.record, total_bytes=self.size_bytes, safe_bytes=self.size_bytes))

    def append(self, piece: bytes | bytearray | memoryview) -> None:
        """Write and hash the next bytes."""
        self._disk.write(self._file, piece, self.size_bytes)
        self._digest.add(piece)

    @property
    def unasked_bytes(self) -> int:
        """How many bytes no checkpoint covers, not even one under way."""
        return self.size_bytes - self._checkpoints.asked_bytes

    def checkpoint(self) -> None:
        """Begin to make all of it safe."""
        self._checkpoints.begin(replace(self.record, safe_bytes=self.size_bytes))

    def poll(self) -> Progress:
        """What is safe by now."""
        self._checkpoints.poll()
        return Progress(self.record.safe_bytes, self.record.total_bytes)

    def secure(self) -> None:
        """Make all of it safe and return when it is; nothing happens if it has been thrown away."""
        self._checkpoints.finish()
        if self.unasked_bytes and not self._discarded:
            self.checkpoint()
            self._checkpoints.finish()

    def keep(self) -> None:
        """Make it the image."""
        self.secure()
        _make_way(self._place.image, self._disk)
        self._disk.move(self._place.part, self._place.image)
        self._disk.remove(self._place.record)

    def discard(self) -> None:
        """Throw it away."""
        self._discarded = True
        self._checkpoints.finish()
        self._disk.remove(self._place.part)
        self._disk.remove(self._place.record)

    def _write_record(self, record: Record) -> None:
        self._checkpoints.begin(record)
        self._checkpoints.finish()


def _counting(place: Place, record: Record | None, boot_id: str) -> int:
    """How many bytes of a part can be gone on from."""
    size = _size(place.part) or 0
    if record is None:
        return 0
    return size if record.boot_id == boot_id else min(size, record.safe_bytes)


def _size(path: Path) -> int | None:
    """Size of a regular file; None if there is none."""
    try:
        status = path.lstat()
    except FileNotFoundError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _make_way(path: Path, disk: Disk) -> None:
    """Remove what is no regular file: a link put there would lead our bytes elsewhere."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            disk.remove(path)
