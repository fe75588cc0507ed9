"""What the tests of the device share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.device.life import Life

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A device in its first life."""
    life = Life(tmp_path / "state")
    life.start()
    yield life
    life.end()
