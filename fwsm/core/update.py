"""One update: what was asked for, where it stands, and why.

An `Update` is a value. The lifecycle makes the next one out of the last one, the store keeps it, the twin shows it.
"""

from __future__ import annotations

import enum
import math
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from fwsm.core.redaction import redacted
from fwsm.core.text import is_seen, said_by
from fwsm.errors import ConfigError, FwsmError, Kind

if TYPE_CHECKING:
    from datetime import datetime

    from fwsm.core.moment import Deadline

__all__ = ["Artifact", "Failure", "Limits", "Probe", "Progress", "Request", "State", "Update"]


_PLAIN: Final = re.compile(r"[a-z][A-Za-z0-9]{0,39}", re.ASCII)


class State(enum.StrEnum):
    """Where an update stands. The values are stored and reported; they never change.

    What stands before the dot is the tutorial's `status`, one of seven; what stands behind it is our `substatus`.
    """

    WAITING = "waiting"
    DOWNLOADING = "downloading"
    DOWNLOAD_COMPLETE = "downloadComplete"
    DOWNLOAD_FAILED = "downloadFailed"
    INSTALLING = "applying.installing"
    REBOOTING = "applying.rebooting"
    CONFIRMING = "applying.confirming"
    ROLLING_BACK = "applying.rollingBack"
    APPLY_COMPLETE = "applyComplete"
    APPLY_FAILED = "applyFailed"

    @classmethod
    def child(cls, name: str) -> State:
        """A further child of `applying`, as an extension of the lifecycle declares it.

        The same object for the same name, so it compares like any other state. It is no member of the list of states,
        and `State("applying.…")` knows it only after it was declared.

        Raises:
            ConfigError: `name` is no plain word.
        """
        value = f"applying.{name}"
        found = cls._value2member_map_.get(value)
        if isinstance(found, cls):
            return found
        if not _PLAIN.fullmatch(name):
            raise ConfigError(
                f"'{name}' cannot be a state",
                why="it is written on the twin and into the database",
                fix="Use up to 40 letters and digits, beginning with a small letter",
            )
        made = str.__new__(cls, value)
        made._name_, made._value_ = name, value
        cls._value2member_map_[value] = made
        return made

    @classmethod
    def named(cls, value: str) -> State:
        """The state of a name that was written down; also a child of `applying` that nobody here has declared.

        Raises:
            ValueError: no program of this kind has such a state.
        """
        status, _, name = value.partition(".")
        if status != "applying" or not _PLAIN.fullmatch(name):
            return cls(value)
        return cls.child(name)

    @property
    def status(self) -> str:
        """One of the seven strings of the wire."""
        return self.value.partition(".")[0]

    @property
    def substatus(self) -> str | None:
        """The child of `applying`, or None."""
        return self.value.partition(".")[2] or None

    @property
    def settled(self) -> bool:
        """Whether nothing more happens by itself."""
        return self in _SETTLED

    @property
    def interruptible(self) -> bool:
        """Whether an operator can still cancel or supersede; from `applying` on it is too late."""
        return self in _INTERRUPTIBLE


_SETTLED: Final = frozenset({State.DOWNLOAD_FAILED, State.APPLY_COMPLETE, State.APPLY_FAILED})
_INTERRUPTIBLE: Final = frozenset({State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE})


class Probe(enum.StrEnum):
    """What an installer finds when it comes back to a state that it may have left in the middle."""

    DONE = "done"  # the image is in its slot, proved, and activated
    NOT_BEGUN = "notBegun"  # nothing has been touched
    UNFINISHED = "unfinished"  # something has been touched; whether to do it again is the installer's to declare


@dataclass(frozen=True, slots=True)
class Request:
    """What an operator asked for.

    Attributes:
        uri: where the image is; https, no credentials in it. Its query may be a secret: never show it.
        sha256: digest the image must have, 64 lower-case hex digits; None if the operator gave none.
        version: the version of the new firmware as the operator calls it; None if not given.
    """

    uri: str
    sha256: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something did not work.

    Attributes:
        code: short and stable, for programs: `error.code` on the twin.
        message: for people; what, why, what to do.
        kind: what helps against it.
    """

    code: str
    message: str
    kind: Kind

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure that an exception stands for. A foreign exception is a bug, and a bug is not retried."""
        if isinstance(error, FwsmError):
            # A program's own class may have others; the database could not hold one, or not be read with the other.
            code = error.code if isinstance(error.code, str) and error.code and is_seen(error.code) else "internal"
            kind = error.kind if isinstance(error.kind, Kind) else Kind.PERMANENT
            return cls(code=code, message=_storable(said_by(error)), kind=kind)
        return cls(code="internal", message=_storable(f"{type(error).__name__}: {said_by(error)}"), kind=Kind.PERMANENT)


def _storable(text: str) -> str:
    """Without secrets, not too long, and without the surrogates that stand for bytes of a file name."""
    text = redacted(text)
    text = text if len(text) <= _LONGEST_MESSAGE else f"{text[: _LONGEST_MESSAGE - 1]}…"
    return text.encode(errors="replace").decode()


