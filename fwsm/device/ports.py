"""What the agent needs of the world, as protocols.

An embedder brings an own link, download, installer, policy or clock by writing a class with these methods. Nothing
here is called by two threads at once, except where it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from fwsm.core.policy import Policy

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fwsm.core.moment import Moment
    from fwsm.core.update import Artifact, Probe, Progress, Request, Update
    from fwsm.errors import FwsmError

__all__ = ["Clock", "Download", "Heartbeat", "Installer", "Link", "Message", "MethodCall", "Policy", "Trouble", "Twin"]


class Clock(Protocol):
    """Where time comes from. May be read by any thread."""

    def now(self) -> Moment:
        """The present moment."""
        ...

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Sleep until `event` is set or `timeout_s` seconds have passed; True if it is set."""
        ...


class Heartbeat(Protocol):
    """Hears that the agent gets on; `Watchdog.beat` is one. Called in the agent's thread, so it should return soon."""

    def __call__(self, now: Moment, sign: object) -> float:
        """The agent has come round.

        Args:
            now: the moment.
            sign: of the life of the job under way; another one each time the job looks at its stop event. None for
                no job.

        Returns:
            Seconds until the agent is to come round again, at the latest.
        """
        ...


@dataclass(frozen=True, slots=True)
class MethodCall:
    """A direct method that the hub delivered and that waits for its answer.

    Attributes:
        name: the method's name.
        payload: the JSON value of the request; None if the request had no body.
        respond: sends status and JSON payload; may be called once, from any thread, and never raises. An answer
            that comes after the caller has gone is dropped.
    """

    name: str
    payload: Any
    respond: Callable[[int, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Twin:
    """The device's twin, as the hub had it when it was read.

    Attributes:
        desired: the desired properties, with `$version`.
        reported: the reported properties, with `$version`.
    """

    desired: Mapping[str, Any]
    reported: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something is wrong with the connection that a person should know of, and may find on the device later on.

    Attributes:
        error: what it is; the same one may come again and again.
    """

    error: FwsmError


Message: TypeAlias = MethodCall | Twin | Trouble
"""What comes from the hub, or is known of the way there."""


class Link(Protocol):
    """The device's connection to a hub. `report` is called by the reporter's thread only."""

    def start(self, deliver: Callable[[Message], None]) -> None:
        """Begin to connect, and stay connected until `stop`; return at once.

        Delivered are each direct method, and the whole twin after each connect and after each change of a desired
        property; and what a person has to mend before all is well, if the link knows. `deliver` may be called from any
        thread; it puts the message into a queue and returns. No report is under way from the reading of a twin to its
        delivery, or that report seems to be lost and is sent again.
        """
        ...

    def report(self, patch: Mapping[str, Any]) -> None:
        """Merge `patch` into the reported properties and return when the hub has acknowledged it.

        Raises:
            ReportRefusedError: the hub will never take this patch.
            LinkError: not now; the hub may or may not have applied it, so the same patch is sent again. If the hub
                asked for a pause, `retry_after_s` says how long.
        """
        ...

    def stop(self) -> None:
        """Disconnect and end all threads, within a few seconds; a call that waits in `report` raises LinkError."""
        ...


class Download(Protocol):
    """Gets the artifact of an update onto the disk. Called in a job's thread."""

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        """Load what is missing, prove the whole, and keep it under a name of its own.

        Safe to call again after any interruption: it goes on behind the last byte that is safe on disk.

        Args:
            update: what to load; `update.request.sha256` is the digest it must have, if the operator gave one.
            note: told how much is safe on disk, at a bounded rate.
            stop: when set, break off within a second.

        Raises:
            ArtifactError: see fwsm.errors; DownloadError when `stop` was set.
        """
        ...

    def progress(self, update: Update) -> Progress:
        """What is on disk of it, without reading it all."""
        ...

    def verify(self, update: Update, stop: threading.Event) -> Path:
        """Read the finished file again, compare it with `update.artifact`, and tell where it is.

        Raises:
            ArtifactDamagedError: it is gone or not the same; it has been thrown away.
            DownloadError: `stop` was set.
        """
        ...

    def discard(self, keep: Update | None) -> None:
        """Throw away what belongs to no update or to another one than `keep`."""
        ...


class Installer(Protocol):
    """Puts an image into place. Called in a job's thread, one call at a time.

    Every method is safe to call again after a crash at any point of it. A class that is made from this one has the
    answers of an installer that keeps no account of its images.

    Attributes:
        repeatable: whether `install` may simply run again after it was interrupted half-way.
    """

    repeatable: bool

    def target_slot(self) -> str | None:
        """The slot that the next image goes to; None if this installer has no slots."""
        ...

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        """Write the image, prove what was written, and activate it on trial; nothing if that is done already.

        While the image runs on trial, what there is beside it is what the device falls back to, so that must not be
        written over. The agent asks `probe` first, and does not call this if the answer is `DONE`.

        Returns:
            Whether a reboot is required before the new image runs.

        Raises:
            InstallError: it did not work; what ran before still runs.
        """
        ...

    def probe(self, update: Update) -> Probe:
        """How far did `install` get? `DONE` as well if the image of this update runs already.

        Asked after a restart and before each installation.
        """
        ...

    def image_of(self, update: Update) -> Artifact | None:  # noqa: ARG002  # it is for those that do keep one
        """The image that this update brought, or was bringing, into a slot, as the installer itself remembers it.

        A device that has lost its database asks this. An installer that keeps no account answers None, as this does.
        """
        return None

    def runs_already(self, request: Request) -> Artifact | None:  # noqa: ARG002  # same
        """The image that runs and has been confirmed, if its digest and version are those of a request; else None.

        By this no image is installed twice. An installer that keeps no account answers None, as this does.
        """
        return None

    def reboot(self) -> None:
        """Order a reboot and return; the program is ended from outside, soon."""
        ...

    def runs(self, update: Update) -> bool:
        """Whether what runs now is the image of this update."""
        ...

    def confirm(self, update: Update) -> None:
        """Mark the running image good, durably.

        Raises:
            InstallError: that did not work.
        """
        ...

    def roll_back(self, update: Update) -> bool:
        """Make the device boot what worked before.

        Returns:
            Whether a reboot is required before the old image runs; False once it does.

        Raises:
            InstallError: that did not work.
        """
        ...
