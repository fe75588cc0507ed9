"""The download port: restarts, cuts of the power, what is kept and what goes."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Artifact, Progress, Request, State, Update
from fwsm.device.download import HttpsDownload
from fwsm.device.durable import Disk
from fwsm.errors import ArtifactDamagedError, ArtifactError, DownloadError, NoSpaceError
from fwsm.testing.clock import FakeClock
from fwsm.testing.image_faults import truncated
from fwsm.testing.image_server import ImageServer
from fwsm.testing.power import CutDisk, PowerLossError, PowerSwitch
from tests.device.download.bench import PATH, Bench

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO


class _FailingDisk(Disk):
    """A disk on which writing fails once so many bytes are in the file."""

    def __init__(self, error: int, after_bytes: int) -> None:
        self._error = error
        self._after_bytes = after_bytes

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        if at_bytes + len(data) > self._after_bytes:
            raise OSError(self._error, "as planned")
        super().write(file, data, at_bytes)


class _ForgetfulDisk(CutDisk):
    """A disk that loses what was not synced when its power goes."""

    def __init__(self, power: PowerSwitch) -> None:
        super().__init__(power)
        self._synced_bytes: dict[str, int] = {}

    def sync(self, file: FileIO) -> None:
        size = os.fstat(file.fileno()).st_size
        super().sync(file)
        self._synced_bytes[str(Path(f"/proc/self/fd/{file.fileno()}").readlink())] = size

    def forget(self, directory: Path) -> None:
        """Put zeros where a part was not synced, as file systems do."""
        for part in directory.glob("*.part"):
            safe = part.read_bytes()[: self._synced_bytes.get(str(part), 0)]
            part.write_bytes(safe.ljust(part.stat().st_size, b"\0"))


def test_a_finished_fetch_leaves_one_file(bench: Bench) -> None:
    """The image under its digest, private, byte for byte, and nothing beside it."""
    update = bench.update()
    assert bench.load(update) == Artifact(str(update.request.sha256), len(bench.content))
    image = bench.directory / f"{update.request.sha256}.image"
    assert bench.names == [image.name]
    assert image.read_bytes() == bench.content
    assert image.stat().st_mode & 0o777 == 0o600


def test_a_second_fetch_asks_the_server_nothing(bench: Bench) -> None:
    """What is finished is read and proved again, not loaded."""
    assert bench.load() == bench.load()
    assert len(bench.server.requests) == 1


def test_a_finished_image_that_rotted_is_loaded_again(bench: Bench) -> None:
    """A wrong digest on disk costs a load, not the update."""
    bench.load()
    image = bench.directory / bench.names[0]
    image.write_bytes(b"\0" + bench.content[1:])
    bench.load()
    assert len(bench.server.requests) == 2
    assert image.read_bytes() == bench.content


def test_a_new_process_loads_only_the_rest(bench: Bench) -> None:
    """The server's log shows that no byte came twice."""
    bench.load_a_part()
    assert bench.download().progress(bench.update()) == Progress(1_000_000, len(bench.content))
    bench.load()
    assert bench.server.requests[-1].range == "bytes=1000000-"
    assert bench.server.requests[-1].sent_bytes == len(bench.content) - 1_000_000


def test_after_a_reboot_what_was_made_safe_counts(bench: Bench) -> None:
    """A fetch that ends by itself makes all of it safe first, so a power cut after it costs nothing."""
    bench.load_a_part()
    bench.load(clock=FakeClock(boot_id="boot-2"))
    assert bench.server.requests[-1].range == "bytes=1000000-"


def test_a_foreign_end_of_a_part_is_cut_off_after_a_reboot(bench: Bench) -> None:
    """Zeros that a file system put behind the last sync do not get into the image, or even cost a second load."""
    bench.load_a_part()
    part = next(bench.directory.glob("*.part"))
    part.write_bytes(part.read_bytes() + bytes(100_000))
    assert bench.load(clock=FakeClock(boot_id="boot-2")).bytes == len(bench.content)
    assert bench.server.requests[-1].range == "bytes=1000000-"


