"""The contract of a download."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

import pytest

from fwsm.core.update import Artifact, Progress, Request, State, Update
from fwsm.device.examined import Examiner
from fwsm.device.mishaps import Mishaps
from fwsm.errors import ArtifactDamagedError, ArtifactError, DownloadError

if TYPE_CHECKING:
    from fwsm.device.ports import Download

__all__ = ["DownloadBench", "DownloadContract"]

_CONTENT = bytes(range(256)) * 1024


class DownloadBench(Protocol):
    """What a download is tried on."""

    def serve(self, name: str, content: bytes) -> str:
        """Offer `content`, and tell at which URI."""
        ...

    def new_download(self) -> Download:
        """A download as a process that has just started makes it; what earlier ones kept is there."""
        ...


class DownloadContract:
    """What `fwsm.device.ports.Download` promises."""

    @pytest.fixture
    def bench(self) -> DownloadBench:
        """The bench; override this."""
        raise NotImplementedError

    @pytest.fixture
    def update(self, bench: DownloadBench) -> Update:
        """An update to an image that is served."""
        return _update("u1", bench.serve("one.img", _CONTENT), _CONTENT)

    def test_what_is_fetched_is_proved_and_kept(self, bench: DownloadBench, update: Update) -> None:
        """The artifact tells digest and size, and a later process finds the file."""
        artifact = _fetch(_new(bench), update)
        assert artifact == Artifact(hashlib.sha256(_CONTENT).hexdigest(), len(_CONTENT))
        path = _new(bench).verify(replace(update, artifact=artifact), threading.Event())
        assert path.read_bytes() == _CONTENT

    def test_progress_is_what_is_on_disk(self, bench: DownloadBench, update: Update) -> None:
        """Nothing before, all of it after; and what is noted on the way never exceeds the total."""
        download = _new(bench)
        assert download.progress(update).bytes == 0
        notes: list[Progress] = []
        download.fetch(update, notes.append, threading.Event())
        assert _new(bench).progress(update).bytes == len(_CONTENT)
        assert all(note.bytes <= len(_CONTENT) for note in notes)
        assert all(note.total_bytes in {None, len(_CONTENT)} for note in notes)
        assert [note.bytes for note in notes] == sorted(note.bytes for note in notes)

    def test_fetching_again_is_harmless(self, bench: DownloadBench, update: Update) -> None:
        """A process that died behind the fetch does it once more."""
        assert _fetch(_new(bench), update) == _fetch(_new(bench), update)

    def test_another_digest_is_refused(self, bench: DownloadBench, update: Update) -> None:
        """What is not what the operator named is no artifact."""
        wrong = replace(update, request=replace(update.request, sha256="0" * 64))
        with pytest.raises(ArtifactError):
            _fetch(_new(bench), wrong)

    def test_a_stop_breaks_it_off(self, bench: DownloadBench, update: Update) -> None:
        """As a failure that time helps against, and what came is kept."""
        stop = threading.Event()
        stop.set()
        with pytest.raises(DownloadError):
            _new(bench).fetch(update, lambda _: None, stop)
        assert _fetch(_new(bench), update).bytes == len(_CONTENT)

    def test_a_damaged_file_is_found(self, bench: DownloadBench, update: Update) -> None:
        """It is read again before it is installed, and thrown away if it is not the same."""
        done = replace(update, artifact=_fetch(_new(bench), update))
        path = _new(bench).verify(done, threading.Event())
        path.write_bytes(b"x" + _CONTENT[1:])
        with pytest.raises(ArtifactDamagedError):
            _new(bench).verify(done, threading.Event())
        with pytest.raises(ArtifactDamagedError):
            _new(bench).verify(done, threading.Event())
        assert _fetch(_new(bench), update) == done.artifact

    def test_only_what_is_to_be_kept_stays(self, bench: DownloadBench, update: Update) -> None:
        """What belongs to other updates goes."""
        content = _CONTENT[::-1]
        other = _update("u2", bench.serve("two.img", content), content)
        download = _new(bench)
        done = replace(update, artifact=_fetch(download, update))
        gone = replace(other, artifact=_fetch(download, other))
        download.discard(done)
        assert download.verify(done, threading.Event()).read_bytes() == _CONTENT
        with pytest.raises(ArtifactDamagedError):
            download.verify(gone, threading.Event())
        download.discard(None)
        with pytest.raises(ArtifactDamagedError):
            download.verify(done, threading.Event())


def _new(bench: DownloadBench) -> Download:
    """One whose answers are examined as on a device: a wrong one raises PartError."""
    return Examiner(Mishaps()).download(bench.new_download())


def _update(name: str, uri: str, content: bytes) -> Update:
    request = Request(uri, sha256=hashlib.sha256(content).hexdigest())
    return Update(id=name, request=request, state=State.DOWNLOADING, boot_id="boot-1")


def _fetch(download: Download, update: Update) -> Artifact:
    return download.fetch(update, lambda _: None, threading.Event())
