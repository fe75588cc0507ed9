"""What is to be done while a session is open.

The twin is read after each connect, after each hint that a desired property has changed, and now and then without one,
because a hint can be lost.

A subscription that the hub refuses does not end the session, by which reports still get through and changes are found
when the twin is read. It is made again at once, and then ever more rarely, until the hub takes it.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
from typing import TYPE_CHECKING, Final

from fwsm.core.text import when
from fwsm.errors import FwsmError, LinkDeafError

if TYPE_CHECKING:
    import functools
    from collections.abc import Callable

    from tenacity import Retrying

    from fwsm.device.iothub.session import Session
    from fwsm.device.ports import Clock

__all__ = ["Upkeep"]

_log = logging.getLogger(__name__)

# The client tells when it loses the connection; this catches the case that it does not.
_CHECK_EVERY_S: Final = 30.0


class Upkeep:
    """Keeps one open session of use, in the thread that calls it.

    Args:
        session: it is connected.
        clock: for pauses and waiting.
        backoff: `retrying`, with the clock and the pauses.
        patience_s: no further try to read the twin once so much time has passed.
        twin_every_s: the longest time between two readings.
    """

    def __init__(
        self,
        session: Session,
        clock: Clock,
        *,
        backoff: functools.partial[Retrying],
        patience_s: float,
        twin_every_s: float,
    ) -> None:
        self._session = session
        self._clock = clock
        self._backoff = backoff
        self._patience_s = patience_s
        self._twin_every_s = twin_every_s

    def begin(self) -> None:
        """Listen, and read the twin for the first time; in this order, so that no change falls between the two.

        Raises:
            LinkError: the session is of no use.
        """
        try:
            self._session.listen()
        except LinkDeafError:
            name = f"{threading.current_thread().name}-listen"
            threading.Thread(target=self._listen_at_last, name=name, daemon=True).start()
        self._read_twin()

    def run(self, deaf: LinkDeafError | None, on_hearing: Callable[[], None]) -> None:
        """Go on until the session has ended.

        Args:
            deaf: what was said of that to others; the session may hear by now.
            on_hearing: called once a hub that did refuse a subscription has taken it.

        Raises:
            LinkError: the session is of no use any more.
        """
        session = self._session
        read_at_s = self._clock.now().boottime_s
        while not session.ended.is_set():
            # Devices that came back at the same moment do not ask again at the same moment.
            again_s = self._twin_every_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
            hinted = self._clock.wait(session.stirred, min(_CHECK_EVERY_S, again_s))
            if not hinted:
                session.check()
            if deaf and not session.deaf:
                deaf = None
                on_hearing()
            now_s = self._clock.now().boottime_s
            if (hinted or now_s - read_at_s >= again_s) and not session.ended.is_set():
                self._read_twin()
                read_at_s = now_s

    def _read_twin(self) -> None:
        self._session.stirred.clear()  # before the reading: what changes after it stirs again
        self._backoff(self._session.ended, within_s=self._patience_s)(self._session.read_twin)

    def _listen_at_last(self) -> None:
        tries = self._backoff(self._session.ended, when=_is_refusal, before_sleep=_log_refusal)
        with contextlib.suppress(FwsmError):  # the session has ended, and says why
            tries(self._session.listen)
            self._session.stirred.set()  # nobody has told what changed meanwhile


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, LinkDeafError)


def _log_refusal(error: BaseException, pause_s: float) -> None:
    _log.warning("%s (next try %s)", error, when(pause_s))
