"""One fetch in motion: requests until the part is whole, and the proof at the end.

Three loops, each with its own end. Within an answer, bytes are taken until they end, stall or are to stop. Within a
streak, what breaks off is tried again with backoff, a few times; a try that brought something begins a new streak.
Around both, the part may be begun anew once: because the object was replaced, because the server's ranges cannot be
trusted, or because a part put together from several answers has a wrong digest. All that takes longer than seconds is
left to the lifecycle.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.update import Progress
from fwsm.device.backoff import retrying
from fwsm.device.download.answer import Asked, Body, InterruptionError, StartOver, Whole, judge
from fwsm.device.download.header import Validator
from fwsm.device.download.pump import Pump
from fwsm.device.download.request import Request, shown
from fwsm.errors import ArtifactDamagedError, ArtifactError, DownloadError, NoSpaceError

if TYPE_CHECKING:
    import ssl
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.update import Artifact
    from fwsm.core.update import Request as Wanted
    from fwsm.device.download.answer import Head
    from fwsm.device.download.part import Part
    from fwsm.device.durable import Disk
    from fwsm.device.ports import Clock

__all__ = ["Bounds", "Transfer", "stopped"]

_SLICE_S: Final = 0.25  # how late a stop may be noticed
_NOTE_EVERY_S: Final = 0.5
_TRICKLE_BYTES: Final = 1024  # less than that in a whole stall time is a server that plays dead
_PROGRESS_BYTES: Final = 64 * 1024  # what a try must bring to begin a new streak
_SHARES: Final = 32
_LEAST_INTERVAL_BYTES: Final = 64 * 1024
_TRIES, _BASE_S, _CAP_S = 5, 0.5, 8.0  # at most 15 s of pauses in a streak


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of a transfer; see HttpsDownload for their meaning."""

    max_bytes: int
    reserve_bytes: int
    stall_s: float
    checkpoint_bytes: int
    checkpoint_s: float
    allow_http: bool


def stopped() -> DownloadError:
    """The error of a fetch that was told to stop."""
    return DownloadError("the download was broken off", why="the program stops or the update was cancelled")


