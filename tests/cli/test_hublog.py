"""What a hub says of its connections."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from fwsm.cli.hublog import log_of_hub_shown
from fwsm.cli.output import Output

if TYPE_CHECKING:
    import pytest


class Broken(Output):
    """A terminal that has been closed."""

    tries = 0

    def _tell(self, level: int, text: str) -> None:
        self.tries += 1
        if self._voice is None:
            raise BrokenPipeError
        self._voice(level, text)


class Stuck(Output):
    """A pipe that is full, until someone reads it again."""

    def __init__(self) -> None:
        super().__init__()
        self.read = threading.Event()
        self.told: list[str] = []

    def _tell(self, level: int, text: str) -> None:  # noqa: ARG002 - as the original has it
        assert self.read.wait(60)
        self.told.append(text)


def test_log_is_said_within_the_context(capsys: pytest.CaptureFixture[str]) -> None:
    """From news on; what a device has put into it drives no terminal, and no secret is shown."""
    logger = logging.getLogger("fwsm.hub.connection")
    logger.info("before")
    with log_of_hub_shown(Output()):
        logger.debug("no news")
        logger.info("%s: connection closed: %s", "d1", "may not publish to é\x1b[31m\n\x9b, SharedAccessKey=c2VjcmV0")
    logger.info("behind")
    (line,) = capsys.readouterr().err.splitlines()
    time, _, said = line.partition(" ")
    assert (len(time), time[-1]) == (9, "Z")
    assert said == r"d1: connection closed: may not publish to é\x1b[31m\n\x9b, SharedAccessKey=[redacted]"


def test_hub_goes_on_when_nobody_reads_its_log() -> None:
    """Nothing is raised in its thread."""
    out = Broken()
    with log_of_hub_shown(out):
        for _ in range(2):
            logging.getLogger("fwsm.hub").info("news")
    assert out.tries == 2


def test_hub_goes_on_while_its_log_is_not_read() -> None:
    """As with `2>&1 | less`: what is logged meanwhile waits, and what is too much is counted."""
    out, logger = Stuck(), logging.getLogger("fwsm.hub")
    with log_of_hub_shown(out):
        for number in range(3000):
            logger.info("news %d", number)
        out.read.set()
    assert [line.partition(" ")[2] for line in out.told[:3]] == ["news 0", "news 1", "news 2"]
    last, left_out = out.told[-1], 3000 - (len(out.told) - 1)
    assert last == f"({left_out} lines that nobody has read are left out)"
    assert left_out > 1000


def test_line_of_the_log_has_an_end(capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger may send a user name of 64 KiB."""
    with log_of_hub_shown(Output()):
        logging.getLogger("fwsm.hub").info("x" * 70_000)
    assert len(capsys.readouterr().err) < 1100
