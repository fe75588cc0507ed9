"""What one part of the product has logged during a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging

    import pytest

__all__ = ["records_of"]


def records_of(caplog: pytest.LogCaptureFixture, logger: str) -> list[logging.LogRecord]:
    """Return its records alone: threads that an earlier test has left to the SDK may have something to say as well."""
    return [record for record in caplog.records if record.name == logger]
