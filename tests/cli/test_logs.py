"""The log, for people and for programs."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from fwsm.cli.logs import JsonFormat, TextFormat

if TYPE_CHECKING:
    from collections.abc import Callable

CONTEXT = {"device_id": "d1", "boot_id": "boot-1", "update_id": "update-1"}
LEAK = "https://host/fw?sig=geheim SharedAccessKey=geheim"


def _record(*, failed: bool = False) -> logging.LogRecord:
    trouble = (ValueError, ValueError(LEAK), None) if failed else None
    return logging.LogRecord("fwsm.any", logging.WARNING, "", 0, "got\n%s", (LEAK,), trouble)


def test_an_entry_for_programs_is_one_object_with_all_ids() -> None:
    """On one line, whatever is in the message."""
    line = JsonFormat(lambda: CONTEXT).format(_record())
    assert "\n" not in line
    document = json.loads(line)
    assert document.pop("time").endswith("+00:00")
    assert document == CONTEXT | {
        "level": "WARNING",
        "logger": "fwsm.any",
        "thread": "MainThread",
        "message": "got\nhttps://host/fw SharedAccessKey=[redacted]",
    }


@pytest.mark.parametrize("formatter", [TextFormat(), JsonFormat(lambda: CONTEXT)], ids=["text", "json"])
def test_no_secret_is_in_message_or_traceback(formatter: logging.Formatter) -> None:
    """Whoever logs it."""
    shown = formatter.format(_record(failed=True))
    assert "geheim" not in shown
    assert "ValueError: https://host/fw" in shown


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_log_begins_as_the_settings_say(form: str) -> None:
    """On stderr, from the level on; foreign libraries only when something is wrong."""
    program = (
        "import logging, sys\n"
        "from fwsm.cli.logs import begin_log\n"
        "from fwsm.config import DeviceConfig\n"
        f"begin_log(DeviceConfig(log_format={form!r}, log_level='WARNING'), dict)\n"
        "logging.getLogger('fwsm.x').info('quiet'); logging.getLogger('fwsm.x').warning('loud')\n"
        "logging.getLogger('paho').warning('foreign')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    (line,) = done.stderr.splitlines()
    assert (json.loads(line)["message"] if form == "json" else line[-12:]) == (
        "loud" if form == "json" else "WARNING loud"
    )


@pytest.mark.parametrize("make", [TextFormat, lambda known: JsonFormat(lambda: CONTEXT, known)], ids=["text", "json"])
def test_a_secret_of_the_settings_is_not_logged_in_any_form(make: Callable[[set[str]], logging.Formatter]) -> None:
    """Also where nothing around it says that it is one."""
    record = logging.LogRecord("fwsm.any", logging.INFO, "", 0, "it answered: hush-hush is not the word", (), None)
    assert "it answered: [redacted] is not the word" in make({"hush-hush"}).format(record)
