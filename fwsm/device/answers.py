"""Whether a part of the program's own has answered what its protocol promises.

A type checker says so before the program runs. Where nobody ran one, a wrong answer would be met far from where it was
given: by the database, which cannot store it, or by arithmetic in a thread that must not end. So whatever a part
answers is looked at here first, and what is wrong is said of the part and the method, with what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from fwsm.core.moment import Moment
from fwsm.core.policy import NotBefore
from fwsm.core.redaction import redacted
from fwsm.core.text import cut, is_seen, said_by
from fwsm.core.update import Artifact, Probe, Progress
from fwsm.device.fitting import is_number, is_promise, let_go
from fwsm.device.ports import Message, MethodCall, Trouble, Twin
from fwsm.errors import ConfigError, FwsmError, PartError

__all__ = ["Asked", "unusable"]

_LARGEST: Final = 2**63 - 1  # what the database takes
_LONGEST_WORD: Final = 128
_LONGEST_SHOWN: Final = 200
_SHA256: Final = re.compile("[0-9a-f]{64}")

_BYTES: Final = f"an int from 0 to {_LARGEST}"
_ARTIFACT: Final = f"an Artifact of 64 lower-case hex digits and {_BYTES}"
_WORD: Final = f"a text of 1 to {_LONGEST_WORD} characters that can be seen"
_SECONDS: Final = "a number of seconds that has an end"
_YEARS: Final = range(1970, 9000)
_LONGEST_UP_S: Final = 10**10  # three centuries; in a float, seconds can still be added to it
_UP: Final = f"a number from 0 to {_LONGEST_UP_S}"
_UTC: Final = f"a datetime of the years {_YEARS[0]} to {_YEARS[-1]} whose zone is UTC"


@dataclass(frozen=True, slots=True)
class Asked:
    """One method of a part. Each function here takes what it answered, and returns that if it is good.

    Attributes:
        part: what the part is to the device, such as "installer".
        method: what was called.
        did: what the method did with the value, for the error message.
    """

    part: str
    method: str
    did: str = "answered"

    def done(self, answer: object) -> None:
        """Of a method that answers nothing: whether it has done its work, now that it has returned.

        Raises:
            PartError: it only made a promise, or says False, which cannot be taken for success.
        """
        if answer is False or is_promise(answer):
            self._refuse(answer, "it must have done its work when it returns, in a plain function, or raise an error")

    def yes_or_no(self, answer: object) -> bool:
        """A bool; raises PartError for anything else, since nothing that is merely true or false was meant so."""
        if not isinstance(answer, bool):
            self._refuse(answer, "True or False is wanted")
        return answer

    def word(self, answer: object) -> str | None:
        """A name that can be stored and shown, or None; raises PartError for anything else."""
        if answer is not None and not _is_word(answer):
            self._refuse(answer, f"{_WORD}, or None, is wanted")
        return answer  # type: ignore[return-value]  # as was just found

    def name(self, answer: object) -> str:
        """As `word`, but there must be one."""
        if not _is_word(answer):
            self._refuse(answer, f"{_WORD} is wanted")
        return answer  # type: ignore[return-value]  # as was just found

    def share(self, answer: object) -> float:
        """A number from 0 up to, but not, 1; raises PartError for anything else."""
        if not is_number(answer) or not 0 <= answer < 1:
            self._refuse(answer, "a number from 0 up to 1 is wanted")
        return float(answer)

    def seconds(self, answer: object) -> float:
        """A number of seconds with an end; raises PartError for anything else."""
        if not is_number(answer):
            self._refuse(answer, f"{_SECONDS} is wanted")
        return float(answer)

    def path(self, answer: object) -> Path:
        """A path; raises PartError for anything else."""
        if not isinstance(answer, Path):
            self._refuse(answer, "a pathlib.Path is wanted")
        return answer

    def probe(self, answer: object) -> Probe:
        """A member of Probe; raises PartError for anything else, a text that is spelt like one included."""
        if not isinstance(answer, Probe):
            self._refuse(answer, "a member of fwsm.Probe is wanted")
        return answer

    def artifact(self, answer: object, sha256: str | None = None) -> Artifact:
        """A digest and a size.

        Args:
            answer: what should be one.
            sha256: the digest that it must have; None if any will do.

        Raises:
            PartError: it is none, or of another image.
        """
        if not _is_artifact(answer):
            self._refuse(answer, f"{_ARTIFACT} is wanted")
        assert isinstance(answer, Artifact)  # noqa: S101  # as was just found
        if sha256 not in {None, answer.sha256}:
            self._refuse(answer, f"the image that is asked for has the digest {sha256}")
        return answer

    def artifact_or_none(self, answer: object, sha256: str | None = None) -> Artifact | None:
        """As `artifact`, or None."""
        return None if answer is None else self.artifact(answer, sha256)

    def progress(self, answer: object) -> Progress:
        """How much is on disk; raises PartError for anything else."""
        if not (
            isinstance(answer, Progress)
            and _is_size(answer.bytes)
            and (answer.total_bytes is None or _is_size(answer.total_bytes))
        ):
            self._refuse(answer, f"a Progress is wanted: bytes is {_BYTES}, total_bytes as well, or None")
        return answer

    def moment(self, answer: object, since: Moment | None = None) -> Moment:
        """A reading of the clock.

        Args:
            answer: the reading.
            since: one that was over before this one was begun; None for none.

        Raises:
            PartError: it is none, or the boot clock has run backwards.
        """
        if not (isinstance(answer, Moment) and _is_moment(answer)):
            wanted = f"a Moment is wanted: wall is {_UTC}, boottime_s {_UP}, boot_id {_WORD}"
            self._refuse(answer, wanted)
        if since is not None and since.boot_id == answer.boot_id and answer.boottime_s < since.boottime_s:
            self._refuse(
                answer, f"boottime_s never runs backwards within a boot, and was {since.boottime_s!r} before that"
            )
        return answer

    def verdict(self, answer: object) -> NotBefore | None:
        """What a policy says; raises PartError if that says nothing, or could not be stored."""
        if answer is None:
            return None
        if not isinstance(answer, NotBefore):
            self._refuse(answer, "a NotBefore, or None to go on, is wanted")
        if not _is_word(answer.reason):
            self._refuse(answer, f"the reason must be {_WORD}")
        if answer.until is not None and not _is_time(answer.until):
            self._refuse(answer, "until must be a datetime with its zone, of a year that UTC has as well, or None")
        if not is_number(answer.wait_s):
            self._refuse(answer, f"wait_s must be {_SECONDS}")
        return replace(answer, wait_s=float(answer.wait_s))  # the database takes any float, and not any int

    def message(self, answer: object) -> Message:
        """What a link delivers; raises PartError for anything else."""
        if isinstance(answer, MethodCall):
            if not isinstance(answer.name, str) or not callable(answer.respond):
                self._refuse(answer, "the name of a method is a text, and respond can be called")
            return answer
        if isinstance(answer, Trouble):
            if not isinstance(answer.error, FwsmError):
                self._refuse(answer, "a trouble is an FwsmError")
            return answer
        if not isinstance(answer, Twin):
            self._refuse(answer, "a MethodCall, a Twin or a Trouble is wanted")
        if not isinstance(answer.desired, Mapping) or not isinstance(answer.reported, Mapping):
            self._refuse(answer, "desired and reported are the two dicts of the twin")
        return Twin(dict(answer.desired), dict(answer.reported))

    def _refuse(self, answer: object, wanted: str) -> NoReturn:
        let_go(answer)
        contract = f"fwsm.testing.contracts.{self.part.capitalize()}Contract" if self.part in _TRIED else ""
        raise PartError(
            f"the {self.part}'s {self.method} {self.did} {_shown(answer)}",
            why=wanted,
            fix=f"Mend the {self.part}" + (f"; {contract} tries it on the bench" if contract else ""),
        )


def unusable(part: str, error: Exception) -> ConfigError:
    """What to raise, when the device is made, of a part that fails there already."""
    why = f"{type(error).__name__}: {said_by(error)}"
    if isinstance(error, PartError):
        why = f"{error.what}, and {error.why}"
    return ConfigError(f"the {part} cannot be used", why=why, fix=f"Mend the {part}")


_TRIED: Final = frozenset({"clock", "download", "installer", "link", "policy"})


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST


def _is_word(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_WORD and is_seen(value)


def _is_artifact(value: object) -> bool:
    if not isinstance(value, Artifact) or not isinstance(value.sha256, str):
        return False
    return _SHA256.fullmatch(value.sha256) is not None and _is_size(value.bytes)


def _is_moment(moment: Moment) -> bool:
    in_utc = isinstance(moment.wall, datetime) and moment.wall.utcoffset() == timedelta(0)
    in_time = in_utc and moment.wall.year in _YEARS  # so that a span may be added or taken away
    is_up = is_number(moment.boottime_s) and 0 <= moment.boottime_s <= _LONGEST_UP_S
    return in_time and is_up and _is_word(moment.boot_id)


def _is_time(value: object) -> bool:
    if not isinstance(value, datetime) or value.utcoffset() is None:
        return False
    try:
        value.astimezone(UTC)
    except OverflowError:  # the first or the last day of all, in another zone
        return False
    return True


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # it is somebody else's code
        text = f"a {type(value).__name__} that cannot be shown"
    return cut(redacted(text), _LONGEST_SHOWN)
