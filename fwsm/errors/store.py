"""What the database may say."""

from __future__ import annotations

from fwsm.errors.root import FwsmError, Kind

__all__ = ["StoreDamagedError", "StoreError", "StoreFullError", "StoreLockedError", "StoreRecoveringError"]


class StoreError(FwsmError):
    """The database said no; nothing has changed."""

    kind = Kind.TRANSIENT
    code = "store"
    exit_code = 20


class StoreLockedError(StoreError):
    """Another agent owns this state directory."""

    kind = Kind.NEEDS_OPERATOR
    code = "storeLocked"
    exit_code = 13


class StoreDamagedError(StoreError):
    """What is in the database cannot be used; an agent sets it aside and goes on with a new one."""

    code = "storeDamaged"


class StoreRecoveringError(StoreError):
    """The database was lost, and the hub has not said yet what it knows."""

    code = "storeRecovering"


class StoreFullError(StoreError):
    """The disk under the database is full."""

    kind = Kind.NEEDS_OPERATOR
    code = "storeFull"
    exit_code = 18
