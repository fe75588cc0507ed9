"""Durable files: modes, links, and the order of the steps."""

from __future__ import annotations

import errno
import os
import re
import resource
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fwsm.device.durable import Disk
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO
    from pathlib import Path


class _Log(Disk):
    """A disk that remembers its steps."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def open(self, path: Path) -> FileIO:
        self.steps.append(f"open {path.name}")
        return super().open(path)

    def write(self, file: FileIO, data: bytes | bytearray | memoryview, at_bytes: int) -> None:
        self.steps.append(f"write {len(data)}")
        super().write(file, data, at_bytes)

    def truncate(self, file: FileIO, size_bytes: int) -> None:
        self.steps.append(f"truncate {size_bytes}")
        super().truncate(file, size_bytes)

    def sync(self, file: FileIO) -> None:
        self.steps.append("sync")
        super().sync(file)

    def sync_directory(self, directory: Path) -> None:
        self.steps.append(f"sync_directory {directory.name}")
        super().sync_directory(directory)

    def rename(self, source: Path, target: Path) -> None:
        self.steps.append(f"rename {source.name} {target.name}")
        super().rename(source, target)

    def unlink(self, path: Path) -> None:
        self.steps.append(f"unlink {path.name}")
        super().unlink(path)

    def make_name(self, directory: Path) -> None:
        self.steps.append(f"make_name {directory.name}")
        super().make_name(directory)


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """A directory with a name that the log can show."""
    directory = tmp_path / "box"
    directory.mkdir()
    return directory


def test_write_file_syncs_the_content_before_the_name(box: Path) -> None:
    """The new content is on disk before it gets its name, and the name is on disk at the return."""
    disk = _Log()
    disk.write_file(box / "a", b"new")
    assert disk.steps == [
        "open a.tmp",
        "truncate 0",
        "write 3",
        "sync",
        "rename a.tmp a",
        "sync_directory box",
    ]
    assert (box / "a").read_bytes() == b"new"


def test_write_file_replaces_what_a_cut_left_behind(box: Path) -> None:
    """A longer half-written temporary file does not leave its end in the new content."""
    (box / "a.tmp").write_bytes(b"half of something long")
    Disk().write_file(box / "a", b"new")
    assert (box / "a").read_bytes() == b"new"
    assert [path.name for path in box.iterdir()] == ["a"]


def test_create_syncs_the_name(box: Path) -> None:
    """A created file is in its directory when `create` returns."""
    disk = _Log()
    disk.create(box / "a").close()
    assert disk.steps == ["open a", "sync_directory box"]


def test_create_keeps_what_is_there(box: Path) -> None:
    """Opening an existing file loses nothing of it."""
    (box / "a").write_bytes(b"kept")
    with Disk().create(box / "a") as file:
        assert file.read() == b"kept"


def test_move_syncs_both_directories(box: Path) -> None:
    """A file moved elsewhere is on disk under its new name first, then gone under the old one."""
    disk = _Log()
    (box / "a").write_bytes(b"x")
    (box / "other").mkdir()
    disk.move(box / "a", box / "other" / "b")
    assert disk.steps == ["rename a b", "sync_directory other", "sync_directory box"]


def test_remove_is_durable_and_may_be_repeated(box: Path) -> None:
    """Removing syncs the directory; removing what is gone is no error."""
    disk = _Log()
    (box / "a").write_bytes(b"x")
    disk.remove(box / "a")
    assert disk.steps == ["unlink a", "sync_directory box"]
    disk.remove(box / "a")
    assert disk.steps == ["unlink a", "sync_directory box", "unlink a"]


def test_make_directory_syncs_each_level(box: Path) -> None:
    """Every directory on the way is made, private, and synced into the one above it."""
    disk = _Log()
    disk.make_directory(box / "x" / "y")
    assert disk.steps == ["make_name x", "sync_directory box", "make_name y", "sync_directory x"]
    assert stat.S_IMODE((box / "x" / "y").stat().st_mode) == 0o700
    disk.make_directory(box / "x" / "y")
    assert len(disk.steps) == 4


def test_files_are_private_and_not_inherited(box: Path) -> None:
    """Nobody else can read a file, and no child process gets its descriptor."""
    with Disk().create(box / "a") as file:
        assert stat.S_IMODE(os.fstat(file.fileno()).st_mode) == 0o600
        assert not os.get_inheritable(file.fileno())


@pytest.mark.parametrize("method", ["open", "read", "create"])
def test_symbolic_links_are_not_followed(box: Path, method: str) -> None:
    """A link in place of a file is an error, and its target stays as it was."""
    (box / "target").write_bytes(b"precious")
    (box / "link").symlink_to(box / "target")
    with pytest.raises(OSError, match="symbolic links") as caught:
        getattr(Disk(), method)(box / "link")
    assert caught.value.errno == errno.ELOOP
    assert (box / "target").read_bytes() == b"precious"


def test_write_puts_all_of_it_at_the_offset(box: Path) -> None:
    """Bytes land where they belong, whatever was written before."""
    disk = Disk()
    with disk.create(box / "a") as file:
        disk.write(file, b"0123456789", 0)
        disk.write(file, memoryview(b"xyz"), 4)
        disk.truncate(file, 8)
        disk.sync(file)
    assert (box / "a").read_bytes() == b"0123xyz7"


def test_write_goes_on_after_a_short_write(box: Path) -> None:
    """When the kernel takes only a part, the rest follows; when it takes no more, the error comes out."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Disk().create(box / "a") as file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (6, limits[1]))
            with pytest.raises(OSError, match="too large") as caught:
                Disk().write(file, b"0123456789", 0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.errno == errno.EFBIG
    assert (box / "a").read_bytes() == b"012345"


def test_free_space_is_what_the_file_system_says(box: Path) -> None:
    """The free space is positive and below the size of the file system."""
    status = os.statvfs(box)
    assert 0 < Disk().free_bytes(box) <= status.f_blocks * status.f_frsize


_STEPS = """
import sys
from pathlib import Path
from fwsm.device.durable import Disk

disk, box = Disk(), Path(sys.argv[1])
disk.make_directory(box / "made")
disk.write_file(box / "a", b"new")
disk.move(box / "a", box / "made" / "b")
disk.remove(box / "made" / "b")
"""


def test_the_steps_reach_the_kernel(box: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    """A sync is a system call on the file or the directory that it names, and none comes later than it should."""
    log = tmp_path / "log"
    calls = "trace=mkdir,pwrite64,fdatasync,fsync,rename,unlink"
    trace = [tool("strace"), "-f", "-y", "-e", calls, "-P", f"{box}", "-o", f"{log}"]
    within = [part for name in ("made", "a", "a.tmp", "made/b") for part in ("-P", f"{box / name}")]
    subprocess.run([*trace, *within, sys.executable, "-c", _STEPS, f"{box}"], check=True, timeout=PATIENCE_S)
    made = re.findall(r"(mkdir|pwrite64|fdatasync|fsync|rename|unlink)\((?:\d+<|\")([^>\"]+)", log.read_text())
    assert [(call, os.path.relpath(path, box)) for call, path in made] == [
        ("mkdir", "made"),
        ("fsync", "."),
        ("pwrite64", "a.tmp"),
        ("fdatasync", "a.tmp"),
        ("rename", "a.tmp"),
        ("fsync", "."),
        ("rename", "a"),
        ("fsync", "made"),
        ("fsync", "."),
        ("unlink", "made/b"),
        ("fsync", "made"),
    ]