@pytest.mark.parametrize("damage", ["flipped", "longer", "gone", "link", "record"])
def test_a_damaged_part_heals(bench: Bench, tmp_path: Path, damage: str) -> None:
    """Whatever happened to the part, the fetch ends with the right image, in three more requests at most."""
    bench.load_a_part()
    part = next(bench.directory.glob("*.part"))
    record = part.with_name(part.name + ".json")
    kept = part.read_bytes()
    if damage == "flipped":
        part.write_bytes(b"\0" + kept[1:])
    elif damage == "longer":
        part.write_bytes(kept + bytes(len(bench.content)))
    elif damage == "gone":
        part.unlink()
    elif damage == "link":
        part.rename(tmp_path / "elsewhere")
        part.symlink_to(tmp_path / "elsewhere")
    else:
        record.write_text("{")
    before = len(bench.server.requests)
    assert bench.load().bytes == len(bench.content)
    assert len(bench.server.requests) - before <= 3
    assert (bench.directory / bench.names[0]).read_bytes() == bench.content
    if damage == "link":
        assert (tmp_path / "elsewhere").read_bytes() == kept


@pytest.mark.crash
def test_a_cut_at_any_moment_ends_with_the_right_image(
    loopback: Callable[[], str], server: ImageServer, tmp_path: Path
) -> None:
    """Killed or without power at any durable operation, the next fetch ends as a clean one, in as many requests.

    The moment behind an operation and the one before the next find the same disk; the first is played as a kill, the
    second as a cut of the power, which loses what was not synced.
    """
    content = bytes(range(256)) * 500
    with ImageServer(loopback(), {PATH: content}, tls=False) as plain:
        request = Request(plain.url(PATH), hashlib.sha256(content).hexdigest())
        update = Update(id="u-1", request=request, state=State.DOWNLOADING, boot_id="boot-1")

        def fetch(directory: Path, disk: Disk, boot_id: str = "boot-1") -> Artifact:
            clock = FakeClock(boot_id=boot_id)
            # Plain, and with few authorities to read, because it is done so often.
            download = HttpsDownload(
                directory, disk=disk, clock=clock, allow_http=True, ca_pem=server.ca_pem, checkpoint_bytes=32_000
            )
            with plain.fault(PATH, truncated(70_000), times=1):
                return download.fetch(update, lambda _: None, threading.Event())

        clean = PowerSwitch()
        expected = fetch(tmp_path / "clean", CutDisk(clean))
        assert clean.moments > 50
        for moment in range(clean.moments):
            directory, disk = tmp_path / str(moment), _ForgetfulDisk(PowerSwitch(moment))
            with pytest.raises(PowerLossError):
                fetch(directory, disk)
            reboots = moment % 2 == 0
            if reboots:
                disk.forget(directory)
            before = len(plain.requests)
            assert fetch(directory, Disk(), "boot-2" if reboots else "boot-1") == expected
            assert len(plain.requests) - before <= 2
            assert [path.name for path in directory.iterdir()] == [f"{expected.sha256}.image"]
            assert next(directory.iterdir()).read_bytes() == content


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_keeps_what_came(bench: Bench, error: int) -> None:
    """The operator is told; when there is room again the rest is loaded."""
    bench.server.bytes_per_s = 4_000_000.0
    with pytest.raises(NoSpaceError, match="filled up"):
        bench.load(disk=_FailingDisk(error, 1_200_000))
    kept = bench.download().progress(bench.update()).bytes
    assert 0 < kept <= 1_200_000
    bench.server.bytes_per_s = None
    assert bench.load().bytes == len(bench.content)
    assert bench.server.requests[-1].range == f"bytes={kept}-"


def test_a_disk_that_fails_is_a_download_error(bench: Bench) -> None:
    """With the system's own words, and never as a foreign exception."""
    with pytest.raises(DownloadError, match=r"as planned.*writable"):
        bench.load(disk=_FailingDisk(errno.EIO, 0))


def test_a_directory_that_cannot_be_made_is_a_download_error(bench: Bench, tmp_path: Path) -> None:
    """Each method says so in the same way."""
    (tmp_path / "file").write_bytes(b"")
    download = HttpsDownload(tmp_path / "file" / "artifacts", disk=Disk(), clock=FakeClock())
    for call in (
        lambda: download.fetch(bench.update(), lambda _: None, threading.Event()),
        lambda: download.progress(bench.update()),
        lambda: download.verify(bench.update(), threading.Event()),
        lambda: download.discard(None),
    ):
        with pytest.raises(DownloadError, match="cannot be kept in"):
            call()


