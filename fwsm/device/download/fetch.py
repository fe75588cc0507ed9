"""The download port over HTTPS; what is loaded is in one directory."""

from __future__ import annotations

import errno
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Artifact, Progress
from fwsm.device.clock import SystemClock
from fwsm.device.download.digest import Digest
from fwsm.device.download.part import Part, Place
from fwsm.device.download.request import trust
from fwsm.device.download.transfer import Bounds, Transfer, stopped
from fwsm.device.durable import Disk
from fwsm.errors import ArtifactDamagedError, ArtifactError, DownloadError, NoSpaceError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from fwsm.core.update import Update
    from fwsm.device.ports import Clock

__all__ = ["HttpsDownload"]

_MIB: Final = 1024 * 1024
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_OURS: Final = (".part", ".part.json", ".part.json.tmp", ".image")


class HttpsDownload:
    """Loads images over HTTPS; `fwsm.device.ports.Download`.

    Args:
        directory: where they are kept; made at need. Files in it that end like ours are ours to remove.
        disk: through which every file is changed; None for the real one.
        clock: for stalls, checkpoints and pauses; None for the machine's.
        ca_pem: PEM text of the authorities to trust in place of the system's.
        max_bytes: the largest image that is loaded.
        reserve_bytes: what must stay free beside the image, so that the database still has room.
        stall_s: how long next to nothing may come before a try counts as broken off.
        checkpoint_bytes, checkpoint_s: what came is made safe after so many bytes, or a 32nd of a small image, or
            so many seconds. What a power cut costs is at most two such intervals; what a checkpoint costs is a few
            syncs and some 10 KiB of flash.
        allow_http: whether plain HTTP will do. A digest is then the only proof of what comes.

    Raises:
        ArtifactError: `ca_pem` cannot be read.
    """

    def __init__(
        self,
        directory: Path | str,
        *,
        disk: Disk | None = None,
        clock: Clock | None = None,
        ca_pem: str | None = None,
        max_bytes: int = 4096 * _MIB,
        reserve_bytes: int = _MIB,
        stall_s: float = 30.0,
        checkpoint_bytes: int = 4 * _MIB,
        checkpoint_s: float = 15.0,
        allow_http: bool = False,
    ) -> None:
        self._directory = Path(directory).absolute()
        self._disk = disk or Disk()
        self._clock = clock or SystemClock()
        self._tls = trust(ca_pem)
        self._bounds = Bounds(max_bytes, reserve_bytes, stall_s, checkpoint_bytes, checkpoint_s, allow_http)

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Load what is missing, prove the whole, and keep it under a name of its own; see the port.

        Raises:
            DownloadError: it broke off, or `stop` was set; what came is kept.
            ArtifactMissingError, ArtifactForbiddenError: the server does not give it; what came is kept.
            ArtifactDamagedError: it has another digest; it was thrown away.
            NoSpaceError: it does not fit; what came is kept.
            ArtifactError: the address or the answer will not do.
        """
        place = Place.of(update, self._directory)
        with _disk_in_words(self._directory):
            self._disk.make_directory(self._directory)
            # A process that was killed may have made it without getting as far as the sync.
            self._disk.sync_directory(self._directory.parent)
            finished = self._finished(place, update.request.sha256, stop)
            if finished is None:
                finished = self._load(place, update, note, stop)
        note(Progress(finished.bytes, finished.bytes))
        return finished

    def progress(self, update: Update) -> Progress:
        """What is on disk of it, without reading it all."""
        with _disk_in_words(self._directory):
            return Place.of(update, self._directory).progress(self._disk, self._clock.now().boot_id)

    def verify(self, update: Update, stop: threading.Event) -> Path:
        """Read the finished file again, compare it with `update.artifact`, and tell where it is; see the port.

        Raises:
            ArtifactDamagedError: it is gone or not the same; it has been thrown away.
            DownloadError: `stop` was set, or the disk cannot be read.
        """
        image = Place.of(update, self._directory).image
        with _disk_in_words(self._directory):
            found = self._read(image, stop)
            if found is not None and found == update.artifact:
                return image
            self._disk.remove(image)
        raise ArtifactDamagedError(
            "the downloaded image is no longer intact",
            why="the file is gone" if found is None else f"its {found.bytes} bytes have the SHA-256 {found.sha256} now",
            fix="It will be loaded again; if this comes back, the disk is failing",
        )

    def discard(self, keep: Update | None) -> None:
        """Throw away what belongs to no update or to another one than `keep`."""
        key = None if keep is None else Place.of(keep, self._directory).key
        with _disk_in_words(self._directory), suppress(FileNotFoundError):
            for path in sorted(self._directory.iterdir()):
                if path.name.endswith(_OURS) and path.name.partition(".")[0] != key:
                    self._disk.remove(path)

    def _load(self, place: Place, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        with Part(place, self._disk, self._clock.now().boot_id, lambda: _check(stop)) as part:
            try:
                artifact = Transfer(
                    update.request,
                    part,
                    self._directory,
                    note=note,
                    stop=stop,
                    disk=self._disk,
                    clock=self._clock,
                    tls=self._tls,
                    bounds=self._bounds,
                ).run()
            except ArtifactError:
                with suppress(OSError):
                    part.secure()
                raise
            part.keep()
            return artifact

    def _finished(self, place: Place, sha256: str | None, stop: threading.Event) -> Artifact | None:
        """The image of an earlier fetch, if it is still right; a wrong one is removed."""
        found = self._read(place.image, stop)
        if found is not None and sha256 in {None, found.sha256}:
            self._disk.remove(place.record)
            return found
        self._disk.remove(place.image)
        return None

    def _read(self, image: Path, stop: threading.Event) -> Artifact | None:
        """Digest and size of a file; None if there is none or a link in its place."""
        try:
            file = self._disk.read(image)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ELOOP}:
                return None
            raise
        with file:
            digest = Digest()
            digest.add_file(file, self._bounds.max_bytes, lambda: _check(stop))
        return Artifact(digest.sha256, digest.bytes)


def _check(stop: threading.Event) -> None:
    if stop.is_set():
        raise stopped()


@contextmanager
def _disk_in_words(directory: Path) -> Iterator[None]:
    """Turn what the disk raises into an ArtifactError; the network's errors never get here."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise NoSpaceError(
                f"the disk filled up while the image was being loaded into {directory}",
                why=f"{error.strerror}; what came so far is kept",
                fix="Free some space, then retry",
            ) from error
        raise DownloadError(
            f"the image cannot be kept in {directory}",
            why=error.strerror or str(error),
            fix="Check that the directory is writable and its disk healthy",
        ) from error
