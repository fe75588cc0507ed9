"""The REST door tells what has gone wrong, and nothing else; tests/hub/rest comes in by it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette

from fwsm.hub.restdoor import RestDoor

if TYPE_CHECKING:
    import pytest


def test_request_that_a_stopping_hub_cuts_off_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """Uvicorn would tell of it with forty lines of a traceback; what has failed it still tells."""
    RestDoor(Starlette(), asyncio.Protocol)
    logger = logging.getLogger("uvicorn.error")
    logger.error("cut off", exc_info=asyncio.CancelledError())
    logger.error("failed", exc_info=ValueError())
    logger.error("wrong")
    assert caplog.messages == ["failed", "wrong"]
