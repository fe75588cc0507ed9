"""What a hub says of its connections."""

from __future__ import annotations

import logging
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
