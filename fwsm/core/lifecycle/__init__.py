"""The lifecycle of one update.

- `table`: triggers and rows, as data, under the theory of operation
- `extension`: what a program adds: further children of `applying`, further rows
- `machine`: the `transitions` machine built from it, and what an entry into a state is
"""

from __future__ import annotations

from fwsm.core.lifecycle.extension import NO_EXTENSION, Extension, Step
from fwsm.core.lifecycle.machine import Entry, Lifecycle
from fwsm.core.lifecycle.table import TABLE, Row, Trigger

__all__ = ["NO_EXTENSION", "TABLE", "Entry", "Extension", "Lifecycle", "Row", "Step", "Trigger"]
