"""Parts: which bytes count after which kind of end."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Progress, Request, State, Update
from fwsm.device.download.checkpoint import Record
from fwsm.device.download.header import Validator
from fwsm.device.download.part import Part, Place
from fwsm.device.durable import Disk
from fwsm.errors import DownloadError
from fwsm.testing.power import CutDisk, PowerSwitch

if TYPE_CHECKING:
    from pathlib import Path

_VALIDATOR = Validator('"a"')


def _place(directory: Path) -> Place:
    return Place(directory, "key")


def _open(directory: Path, boot_id: str = "boot-1") -> Part:
    return Part(_place(directory), Disk(), boot_id, lambda: None)


def _half(directory: Path) -> None:
    """A part of which three bytes are safe and three are not."""
    with _open(directory) as part:
        part.begin(10, _VALIDATOR)
        part.append(b"abc")
        part.secure()
        part.append(b"def")


def test_after_a_crash_of_the_process_every_byte_counts(tmp_path: Path) -> None:
    """The kernel has what was written, so the same boot goes on behind all of it, and makes it safe."""
    _half(tmp_path)
    told = _place(tmp_path).progress(Disk(), "boot-1")
    with _open(tmp_path) as part:
        assert part.size_bytes == 6
        assert part.record == Record("boot-1", 6, 10, _VALIDATOR)
        assert part.poll() == told  # what is told of the progress does not go back
        assert part.artifact.sha256 == hashlib.sha256(b"abcdef").hexdigest()
        assert not part.whole


def test_after_a_reboot_only_safe_bytes_count(tmp_path: Path) -> None:
    """What was not synced may be anything, so it is cut off before the new boot writes."""
    _half(tmp_path)
    with _open(tmp_path, "boot-2") as part:
        assert part.size_bytes == 3
        assert part.record == Record("boot-2", 3, 10, _VALIDATOR)
    assert _place(tmp_path).part.read_bytes() == b"abc"


def test_a_part_shorter_than_its_record_goes_on_from_its_end(tmp_path: Path) -> None:
    """Somebody may have cut it off; the record is put right at once."""
    _half(tmp_path)
    _place(tmp_path).part.write_bytes(b"a")
    with _open(tmp_path) as part:
        assert part.size_bytes == 1
        assert part.record.safe_bytes == 1


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe"])
def test_a_part_without_a_record_counts_for_nothing(tmp_path: Path, damage: bytes) -> None:
    """Without its record nobody knows what the bytes belong to."""
    _half(tmp_path)
    _place(tmp_path).record.write_bytes(damage)
    with _open(tmp_path) as part:
        assert part.size_bytes == 0
        assert part.record == Record("boot-1")


def test_progress_is_told_without_opening(tmp_path: Path) -> None:
    """It says what opening would find, before, between and after."""
    place = _place(tmp_path)
    assert place.progress(Disk(), "boot-1") == Progress(0)
    _half(tmp_path)
    assert place.progress(Disk(), "boot-1") == Progress(6, 10)
    assert place.progress(Disk(), "boot-2") == Progress(3, 10)
    with _open(tmp_path) as part:
        part.append(b"ghij")
        part.keep()
    assert place.progress(Disk(), "boot-2") == Progress(10, 10)


def test_a_kept_part_is_an_image_and_nothing_else(tmp_path: Path) -> None:
    """The finished file has its own name, and the record is gone."""
    _half(tmp_path)
    with _open(tmp_path) as part:
        part.keep()
    assert [path.name for path in tmp_path.iterdir()] == ["key.image"]
    assert (tmp_path / "key.image").read_bytes() == b"abcdef"


def test_a_part_gets_its_name_after_its_content_is_safe(tmp_path: Path) -> None:
    """Content, record, name, directory: a cut between any two leaves a part or an image, and never half of one."""
    power = PowerSwitch()
    with Part(_place(tmp_path), CutDisk(power), "boot-1", lambda: None) as part:
        part.begin(3, _VALIDATOR)
        part.append(b"abc")
        power.names.clear()
        part.keep()
    record = ["truncate", "write first half", "write second half", "sync", "rename", "sync directory"]
    assert power.names == ["sync", *record, "rename", "sync directory", "unlink", "sync directory"]


def test_a_discarded_part_is_gone_for_good(tmp_path: Path) -> None:
    """Securing what has been thrown away does not bring its record back."""
    with _open(tmp_path) as part:
        part.begin(10, _VALIDATOR)
        part.append(b"abc")
        part.discard()
        part.secure()
    assert list(tmp_path.iterdir()) == []


def test_beginning_anew_remembers_that_it_is_the_second_time(tmp_path: Path) -> None:
    """The mark is on disk, so a loop across restarts ends as well."""
    with _open(tmp_path) as part:
        part.begin(10, _VALIDATOR, renewed=True)
    with _open(tmp_path) as part:
        part.begin(12, Validator())
        assert part.record.renewed
        assert part.whole


@pytest.mark.parametrize("name", ["part", "image"])
def test_a_link_in_place_of_a_file_is_removed_not_followed(tmp_path: Path, name: str) -> None:
    """What it points to stays as it was."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    getattr(_place(tmp_path), name).symlink_to(precious)
    with _open(tmp_path) as part:
        part.begin(3, _VALIDATOR)
        part.append(b"abc")
        part.keep()
    assert precious.read_bytes() == b"precious"
    assert (tmp_path / "key.image").read_bytes() == b"abc"
    assert not (tmp_path / "key.image").is_symlink()


def test_a_link_in_place_of_the_record_is_not_read(tmp_path: Path) -> None:
    """A record from elsewhere counts for nothing."""
    _half(tmp_path)
    record = _place(tmp_path).record
    record.rename(tmp_path / "elsewhere")
    record.symlink_to(tmp_path / "elsewhere")
    with _open(tmp_path) as part:
        assert part.size_bytes == 0


def test_opening_can_be_broken_off(tmp_path: Path) -> None:
    """Reading a large part again takes a while; a stop ends it."""
    _half(tmp_path)

    def stop() -> None:
        raise DownloadError("stop")

    with pytest.raises(DownloadError, match="stop"):
        Part(_place(tmp_path), Disk(), "boot-1", stop)
    assert _place(tmp_path).part.read_bytes() == b"abcdef"


@pytest.mark.parametrize("update_id", ["../../etc/passwd", "a/b", ".", "", "x" * 300, "ü"])
def test_an_odd_id_does_not_lead_out_of_the_directory(tmp_path: Path, update_id: str) -> None:
    """Ids come from outside."""
    update = Update(id=update_id, request=Request("https://h/f"), state=State.WAITING, boot_id="b")
    place = Place.of(update, tmp_path)
    assert place.image.parent == tmp_path
    assert len(place.key) == 64


def test_the_digest_names_the_files_if_there_is_one(tmp_path: Path) -> None:
    """Two updates to the same image share what is on disk."""
    request = Request("https://h/f", "a" * 64)
    places = {
        Place.of(Update(id=i, request=request, state=State.WAITING, boot_id="b"), tmp_path) for i in ("u-1", "u-2")
    }
    assert places == {Place(tmp_path, "a" * 64)}
