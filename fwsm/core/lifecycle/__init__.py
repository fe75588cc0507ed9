"""The lifecycle of one update.

- `table`: triggers and rows, as data, under the theory of operation
- `machine`: the `transitions` machine built from it, and what an entry into a state is
"""

from __future__ import annotations

from fwsm.core.lifecycle.machine import Entry, Lifecycle
from fwsm.core.lifecycle.table import TABLE, Row, Trigger

__all__ = ["TABLE", "Entry", "Lifecycle", "Row", "Trigger"]
