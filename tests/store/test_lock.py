"""The lock: one agent at a time, and free again however that one ends."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import Kind, StoreError, StoreLockedError
from fwsm.store.lock import Lock, _leave_to_parent, holder
from tests.patience import PATIENCE_S, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

_HOLDER = """
import sys
from pathlib import Path
from fwsm.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""

_FORKING = """
import os, sys
from pathlib import Path
from fwsm.errors import StoreLockedError
from fwsm.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
told, tell = os.pipe()
end, ending = os.pipe()
child = os.fork()
if child == 0:
    os.close(ending)
    lock.release()
    os.write(tell, b"child")
    os.read(end, 1)
    os._exit(0)
os.close(end)
print(os.read(told, 5).decode())
try:
    Lock(Path(sys.argv[1]))
except StoreLockedError:
    print("held")
lock.release()
Lock(Path(sys.argv[1])).release()
print("free", flush=True)
os.close(ending)
os.waitpid(child, 0)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the lock will be."""
    return tmp_path / "lock"


def test_second_in_the_same_process_is_refused(path: Path) -> None:
    """The message names the holder and what to do; the holder is not disturbed."""
    first = Lock(path)
    for _ in range(2):
        with pytest.raises(StoreLockedError) as caught:
            Lock(path)
        assert str(caught.value) == (
            f"another agent works on {path.parent}: process {os.getpid()} holds its lock. "
            "End that one first, or give this one a state directory of its own"
        )
        assert caught.value.kind is Kind.NEEDS_OPERATOR
    first.release()


def test_a_link_in_its_place_is_refused(path: Path) -> None:
    """The process id would be written into the file of somebody else."""
    other = path.with_name("other")
    other.write_text("of somebody")
    path.symlink_to(other)
    with pytest.raises(StoreError, match=f"Remove {path}, which is no file"):
        Lock(path)
    with pytest.raises(StoreError, match="cannot look at the lock"):
        holder(path)
    assert other.read_text() == "of somebody"


def test_whoever_looks_is_not_kept_waiting_by_a_pipe(path: Path) -> None:
    """Nobody writes into it, so to open it in the usual way would not end."""
    os.mkfifo(path)
    assert holder(path) is None


def test_released_lock_can_be_taken_again(path: Path) -> None:
    """Releasing twice does no harm, to the next holder either."""
    first = Lock(path)
    first.release()
    second = Lock(path)
    first.release()
    with pytest.raises(StoreLockedError):
        Lock(path)
    second.release()


def test_other_locks_are_other_locks(tmp_path: Path) -> None:
    """Two devices on one machine have two state directories."""
    locks = [Lock(tmp_path / name) for name in ("a", "b")]
    assert [(tmp_path / name).read_text() for name in ("a", "b")] == [f"{os.getpid()}\n"] * 2
    for lock in locks:
        lock.release()


def test_pid_of_a_former_holder_is_overwritten(path: Path) -> None:
    """A longer number of a dead process leaves no digit behind."""
    path.write_text("12345678901234567890\n")
    Lock(path).release()
    assert path.read_text() == f"{os.getpid()}\n"


def test_holder_without_a_pid_is_refused_too(path: Path) -> None:
    """On a full disk the pid may be missing; the lock holds all the same."""
    first = Lock(path)
    path.write_text("")
    with pytest.raises(StoreLockedError, match="its lock is held"):
        Lock(path)
    first.release()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_whose_file_is_removed_or_replaced_keeps_nobody_out_and_says_so(path: Path, replaced: bool) -> None:
    """Another agent would get one of its own."""
    first = Lock(path)
    assert first.trouble() is None
    path.unlink()
    if replaced:
        path.touch()
    assert "something has removed or replaced it" in str(first.trouble())
    second = Lock(path)
    assert second.trouble() is None
    second.release()
    first.release()


def test_a_lock_that_cannot_be_looked_at_is_no_trouble(tmp_path: Path) -> None:
    """The disk may fail just then."""
    directory = tmp_path / "state"
    directory.mkdir()
    lock = Lock(directory / "lock")
    directory.rename(tmp_path / "elsewhere")
    directory.symlink_to(directory)
    assert lock.trouble() is None
    lock.release()


