"""What `fwsm hub run --verbose` says: who connects, who is refused and why, and why connections end.

MQTT has no words for a refusal, so this is the only place where a device's developer learns the reason.
"""

from __future__ import annotations

import logging
import queue
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.cli.output import Output

__all__ = ["log_of_hub_shown"]

# How many lines wait for a terminal that takes none just now, and how many characters of each are shown.
_MOST_WAITING: Final = 1000
_LONGEST: Final = 1000
# How long the end waits for such a terminal.
_LAST_WORDS_S: Final = 2.0


@contextmanager
def log_of_hub_shown(out: Output) -> Iterator[None]:
    """Say what the hub logs, within this context."""
    logger, handler = logging.getLogger("fwsm.hub"), _Said(out)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        handler.close()


class _Said(logging.Handler):
    """Says what is logged, in a thread of its own: a pipe that nobody reads just now must not hold the hub up."""

    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out
        self._lines: queue.Queue[str | None] = queue.Queue(_MOST_WAITING)
        self._missed = 0
        self._speaker = threading.Thread(target=self._speak, name="fwsm-hub-log", daemon=True)
        self._speaker.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Have it said; called in the hub's thread."""
        at = datetime.fromtimestamp(record.created, UTC)
        self._say(f"{at:%H:%M:%S}Z {_printable(record.getMessage())}")

    def close(self) -> None:
        """Say what is left, if that is possible soon."""
        with suppress(queue.Full):
            if self._missed:
                self._lines.put(self._left_out(), timeout=_LAST_WORDS_S)
            self._lines.put(None, timeout=_LAST_WORDS_S)
        self._speaker.join(_LAST_WORDS_S)
        super().close()

    def _say(self, line: str) -> None:
        if self._missed:
            line = f"{self._left_out()}\n{line}"
        try:
            self._lines.put_nowait(line)
            self._missed = 0
        except queue.Full:
            self._missed += 1

    def _left_out(self) -> str:
        return f"({self._missed} lines that nobody has read are left out)"

    def _speak(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._out.say(line)
            except OSError:  # nobody reads it any more; the hub goes on
                self._out.speak_through(lambda *_: None)


def _printable(text: str) -> str:
    """Return a text, parts of which a device has chosen, without what would drive or fill a terminal."""
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in shown)
