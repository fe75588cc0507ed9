"""An operator who has all rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.hub.rest.asking import Operator

if TYPE_CHECKING:
    from fwsm.hub import Hub


@pytest.fixture
def owner(hub: Hub) -> Operator:
    """Return an operator with all rights on `hub`."""
    return Operator(hub)
