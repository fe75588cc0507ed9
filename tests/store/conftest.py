"""What the tests of the store share.

A new store, the database that a killed agent leaves, and disks of a test's own for the programs that it starts.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Protocol

import pytest

from fwsm.store import Store
from tests.store.damage import left_behind
from tests.store.entries import NOW, UPDATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Mounted(Protocol):
    """The beginning of a command that runs a program with a directory mounted as said, for that program alone."""

    def __call__(self, directory: Path, mounts: str) -> list[str]:
        """Return it; `$0` in the shell's words is the directory."""
        ...


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that has seen nothing."""
    with Store(tmp_path) as store:
        yield store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The database that a killed agent leaves behind: one update, part of it in the log."""
    with Store(tmp_path / "state") as store:
        store.accept(UPDATE, NOW)
        return left_behind(tmp_path / "state", tmp_path / "left")


@pytest.fixture
def mounted(tool: Callable[[str], str]) -> Mounted:
    """Return a function for such commands; it skips the test where nobody may mount."""
    isolate = [tool("unshare"), "--user", "--map-root-user", "--mount"]
    tried = subprocess.run([*isolate, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("this machine lets nobody mount in a namespace of their own")

    def command(directory: Path, mounts: str) -> list[str]:
        return [*isolate, "sh", "-c", f'{mounts} && exec "$@"', str(directory)]

    return command
