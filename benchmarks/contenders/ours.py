"""The real store and the real machine; with `acknowledged`, the reporter's side of the database as well."""

from __future__ import annotations

import sys
from pathlib import Path

from turns import given, take_turns

sys.path.insert(0, str(Path(__file__).parents[1]))
from way import Walk

from fwsm.core.lifecycle import Lifecycle
from fwsm.store import Store


def main() -> None:
    """Take turns until the input ends."""
    folder, _, more = given()
    with Store(folder) as store:
        outbox = store.outbox()

        def acknowledge(_entry: object, _now: object = None) -> None:
            for report in outbox.pending():
                outbox.acknowledge(report.number)

        def accept(update: object, now: object) -> None:
            store.accept(update, now)  # type: ignore[arg-type]
            acknowledge(update)

        if "acknowledged" in more:
            take_turns(Walk(accept, Lifecycle([store.advance, acknowledge])))
        else:
            take_turns(Walk(store.accept, Lifecycle([store.advance])))
        outbox.close()


if __name__ == "__main__":
    main()
