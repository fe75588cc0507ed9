"""The reserve: an update that has begun ends, and is told, on a disk that is full in earnest.

The disk is a small tmpfs of the test's own, and before each commit somebody fills it to the last byte.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.desired import Acknowledgement
from fwsm.core.moment import Moment
from fwsm.errors import StoreError, StoreFullError
from fwsm.store import Store
from fwsm.store.reserve import RESERVE_BYTES, SLICE_BYTES, Reserve
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from tests.store.conftest import Mounted

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1000.0, "boot-1")
TMPFS = 'mount -t tmpfs -o size=2m none "$0"'


@pytest.fixture
def reserve(tmp_path: Path) -> Reserve:
    """One that is whole."""
    reserve = Reserve(tmp_path / "fwsm.db")
    reserve.keep()
    return reserve


def test_it_takes_up_its_room_in_earnest(reserve: Reserve, tmp_path: Path) -> None:
    """A file with holes would keep nothing."""
    status = (tmp_path / "reserve").stat()
    assert status.st_size == reserve.size_bytes == RESERVE_BYTES
    assert status.st_blocks * 512 >= RESERVE_BYTES
    assert stat.S_IMODE(status.st_mode) == 0o600


def test_it_is_given_up_slice_by_slice(reserve: Reserve) -> None:
    """Until nothing is left; and one that is not there gives nothing."""
    sizes = []
    while reserve.give():
        sizes.append(reserve.size_bytes)
    assert sizes == list(range(RESERVE_BYTES - SLICE_BYTES, -1, -SLICE_BYTES))


def test_without_the_file_there_is_nothing_to_give(tmp_path: Path) -> None:
    """Somebody has removed it, perhaps to make room."""
    reserve = Reserve(tmp_path / "fwsm.db")
    assert (reserve.give(), reserve.size_bytes) == (False, 0)


def test_a_pipe_that_somebody_reads_gives_nothing(tmp_path: Path) -> None:
    """It can be opened, and cannot be cut off."""
    os.mkfifo(tmp_path / "reserve")
    reader = os.open(tmp_path / "reserve", os.O_RDONLY | os.O_NONBLOCK)
    assert not Reserve(tmp_path / "fwsm.db").give()
    os.close(reader)


def test_what_was_given_up_is_taken_back(reserve: Reserve, tmp_path: Path) -> None:
    """In place, with what is left of it untouched."""
    before = (tmp_path / "reserve").read_bytes()
    reserve.give()
    reserve.refill()
    assert reserve.size_bytes == RESERVE_BYTES
    assert (tmp_path / "reserve").read_bytes()[: RESERVE_BYTES - SLICE_BYTES] == before[:-SLICE_BYTES]


def test_what_the_reporter_gave_up_is_taken_back_with_the_next_commit_of_the_agent(tmp_path: Path) -> None:
    """They share the reserve; the agent does not ask the disk after each commit whether it is whole."""
    with Store(tmp_path) as store:
        outbox = store.outbox()
        outbox.pending()
        outbox._reserve.give()
        assert Reserve(store.path).size_bytes == RESERVE_BYTES - SLICE_BYTES
        store.acknowledge(Acknowledgement(version=1, digest="d", code=200, text="done"), NOW)
        assert Reserve(store.path).size_bytes == RESERVE_BYTES
        outbox.close()


def test_work_that_finds_the_disk_full_is_done_again_with_less_reserve(reserve: Reserve) -> None:
    """As often as it takes."""
    tries = []

    def work() -> str:
        tries.append(reserve.size_bytes)
        if len(tries) < 3:
            raise StoreFullError("cannot store it")
        return "stored"

    assert reserve.backed(work) == "stored"
    assert tries == [RESERVE_BYTES - number * SLICE_BYTES for number in range(3)]


def test_work_that_never_finds_room_fails_with_its_own_error(reserve: Reserve) -> None:
    """Once nothing is left."""

    def work() -> None:
        raise StoreFullError("cannot store it")

    with pytest.raises(StoreFullError, match="cannot store it"):
        reserve.backed(work)
    assert reserve.size_bytes == 0


@pytest.mark.parametrize("error", [StoreError("locked"), ValueError("a bug")])
def test_what_room_does_not_help_against_costs_none(reserve: Reserve, error: Exception) -> None:
    """Only a full disk does."""

    def work() -> None:
        raise error

    with pytest.raises(type(error)):
        reserve.backed(work)
    assert reserve.size_bytes == RESERVE_BYTES


@pytest.mark.parametrize(
    "make", [Path.mkdir, lambda path: path.symlink_to("victim"), os.mkfifo], ids=["directory", "link", "pipe"]
)
def test_something_else_in_its_place_is_named_and_set_aside(
    tmp_path: Path, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody waits for it. A link is not followed: what it points to belongs to somebody else."""
    path, aside = tmp_path / "reserve", tmp_path / "reserve.set-aside"
    (tmp_path / "victim").write_bytes(b"precious")
    make(path)
    kind = stat.S_IFMT(path.lstat().st_mode)
    reserve = Reserve(tmp_path / "fwsm.db")
    assert (reserve.give(), reserve.size_bytes) == (False, 0)
    reserve.keep()
    assert stat.S_ISREG(path.lstat().st_mode)
    assert reserve.size_bytes == RESERVE_BYTES
    assert stat.S_IFMT(aside.lstat().st_mode) == kind
    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert f"{path} is no file, and was set aside as {aside}" in caplog.text


def test_what_cannot_be_set_aside_is_named_and_left_alone(tmp_path: Path) -> None:
    """Nothing that somebody may want is written over."""
    path, aside = tmp_path / "reserve", tmp_path / "reserve.set-aside"
    path.mkdir()
    (aside / "precious").mkdir(parents=True)
    reserve = Reserve(tmp_path / "fwsm.db")
    with pytest.raises(StoreError, match="cannot keep room on the disk for the end of an update"):
        reserve.keep()
    reserve.refill()
    assert path.is_dir()
    assert (aside / "precious").is_dir()


# -- on a disk that is full --------------------------------------------------------------------------------------------


def _lived(mounted: Mounted, directory: Path, way: str) -> dict[str, Any]:
    directory.mkdir()
    program = [sys.executable, "-m", "tests.store.crowded", str(directory), way]
    ran = subprocess.run(
        [*mounted(directory, TMPFS), *program],
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize(("way", "end"), [("well", "applyComplete"), ("badly", "applyFailed")])
def test_an_update_ends_and_is_told_on_a_disk_without_a_byte(
    tmp_path: Path, mounted: Mounted, way: str, end: str
) -> None:
    """Somebody takes each byte that comes free; with the longest request and the longest errors, the reserve lasts.

    A new update is refused as long as the disk is full. It is taken when there is room, and the reserve is whole again.
    """
    told = _lived(mounted, tmp_path / "state", way)
    assert told["answer"] == 200
    assert told["statuses"] == ["waiting", "downloading", "downloadComplete", "applying", end]
    assert told["states"][-1] == end
    assert told["unreported"] == 0
    assert told["reserve"] >= RESERVE_BYTES // 4
    status, body = told["refused"]
    assert (status, body["code"], body["reason"]) == (503, "storeFull", "the disk is full")
    assert (told["taken"], told["refilled"]) == (200, RESERVE_BYTES)
