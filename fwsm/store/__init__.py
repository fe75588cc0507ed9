"""The only owner of SQL: what must survive, in one SQLite file.

- `engine`: the connection and its settings, and why each is as it is
- `tables`: the tables as the program sees them
- `schema`: migrations, run at every start inside one transaction
- `prepared`: statements compiled once, and transactions around them
- `mapping`: row <-> record
- `lock`: one agent at a time
- `hold`: the lock and the connection, and the way to one that can be used
- `place`: whether the files still stand where they were opened
- `opening`, `salvage`, `loss`: what becomes of a database that is damaged or gone
- `reserve`: room on the disk for the end of an update
- `pruning`: how much of the history is kept
- `updates`, `history`, `incidents`: the record of an update, what happened to it, what went wrong beside it
- `store`: the agent's side: take, advance, look back
- `outbox`: the reporter's side: what the hub has not been told yet
- `logbook`: all that a database says of one update, for whoever draws it
"""

from __future__ import annotations

from fwsm.store.history import HistoryRow
from fwsm.store.incidents import Incident
from fwsm.store.outbox import Outbox, Report
from fwsm.store.pruning import Retention
from fwsm.store.store import Store

__all__ = ["HistoryRow", "Incident", "Outbox", "Report", "Retention", "Store"]
