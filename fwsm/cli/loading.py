"""How modules are loaded: without a look for garbage among what they are made of, which takes time and finds none."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["loading"]


@contextmanager
def loading() -> Iterator[None]:
    """Load modules in this block. Whether garbage is collected behind it is as it was before."""
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()
