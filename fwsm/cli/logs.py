"""The log of `fwsm device run`: lines for people, or one JSON object a line for programs. No secret is in either."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.redaction import redacted
from fwsm.device.credentials import secrets_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fwsm.config import DeviceConfig

__all__ = ["JsonFormat", "TextFormat", "begin_log"]

# What they say at length, we say ourselves in a line.
_FOREIGN: Final = ("azure", "paho", "alembic", "transitions", "urllib3")


class TextFormat(logging.Formatter):
    """A line for people; a traceback follows on lines of its own.

    Args:
        secrets: what is shown nowhere.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        return redacted(super().format(record), self._secrets)


class JsonFormat(logging.Formatter):
    """One JSON object a line.

    Args:
        context: what is so at this moment, beside what is logged: ids of device, boot and update.
        secrets: what is shown nowhere.
    """

    def __init__(self, context: Callable[[], Mapping[str, Any]], secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = frozenset(secrets)
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        document: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "thread": record.threadName,
            "message": redacted(record.getMessage(), self._secrets),
            **self._context(),
        }
        if record.exc_info:
            document["exception"] = redacted(self.formatException(record.exc_info), self._secrets)
        return json.dumps(document, ensure_ascii=False)


def begin_log(config: DeviceConfig, context: Callable[[], Mapping[str, Any]]) -> None:
    """Log to stderr from now on, as the settings say; see `JsonFormat` for the context."""
    handler = logging.StreamHandler(sys.stderr)
    secrets = secrets_of(config)
    handler.setFormatter(JsonFormat(context, secrets) if config.log_format == "json" else TextFormat(secrets))
    logging.basicConfig(level=config.log_level, handlers=[handler], force=True)
    for foreign in _FOREIGN:
        logging.getLogger(foreign).setLevel(logging.ERROR)
