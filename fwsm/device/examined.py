"""The parts that a program brings, with whatever they answer examined before anybody relies on it.

A wrong answer raises PartError where the part was called, so that it is met like every other failure of that call, and
is kept as an incident. Some calls have nobody to raise it to:

- what a link delivers wrongly is dropped, and so is an answer to a method that it cannot send;
- a clock that cannot be read is gone on with, see `SteadyClock`;
- a heartbeat that fails is tried again in the agent's next turn;
- instead of a random number or an id that is none, one of the machine's is taken.
"""

from __future__ import annotations

import copy
import logging
import math
import random
import uuid
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from fwsm.core.text import said_by
from fwsm.device import ports
from fwsm.device.answers import Asked, unusable
from fwsm.device.fitting import require_call, require_part
from fwsm.device.mishaps import Mishap, Mishaps
from fwsm.device.ports import MethodCall, Twin
from fwsm.device.steady import SteadyClock
from fwsm.errors import PartError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from fwsm.core.moment import Moment
    from fwsm.core.policy import NotBefore, Policy
    from fwsm.core.update import Artifact, Probe, Progress, Request, Update
    from fwsm.device.ports import Clock, Download, Heartbeat, Installer, Link, Message

__all__ = ["Examiner"]

T = TypeVar("T")

_log = logging.getLogger(__name__)

_FAILED: Final = "partFailed"


class Examiner:
    """Examines what the parts of one device answer. Each part is looked at here, and then at each answer.

    Args:
        mishaps: where it is said what they got wrong.

    Raises:
        ConfigError: by each function: the part cannot be used, because it lacks something.
    """

    def __init__(self, mishaps: Mishaps) -> None:
        self._mishaps = mishaps

    def link(self, link: Link) -> Link:
        """The same link, examined."""
        require_part("link", link, ports.Link)
        return _Link("link", self._mishaps, link)

    def download(self, download: Download) -> Download:
        """The same download, examined."""
        require_part("download", download, ports.Download)
        return _Download("download", self._mishaps, download)

    def installer(self, installer: Installer) -> Installer:
        """The same installer, examined."""
        require_part("installer", installer, ports.Installer)
        return _Installer("installer", self._mishaps, installer)

    def policy(self, policy: Policy) -> Policy:
        """The same policy, examined."""
        require_part("policy", policy, ports.Policy)
        return _Policy("policy", self._mishaps, policy)

    def clock(self, clock: Clock) -> Clock:
        """The same clock, examined; if it cannot be read now, there is nothing to go on from."""
        require_part("clock", clock, ports.Clock)
        return SteadyClock(clock, _Examined("clock", self._mishaps).keep)

    def heartbeat(self, heartbeat: Heartbeat) -> Heartbeat:
        """The same heartbeat, examined."""
        require_call("the heartbeat", heartbeat)
        return _Heartbeat("heartbeat", self._mishaps, heartbeat)

    def chance(self, chance: Callable[[], float]) -> Callable[[], float]:
        """The same source of random numbers, examined; where it fails, the machine's stands in for it."""
        require_call("chance", chance)
        return _StoodIn("chance", self._mishaps, chance, Asked.share, random.random)

    def new_id(self, new_id: Callable[[], str]) -> Callable[[], str]:
        """The same maker of ids, examined; where it fails, a random one is taken."""
        require_call("new_id", new_id)
        return _StoodIn("new_id", self._mishaps, new_id, Asked.name, lambda: str(uuid.uuid4()))


class _Examined:
    """What all of them share."""

    def __init__(self, part: str, mishaps: Mishaps) -> None:
        self._part = part
        self._mishaps = mishaps

    def _good(self, method: str, answer: object, good: Callable[[Asked, object], T], update: Update | None = None) -> T:
        """The answer of a method, if it is good; else this is kept, and raised."""
        return self._looked_at(Asked(self._part, method), answer, good, update)

    def _done(self, method: str, call: Callable[..., object], *told: object, update: Update | None = None) -> None:
        """Call a method that answers nothing."""
        self._good(method, call(*told), Asked.done, update)

    def _looked_at(self, asked: Asked, value: object, good: Callable[[Asked, object], T], update: Update | None) -> T:
        try:
            return good(asked, value)
        except PartError as error:
            self.keep(asked.method, error, update)
            raise

    def keep(self, method: str, error: Exception, update: Update | None = None) -> bool:
        """Have it kept as an incident; whether it is new."""
        said = said_by(error)
        if not isinstance(error, PartError):
            said = f"the {self._part}'s {method} raised {type(error).__name__}: {said}"
        mishap = Mishap(_FAILED, said, update.id if update else None)
        return self._mishaps.add(mishap, of=(self._part, method))


