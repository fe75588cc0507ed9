"""How long a test waits for what ought to happen at once."""

from __future__ import annotations

__all__ = ["PATIENCE_S"]

# It bounds a hang and proves nothing, so it is far longer than a slow machine needs, and shorter than a test may take.
PATIENCE_S = 60.0