def test_lock_is_not_inherited_by_programs(path: Path) -> None:
    """A health check that outlives the agent must not keep its successor out."""
    first = Lock(path)
    child = subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, close_fds=False)
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b"are you there?\n")
        assert child.stdout.readline() == b"are you there?\n"
        first.release()
        Lock(path).release()
    finally:
        child.communicate(timeout=PATIENCE_S)


def test_what_a_forked_child_has_open_keeps_nobody_out(path: Path) -> None:
    """The lock is let go of, and not only one of the descriptors of its file."""
    first = Lock(path)
    inherited = os.dup(first._file)
    first.release()
    Lock(path).release()
    os.close(inherited)


def test_a_forked_child_leaves_the_lock_to_its_parent(path: Path) -> None:
    """It keeps nothing open, and what it still has of the object lets go of nothing."""
    first = Lock(path)
    of_the_parent = os.dup(first._file)
    _leave_to_parent()
    for _ in range(2):
        first.leave()
        first.release()
    with pytest.raises(StoreLockedError):
        Lock(path)
    os.close(of_the_parent)
    Lock(path).release()


@pytest.mark.kill
def test_a_process_that_forks_keeps_its_lock_and_can_let_go_of_it(path: Path) -> None:
    """While the child lives, and whatever the child does with the object."""
    program = [sys.executable, "-W", "ignore", "-c", _FORKING, str(path)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert (ended.returncode, ended.stdout.split(), ended.stderr) == (0, ["child", "held", "free"], "")


@pytest.mark.kill
def test_lock_ends_with_its_process(path: Path) -> None:
    """Another process is refused while the holder lives, and let in after it was killed."""
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreLockedError, match=f"process {holder.pid} holds its lock"):
            Lock(path)
    finally:
        holder.kill()
        holder.communicate(timeout=PATIENCE_S)
    Lock(path).release()


@pytest.mark.parametrize("path", [Path("/proc/self/lock"), Path("/nowhere/lock")])
def test_lock_that_cannot_be_made_is_named(path: Path) -> None:
    """A directory that cannot be written is not taken for one that is in use."""
    with pytest.raises(StoreError, match=f"cannot open the lock {path}") as caught:
        Lock(path)
    assert not isinstance(caught.value, StoreLockedError)
    assert caught.value.fix == "Make the state directory writable"


def test_a_disk_that_knows_no_locks_is_named(path: Path, tmp_path: Path, tool: Callable[[str], str]) -> None:
    """A directory that another machine lends, for one; without a lock nothing is begun."""
    trace = [
        tool("strace"),
        "-f",
        "-o",
        str(tmp_path / "trace"),
        "-e",
        "trace=flock",
        "-e",
        "inject=flock:error=ENOLCK",
    ]
    ran = subprocess.run(
        [*trace, sys.executable, "-c", _HOLDER, str(path)],
        capture_output=True,
        check=False,
        text=True,
        timeout=PATIENCE_S,
    )
    assert f"StoreError: cannot lock {path}: [Errno 37] No locks available. Put the state directory on" in ran.stderr


def test_who_holds_it_can_be_seen_without_disturbing_anybody(path: Path) -> None:
    """Nobody, before there is a lock and after it was let go; nothing is made or taken by looking."""
    assert holder(path) is None
    assert not path.exists()
    lock = Lock(path)
    assert holder(path) == f"{os.getpid()}"
    path.write_text("")
    assert holder(path) == ""
    lock.release()
    assert holder(path) is None
    Lock(path).release()


def test_whoever_looks_at_the_moment_of_a_start_does_not_prevent_it(path: Path) -> None:
    """He holds it for an instant; the start waits as long."""
    path.touch()

    def starts() -> bool:
        looking = os.open(path, os.O_RDONLY)
        fcntl.flock(looking, fcntl.LOCK_SH)
        leaves = threading.Timer(0.01, os.close, (looking,))
        leaves.start()
        try:
            Lock(path).release()
        except StoreLockedError:  # on a slow machine he may hold it for longer
            return False
        finally:
            leaves.join()
        return True

    assert eventually(starts)