class _Link(_Examined):
    def __init__(self, part: str, mishaps: Mishaps, link: Link) -> None:
        super().__init__(part, mishaps)
        self._link = link

    def start(self, deliver: Callable[[Message], None]) -> None:
        def examined(message: Message) -> None:
            try:
                good = Asked(self._part, "deliver", "was given").message(message)
                if isinstance(good, Twin):  # a link may go on changing the one it keeps
                    good = copy.deepcopy(good)
            except Exception as error:  # noqa: BLE001  # it is somebody else's object
                self.keep("deliver", error)
                _log.error("%s. It is not heeded", said_by(error))
            else:
                deliver(self._answerable(good) if isinstance(good, MethodCall) else good)

        self._done("start", self._link.start, examined)

    def report(self, patch: Mapping[str, Any]) -> None:
        # Of its own, for what is changed there would be sent at the next try, or never again.
        self._done("report", self._link.report, copy.deepcopy(patch))

    def stop(self) -> None:
        self._done("stop", self._link.stop)

    def _answerable(self, call: MethodCall) -> MethodCall:
        send: Callable[..., object] = call.respond

        def respond(status: int, payload: Mapping[str, Any]) -> None:
            try:
                Asked(self._part, "respond").done(send(status, payload))
            except Exception as error:  # noqa: BLE001  # whoever carries out the method can do nothing about it
                self.keep("respond", error)
                _log.error("the answer to method %s could not be sent: %s", call.name, said_by(error))

        return replace(call, respond=respond)


class _Download(_Examined):
    def __init__(self, part: str, mishaps: Mishaps, download: Download) -> None:
        super().__init__(part, mishaps)
        self._download = download

    def fetch(self, update: Update, note: Callable[[Progress], None], stop: threading.Event) -> Artifact:
        told = Asked(self._part, "note", "was given")

        def examined(progress: Progress) -> None:
            note(self._looked_at(told, progress, Asked.progress, update))

        wanted = partial(Asked.artifact, sha256=update.request.sha256)
        return self._good("fetch", self._download.fetch(update, examined, stop), wanted, update)

    def progress(self, update: Update) -> Progress:
        return self._good("progress", self._download.progress(update), Asked.progress, update)

    def verify(self, update: Update, stop: threading.Event) -> Path:
        return self._good("verify", self._download.verify(update, stop), Asked.path, update)

    def discard(self, keep: Update | None) -> None:
        self._done("discard", self._download.discard, keep, update=keep)


class _Installer(_Examined):
    def __init__(self, part: str, mishaps: Mishaps, installer: Installer) -> None:
        super().__init__(part, mishaps)
        self._installer = installer
        try:
            self.repeatable = Asked(part, "attribute repeatable", "is").yes_or_no(installer.repeatable)
        except Exception as error:
            raise unusable(part, error) from error

    def target_slot(self) -> str | None:
        return self._good("target_slot", self._installer.target_slot(), Asked.word)

    def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
        return self._good("install", self._installer.install(update, artifact, stop), Asked.yes_or_no, update)

    def probe(self, update: Update) -> Probe:
        return self._good("probe", self._installer.probe(update), Asked.probe, update)

    def image_of(self, update: Update) -> Artifact | None:
        return self._good("image_of", self._installer.image_of(update), Asked.artifact_or_none, update)

    def runs_already(self, request: Request) -> Artifact | None:
        wanted = partial(Asked.artifact_or_none, sha256=request.sha256)
        return self._good("runs_already", self._installer.runs_already(request), wanted)

    def reboot(self) -> None:
        self._done("reboot", self._installer.reboot)

    def runs(self, update: Update) -> bool:
        return self._good("runs", self._installer.runs(update), Asked.yes_or_no, update)

    def confirm(self, update: Update) -> None:
        self._done("confirm", self._installer.confirm, update, update=update)

    def roll_back(self, update: Update) -> bool:
        return self._good("roll_back", self._installer.roll_back(update), Asked.yes_or_no, update)


class _Policy(_Examined):
    def __init__(self, part: str, mishaps: Mishaps, policy: Policy) -> None:
        super().__init__(part, mishaps)
        self._policy = policy

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:
        return self._good("verdict", self._policy.verdict(update, now), Asked.verdict, update)


class _Heartbeat(_Examined):
    def __init__(self, part: str, mishaps: Mishaps, heartbeat: Heartbeat) -> None:
        super().__init__(part, mishaps)
        self._heartbeat = heartbeat

    def __call__(self, now: Moment, sign: object) -> float:
        try:
            return Asked(self._part, "call").seconds(self._heartbeat(now, sign))
        except Exception as error:  # noqa: BLE001  # the supervisor misses a beat, and judges by that
            if self.keep("call", error):
                _log.error("the heartbeat failed: %s", said_by(error))
            return math.inf


class _StoodIn(_Examined, Generic[T]):
    def __init__(
        self,
        part: str,
        mishaps: Mishaps,
        call: Callable[[], T],
        good: Callable[[Asked, object], T],
        instead: Callable[[], T],
    ) -> None:
        super().__init__(part, mishaps)
        self._call = call
        self._is_good = good
        self._instead = instead

    def __call__(self) -> T:
        try:
            return self._is_good(Asked(self._part, "call"), self._call())
        except Exception as error:  # noqa: BLE001  # as the module says
            if self.keep("call", error):
                _log.error("%s. One of the machine's is taken", said_by(error))
            return self._instead()
