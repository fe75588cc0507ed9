"""What `fwsm hub run --verbose` says: who connects, who is refused and why, and why connections end.

MQTT has no words for a refusal, so this is the only place where a device's developer learns the reason.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.cli.output import Output

__all__ = ["log_of_hub_shown"]


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


class _Said(logging.Handler):
    def __init__(self, out: Output) -> None:
        super().__init__()
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Say it; called in the hub's thread."""
        at = datetime.fromtimestamp(record.created, UTC)
        try:
            self._out.say(f"{at:%H:%M:%S}Z {_printable(record.getMessage())}")
        except OSError:  # nobody reads it any more; the hub goes on
            self._out.speak_through(lambda *_: None)


def _printable(text: str) -> str:
    """Return a text, parts of which a device has chosen, without what would drive a terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
