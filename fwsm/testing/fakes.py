"""A download and an installer in memory, for tests of what is built on the agent.

They keep the ports' promises and can be told what goes wrong. What a process that dies would lose is kept apart from
what it would not: give the same `Board` to the next installer to play a restart.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fwsm.core.update import Artifact, Probe, Progress
from fwsm.errors import ArtifactDamagedError, DownloadError, InstallError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from fwsm.core.update import Request, Update

__all__ = ["Board", "MemoryDownload", "MemoryInstaller"]


@dataclass
class MemoryDownload:
    """The download port over a dictionary; `fwsm.device.ports.Download`.

    Attributes:
        served: content by URI.
        kept: what is on disk, by update id.
        failures: raised by the next fetches, one each, after half of the content has come.
        fetches: the URIs that were fetched.
    """

    served: dict[str, bytes]
    kept: dict[str, bytes] = field(default_factory=dict)
    failures: list[BaseException] = field(default_factory=list)
    fetches: list[str] = field(default_factory=list)

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Load it, or half of it."""
        self.fetches.append(update.request.uri)
        if stop.is_set():
            raise DownloadError("the download was broken off")
        content = self.served[update.request.uri]
        half = len(content) // 2
        self.kept[update.id] = content[:half]
        note(Progress(half, len(content)))
        if self.failures:
            raise self.failures.pop(0)
        self.kept[update.id] = content
        return Artifact(hashlib.sha256(content).hexdigest(), len(content))

    def progress(self, update: Update) -> Progress:
        """What is kept."""
        return Progress(len(self.kept.get(update.id, b"")), len(self.served[update.request.uri]))

    def verify(self, update: Update, stop: threading.Event) -> Path:  # noqa: ARG002
        """Compare what is kept with the record."""
        kept = self.kept.get(update.id, b"")
        if update.artifact is None or hashlib.sha256(kept).hexdigest() != update.artifact.sha256:
            self.kept.pop(update.id, None)
            raise ArtifactDamagedError("the file has changed on disk")
        return Path(update.id)

    def discard(self, keep: Update | None) -> None:
        """Forget the others."""
        for name in [name for name in self.kept if keep is None or name != keep.id]:
            del self.kept[name]


@dataclass
class Board:
    """What survives a process: two slots, the boot pointer, and which slot runs.

    Attributes:
        booted: the slot that runs.
        primary: the slot that is booted when there is no trial.
        trial: the slot to try at the next boot; None for none.
        content: the update id in each slot.
        images: the image that each update brought.
        installed: the ids of the updates that were installed, in order.
        boots: how many boots there were.
        accepts: whether the boot loader accepts the trial slot.
    """

    booted: str = "a"
    primary: str = "a"
    trial: str | None = None
    content: dict[str, str] = field(default_factory=dict)
    images: dict[str, Artifact] = field(default_factory=dict)
    installed: list[str] = field(default_factory=list)
    boots: int = 1
    accepts: bool = True

    def power_cycle(self) -> str:
        """Boot, and name the boot."""
        self.boots += 1
        self.booted = self.trial if self.trial and self.accepts else self.primary
        self.trial = None
        return f"boot-{self.boots}"


class MemoryInstaller:
    """The installer port over a `Board`; `fwsm.device.ports.Installer`.

    Attributes:
        board: what survives.
        failures: raised by the next installations, one each.
        reboots: how many reboots were ordered.
        repeatable: what this installer declares.
    """

    def __init__(self, board: Board, *, repeatable: bool = True) -> None:
        self.board = board
        self.failures: list[Exception] = []
        self.rollback_failures: list[Exception] = []
        self.reboots = 0
        self.repeatable = repeatable

    def target_slot(self) -> str | None:
        """The slot that does not run."""
        return "b" if self.board.booted == "a" else "a"

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:  # noqa: ARG002
        """Write and activate, unless that is done."""
        if stop.is_set():
            raise InstallError("the installation was broken off")
        if self.failures:
            raise self.failures.pop(0)
        if self.probe(update) is Probe.DONE:
            return not self.runs(update)
        target = self.target_slot()
        assert target is not None  # noqa: S101
        self.board.content[target] = update.id
        if update.artifact is not None:
            self.board.images[update.id] = update.artifact
        self.board.installed.append(update.id)
        self.board.trial = target
        return True

    def probe(self, update: Update) -> Probe:
        """Whether what waits for a boot, or runs, is this update's."""
        slots = (self.board.trial, self.board.booted)
        return Probe.DONE if update.id in map(self.board.content.get, filter(None, slots)) else Probe.NOT_BEGUN

    def image_of(self, update: Update) -> Artifact | None:
        """What the update brought, if a slot still holds it."""
        return self.board.images.get(update.id) if update.id in self.board.content.values() else None

    def runs_already(self, request: Request) -> Artifact | None:
        """What runs, if it is confirmed and that is what is asked for."""
        running = self.board.images.get(self.board.content.get(self.board.booted, ""))
        if running is None or self.board.booted != self.board.primary:
            return None
        return running if running.sha256 == request.sha256 else None

    def reboot(self) -> None:
        """Count the order; the test cycles the power."""
        self.reboots += 1

    def runs(self, update: Update) -> bool:
        """Whether the running slot holds this update."""
        return self.board.content.get(self.board.booted) == update.id

    def confirm(self, update: Update) -> None:  # noqa: ARG002
        """Make the running slot the primary one."""
        self.board.primary = self.board.booted

    def roll_back(self, update: Update) -> bool:
        """Forget the trial; True while the new image still runs."""
        if self.rollback_failures:
            raise self.rollback_failures.pop(0)
        self.board.trial = None
        return self.runs(update)