# A foreign error may quote a whole file. The twin takes less than this, the log has it all.
_LONGEST_MESSAGE: Final = 4000


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the artifact is on disk.

    Attributes:
        bytes: how many; they are safe on disk.
        total_bytes: how many there will be; None while the server has not said.
    """

    bytes: int
    total_bytes: int | None = None

    @property
    def percent(self) -> int | None:
        """Whole percent, rounded down, so that 100 means all of it; None without a total."""
        return self.bytes * 100 // self.total_bytes if self.total_bytes else None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A downloaded file whose bytes have been read and hashed.

    Attributes:
        sha256: digest of what is on disk.
        bytes: its size.
    """

    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the table breaks a loop. Each counts on disk, per update.

    Attributes:
        attempts: tries in one state without progress before it counts as failed. Eight tries with full jitter between
            10 s and 10 min cover about half an hour without network; waiting longer is the next retry's job.
        restarts: restarts of the process in one state without progress. A crash loop must end, but a watchdog or a
            technician may well restart a device a few times during one update.
        reboots: reboots ordered for one update. One is needed; a board that ignores two will ignore the third.
        damages: downloads thrown away because the finished file was no longer intact. Twice is a bad disk.
        progress_bytes: how much a try must add to count as progress. 64 KiB is what a 2G link loads in some 15 s.
        retry_base_s: upper end of the first pause between tries; each further one doubles it.
        retry_cap_s: upper end that no pause exceeds, whatever a server asks for.
        reboot_s: how long an ordered reboot may take to end this program. Slow services stop within minutes.
        confirm_s: how long the new firmware may take to prove that it works.

    Raises:
        ConfigError: one of them would let a loop go on for ever, or nothing begin.
    """

    attempts: int = 8
    restarts: int = 5
    reboots: int = 3
    damages: int = 2
    progress_bytes: int = 64 * 1024
    retry_base_s: float = 10.0
    retry_cap_s: float = 600.0
    reboot_s: float = 300.0
    confirm_s: float = 600.0

    def __post_init__(self) -> None:
        """Without these the table would break no loop, or let nothing be tried."""
        least = {"attempts": 1, "restarts": 0, "reboots": 1, "damages": 0, "progress_bytes": 1}
        for name, value in asdict(self).items():
            good = value >= least[name] if name in least else 0 < value < math.inf
            if not good:
                wanted = f"at least {least[name]}" if name in least else "greater than 0, and have an end"
                raise ConfigError(f"{name} is {value}", why=f"it must be {wanted}", fix="Change it, or leave it out")

    def retry_in_s(self, attempt: int, chance: float, asked_s: float | None = None) -> float:
        """The pause before the next try: full jitter, exponential, or what the server asked for, capped.

        Args:
            attempt: the try that has just failed, counted from 1.
            chance: a random number in [0, 1).
            asked_s: the server's Retry-After; it wins over the backoff but not over the cap.
        """
        if asked_s is not None:
            return min(max(asked_s, 0.0), self.retry_cap_s)
        return float(min(self.retry_cap_s, self.retry_base_s * 2 ** min(attempt - 1, 32)) * chance)


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """One attempt to bring this device to one image; the row that the store keeps.

    Attributes:
        id: the `updateId` of the wire.
        request: what was asked for.
        state: where it stands.
        boot_id: the boot in which this state was entered.
        attempt: tries in this state, counted from 1; starts again with progress.
        restarts: restarts of the process in this state without progress.
        resumed: restarts of the process during the whole update; never starts again.
        reboots: reboots ordered so far.
        damages: finished downloads that were found damaged.
        failure: why it failed, or why it tries again; None while all is well.
        rolled_back: whether the old firmware runs again because the new one did not work.
        reason: why it waits; None if it does not.
        until: till when it waits, wall time, for people; None if that is not known.
        deadline: when the wait or the state's time is over.
        progress: what is on disk.
        reached_bytes: how much of the artifact was on disk when that last counted as progress. The next progress counts
            from here, so a server whose file keeps changing cannot keep the update going for ever.
        artifact: digest and size of the finished download; None before.
        target_slot: the slot that receives the image; None before `applying` or if the installer has no slots.
        started_waiting_at, download_complete_at, started_applying_at, applied_at: UTC wall times of the tutorial's
            reported properties.
    """

    id: str
    request: Request
    state: State
    boot_id: str
    attempt: int = 1
    restarts: int = 0
    resumed: int = 0
    reboots: int = 0
    damages: int = 0
    failure: Failure | None = None
    rolled_back: bool = False
    reason: str | None = None
    until: datetime | None = None
    deadline: Deadline | None = None
    progress: Progress | None = None
    artifact: Artifact | None = None
    target_slot: str | None = None
    started_waiting_at: datetime | None = None
    download_complete_at: datetime | None = None
    started_applying_at: datetime | None = None
    applied_at: datetime | None = None
    reached_bytes: int = 0
