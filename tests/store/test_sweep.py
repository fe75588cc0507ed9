"""ENOSPC, EIO and EROFS at every call with which the store changes the disk, in a whole update.

SQLite and Python get the error from the C library, by `diskfaults.c`; what must hold then is in `sweeping.py`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def faults(tool: Callable[[str], str], tmp_path: Path) -> Path:
    """The library that makes a disk fail."""
    library = tmp_path / "diskfaults.so"
    source = Path(__file__).with_name("diskfaults.c")
    subprocess.run(
        [tool("gcc"), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True, timeout=PATIENCE_S
    )
    return library


@pytest.mark.crash
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("begin", "error", "way"),
    [
        ("first", "ENOSPC", "lasting"),
        ("first", "EIO", "killed"),
        *(("later", error, way) for error in ("ENOSPC", "EIO") for way in ("once", "lasting", "killed")),
        ("later", "EROFS", "lasting"),  # a file system that mounts itself read-only, until somebody mends it
    ],
)
def test_a_disk_that_fails_at_any_write_is_survived(
    begin: str, error: str, way: str, faults: Path, tmp_path: Path
) -> None:
    """The device comes up, nothing that was acknowledged is lost, nothing is ahead of the disk, and the update ends.

    The image is installed once, each state is told once and in order, no database is set aside, and the next start is
    quiet. The disk fails at one call; or from it on, until that was met four times; or the process dies then.
    """
    (tmp_path / "disk").mkdir()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.store.sweeping", str(tmp_path / "disk"), begin, error, way],
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | {"LD_PRELOAD": str(faults)},
        text=True,
        timeout=220,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert int(ran.stdout) > {"first": 50, "later": 90}[begin]