def test_memory_does_not_grow_with_the_image(loopback: Callable[[], str], tmp_path: Path) -> None:
    """64 MiB pass through a few MiB."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    with ImageServer(loopback(), {PATH: image}) as server:
        download = HttpsDownload(tmp_path / "artifacts", disk=Disk(), clock=FakeClock(), ca_pem=server.ca_pem)
        update = Update(id="u-1", request=Request(server.url(PATH)), state=State.DOWNLOADING, boot_id="boot-1")
        tracemalloc.start()
        try:
            download.fetch(update, lambda _: None, threading.Event())
            peak_bytes = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak_bytes < 8 * 1024 * 1024


def test_a_stop_that_is_set_already_loads_nothing(bench: Bench) -> None:
    """And says that it was broken off."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(DownloadError, match="broken off"):
        bench.download().fetch(bench.update(), lambda _: None, stop)
    assert bench.server.requests == ()


def test_the_last_note_is_all_of_it(bench: Bench) -> None:
    """Also when the image was there before."""
    for _ in range(2):
        notes: list[Progress] = []
        bench.download().fetch(bench.update(), notes.append, threading.Event())
        assert notes[-1] == Progress(len(bench.content), len(bench.content))


def _with_artifact(update: Update, artifact: Artifact | None) -> Update:
    return replace(update, artifact=artifact)


def test_verify_tells_where_the_image_is(bench: Bench) -> None:
    """When it is the same as when it was loaded."""
    artifact = bench.load()
    path = bench.download().verify(_with_artifact(bench.update(), artifact), threading.Event())
    assert path.read_bytes() == bench.content


@pytest.mark.parametrize("damage", ["flipped", "short", "gone", "link"])
def test_verify_throws_away_what_is_not_the_same(bench: Bench, tmp_path: Path, damage: str) -> None:
    """So that the lifecycle can load it again."""
    artifact = bench.load()
    image = bench.directory / bench.names[0]
    if damage == "flipped":
        image.write_bytes(bench.content[:-1] + b"\0")
    elif damage == "short":
        image.write_bytes(bench.content[:-1])
    else:
        image.rename(tmp_path / "elsewhere")
    if damage == "link":
        image.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtifactDamagedError, match="no longer intact"):
        bench.download().verify(_with_artifact(bench.update(), artifact), threading.Event())
    assert bench.names == []


def test_verify_obeys_a_stop_and_keeps_the_image(bench: Bench) -> None:
    """Reading a large image takes a while."""
    artifact = bench.load()
    stop = threading.Event()
    stop.set()
    with pytest.raises(DownloadError, match="broken off"):
        bench.download().verify(_with_artifact(bench.update(), artifact), stop)
    assert len(bench.names) == 1


def test_discard_removes_all_but_what_is_kept(bench: Bench) -> None:
    """Parts, records, temporary files and images go; what is not ours stays."""
    bench.load()
    bench.load_a_part(bench.update(sha256=None))
    (bench.directory / "old.part.json.tmp").write_bytes(b"")
    (bench.directory / "notes.txt").write_bytes(b"")
    bench.download().discard(bench.update())
    assert bench.names == [f"{bench.update().request.sha256}.image", "notes.txt"]
    bench.download().discard(None)
    assert bench.names == ["notes.txt"]


def test_discard_keeps_a_part(bench: Bench) -> None:
    """With its record, without which it would be worth nothing."""
    bench.load_a_part(bench.update(sha256=None))
    bench.download().discard(bench.update(sha256=None))
    assert bench.names == ["u-1.part", "u-1.part.json"]


def test_discard_without_a_directory_does_nothing(bench: Bench) -> None:
    """There is nothing before the first fetch."""
    bench.download().discard(None)
    assert not bench.directory.exists()


def test_bad_authorities_are_said_at_once(bench: Bench) -> None:
    """Not at the first download, which may be weeks later."""
    with pytest.raises(ArtifactError, match="not PEM"):
        bench.download(ca_pem="nonsense")
