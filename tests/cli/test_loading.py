"""Garbage collection and the loading of modules."""

from __future__ import annotations

import gc

import pytest

from fwsm.cli.loading import loading


def test_no_garbage_is_looked_for_while_modules_are_loaded() -> None:
    """It is again behind the block, however that ends; also behind a block within a block."""
    assert gc.isenabled()
    with loading():
        assert not gc.isenabled()
        with pytest.raises(ModuleNotFoundError), loading():
            raise ModuleNotFoundError
        assert not gc.isenabled()
    assert gc.isenabled()