class Transfer:
    """Loads what is missing of one part.

    Args:
        wanted: what to load.
        part: where it goes.
        directory: whose file system must have room for it.
        note: told what is safe.
        stop: when set, break off.
    """

    def __init__(
        self,
        wanted: Wanted,
        part: Part,
        directory: Path,
        *,
        note: Callable[[Progress], None],
        stop: threading.Event,
        disk: Disk,
        clock: Clock,
        tls: ssl.SSLContext,
        bounds: Bounds,
    ) -> None:
        self._wanted = wanted
        self._part = part
        self._directory = directory
        self._note = note
        self._stop = stop
        self._disk = disk
        self._clock = clock
        self._tls = tls
        self._bounds = bounds
        self._where = shown(wanted.uri)
        self._furthest_bytes = part.size_bytes
        self._begun_anew = False
        self._noted = Progress(-1)
        self._noted_s = self._checkpoint_s = self._now_s()

    def run(self) -> Artifact:
        """Load, and prove the digest.

        Raises:
            ArtifactError: one of its leaves; what came is kept, except when it is damaged.
        """
        while True:
            while not self._part.is_complete:
                streak = retrying(
                    self._clock, self._stop, base_s=_BASE_S, cap_s=_CAP_S, attempts=_TRIES, when=_soon_over
                )
                streak(self._try)
            artifact = self._part.artifact
            if self._wanted.sha256 in {None, artifact.sha256}:
                return artifact
            if self._part.whole or self._part.record.renewed:
                self._part.discard()
                raise _damaged(self._where, self._wanted.sha256, artifact)
            # Put together from several answers: the fault may lie in the joints, or in our own disk.
            self._part.begin(None, Validator(), renewed=True)
            self._furthest_bytes = 0

    def _try(self) -> None:
        """One request. Returns when it brought enough or the part is whole; raises when it broke off without."""
        before_bytes = self._furthest_bytes
        try:
            self._request()
        except InterruptionError:
            if self._furthest_bytes - before_bytes < _PROGRESS_BYTES:
                raise

    def _request(self) -> None:
        self._check_stop()
        asked = self._ask()
        request = Request(
            self._wanted.uri,
            _range_headers(asked),
            tls=self._tls,
            allow_http=self._bounds.allow_http,
            timeout_s=self._bounds.stall_s,
        )
        with closing(Pump(request)) as pump:
            verdict = judge(self._await_head(pump), asked, self._clock.now().wall)
            if isinstance(verdict, Whole):
                self._part.end()
            elif isinstance(verdict, StartOver):
                self._count_new_beginning(verdict.why)
                self._part.begin(None, Validator())
            else:
                self._prepare(verdict)
                self._receive(pump, verdict)

    def _ask(self) -> Asked:
        """Ask for what is missing, if what comes can be known to belong to what is here."""
        record = self._part.record
        provable = record.validator.if_range is not None or self._wanted.sha256 is not None
        first_byte = self._part.size_bytes if provable else 0
        return Asked(self._where, first_byte, record.total_bytes, record.validator)

    def _await_head(self, pump: Pump) -> Head:
        began_s = self._now_s()
        while (head := pump.head(_SLICE_S)) is None:
            self._check_stop()
            if self._now_s() - began_s > self._bounds.stall_s:
                raise self._stalled()
        return head

    def _prepare(self, body: Body) -> None:
        """Make the part fit for this body, if there is room for it."""
        total = body.total_bytes
        least = max(total or 0, body.end_byte or 0)
        if least > self._bounds.max_bytes:
            raise self._too_large(f"it has {least} bytes")
        if total is not None:
            needed = total - self._part.size_bytes + self._bounds.reserve_bytes
            free = self._disk.free_bytes(self._directory)
            if needed > free:
                raise NoSpaceError(
                    f"the image does not fit into {self._directory}",
                    why=f"{needed} bytes are needed, {self._bounds.reserve_bytes} of them as a reserve, "
                    f"and {free} are free",
                    fix="Free some space, then retry",
                )
        if body.first_byte:
            self._part.go_on(total)
            return
        if self._part.size_bytes:
            self._count_new_beginning("the server sent the whole file in place of the rest")
        self._part.begin(total, body.validator)

    def _count_new_beginning(self, why: str) -> None:
        if self._begun_anew:
            raise DownloadError(
                f"the image at {self._where} could not be loaded in one go or in parts",
                why=why,
                fix="Check the server and any proxy: an image must not change while it is being loaded",
            )
        self._begun_anew = True
        self._furthest_bytes = 0

    def _receive(self, pump: Pump, body: Body) -> None:
        end = self._bounds.max_bytes + 1 if body.end_byte is None else body.end_byte
        mark_bytes, mark_s = self._part.size_bytes, self._now_s()
        while self._part.size_bytes < end:
            piece = pump.take(_SLICE_S)
            if piece is None:
                break
            if piece:
                self._part.append(memoryview(piece)[: end - self._part.size_bytes])
                self._furthest_bytes = max(self._furthest_bytes, self._part.size_bytes)
            self._check_stop()  # behind the piece: what has come is not thrown away
            self._make_safe()
            if self._part.size_bytes - mark_bytes >= _TRICKLE_BYTES:
                mark_bytes, mark_s = self._part.size_bytes, self._now_s()
            elif self._now_s() - mark_s > self._bounds.stall_s:
                raise self._stalled()
        if body.end_byte is None:
            self._end_of_unknown()
        elif self._part.size_bytes < end:
            raise InterruptionError(
                f"the answer of {self._where} ended early",
                why=f"{self._part.size_bytes} of {end} bytes came",
            )

    def _end_of_unknown(self) -> None:
        if self._part.size_bytes > self._bounds.max_bytes:
            self._part.discard()
            raise self._too_large("it does not end")
        self._part.end()

    def _make_safe(self) -> None:
        now_s = self._now_s()
        due = now_s - self._checkpoint_s >= self._bounds.checkpoint_s
        if self._part.unasked_bytes >= (1 if due else self._interval_bytes()):
            self._part.checkpoint()
            self._checkpoint_s = now_s
        safe = self._part.poll()
        if safe != self._noted and now_s - self._noted_s >= _NOTE_EVERY_S:
            self._noted, self._noted_s = safe, now_s
            self._note(safe)

    def _interval_bytes(self) -> int:
        """How many bytes there are between two checkpoints: fewer for a small image, so that it shows progress."""
        share = (self._part.record.total_bytes or 0) // _SHARES
        return min(self._bounds.checkpoint_bytes, max(share, _LEAST_INTERVAL_BYTES))

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise stopped()

    def _now_s(self) -> float:
        return self._clock.now().boottime_s

    def _stalled(self) -> InterruptionError:
        return InterruptionError(
            f"{self._where} has gone silent", why=f"almost nothing came for {self._bounds.stall_s:.0f} s"
        )

    def _too_large(self, why: str) -> ArtifactError:
        return ArtifactError(
            f"the image at {self._where} is larger than the {self._bounds.max_bytes} bytes that are allowed",
            why=why,
            fix="Check fwPackageUri, or raise max_bytes",
        )


def _soon_over(error: BaseException) -> bool:
    return isinstance(error, InterruptionError)


def _range_headers(asked: Asked) -> dict[str, str]:
    if not asked.first_byte:
        return {}
    headers = {"Range": f"bytes={asked.first_byte}-"}
    if asked.validator.if_range is not None:
        headers["If-Range"] = asked.validator.if_range
    return headers


def _damaged(where: str, sha256: str | None, artifact: Artifact) -> ArtifactDamagedError:
    return ArtifactDamagedError(
        f"what {where} sent is not the image that was promised",
        why=f"its {artifact.bytes} bytes have the SHA-256 {artifact.sha256}, and {sha256} was asked for",
        fix="Check that the digest belongs to this image, then start a new update",
    )
