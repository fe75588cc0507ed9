"""Queries over what the hub knows: a page at a time, or who meets a condition.

A page ends with a token that says behind which document the next one begins, so a device that comes or goes between
two pages makes no other device appear twice or not at all. Unlike IoT Hub, whose index lags by a second or more, this
hub answers from what is true now. It takes its time over it (see `pace`): what changes meanwhile may count or not.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from fwsm.hub.jsontext import compact, parse
from fwsm.hub.operator import twin_document
from fwsm.hub.pace import Pace
from fwsm.hub.query import Collection, Query, QueryError, QueryTooLongError, holds, parse_query, rows
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fwsm.hub.engine import Engine
    from fwsm.hub.query import Expression

__all__ = ["Page", "ask", "counts", "meeting"]


# How many rows may have been given before a page.
_PLACES = range(2**31)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a query.

    Attributes:
        item_type: what the rows are: Twin, DeviceJob, or Raw.
        continuation: asks for the next page; None on the last.
    """

    rows: list[dict[str, Any]]
    item_type: str
    continuation: str | None


async def ask(engine: Engine, text: str, limit: int, continuation: str | None = None) -> Page:
    """Return the next `limit` rows of a query.

    Raises:
        Refusal: 400004, `text` is not a query, or `continuation` is not from a page of this one; 412001, as the
            service has it, `text` is too long.
    """
    try:
        query = parse_query(text)
    except QueryTooLongError as error:
        raise Refusal(Why.PRECONDITION, f"The query is too long: {error}.") from None
    except QueryError as error:
        raise Refusal(Why.ARGUMENT_INVALID, f"The query cannot be read: {error}.") from None
    place = _Place.parse(continuation, text)
    # One row more than the page has tells that there is another page.
    left = await (_groups if query.grouped else _singles)(engine, query, place, limit + 1)
    page = [row for _, row in left[:limit]]
    more = len(left) > limit
    token = _Place(left[limit - 1][0], place.given + limit).token(text) if more else None
    return Page(page, _item_type(query), token)


async def counts(engine: Engine, queries: Sequence[Query]) -> list[int]:
    """Return how many rows each of the queries has, none of which groups them.

    A document is made once for all of them, which takes longer than to ask it something.
    """
    totals = [0] * len(queries)
    pace = Pace(engine.monotonic)
    for collection in Collection:
        asked = [(place, query.where) for place, query in enumerate(queries) if query.collection is collection]
        for _, document in _documents(engine, collection) if asked else ():
            for place, condition in asked:
                totals[place] += holds(condition, document)
                await pace.keep()
    return [total if query.top is None else min(total, query.top) for query, total in zip(queries, totals, strict=True)]


async def meeting(
    engine: Engine, condition: Expression | None, collection: Collection = Collection.DEVICES
) -> list[str]:
    """Return the client ids of the devices or modules that meet a condition, in order; all of them meet None."""
    return [key for key, _ in await _found(engine, Query(collection, where=condition))]


async def _groups(engine: Engine, query: Query, place: _Place, most: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a query that groups documents: those behind a place, by counting."""
    documents = (document for _, document in await _found(engine, query))
    left = islice(rows(replace(query, where=None), documents), place.given, place.given + most)
    return [("", row) for row in left]


async def _singles(engine: Engine, query: Query, place: _Place, most: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the rows of a query that groups nothing, each with the key of its document: those behind a place."""
    if query.top is not None:
        most = min(most, max(query.top - place.given, 0))
    found = await _found(engine, query, place.key, most)
    shown = rows(replace(query, where=None, top=None), (document for _, document in found))
    return [(key, row) for (key, _), row in zip(found, shown, strict=True)]


async def _found(
    engine: Engine, query: Query, behind: str = "", most: int | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """Return keys and documents that meet the condition of a query, as `_documents` has them, or the first of them."""
    found: list[tuple[str, dict[str, Any]]] = []
    pace = Pace(engine.monotonic)
    for key, document in _documents(engine, query.collection, behind):
        if len(found) == most:
            break
        if holds(query.where, document):
            found.append((key, document))
        await pace.keep()
    return found


def _documents(engine: Engine, collection: Collection, behind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return keys and documents of a collection, in the order of the keys, from behind one of them.

    They are made one by one, of what there is then; what comes into the collection after the first is not among them.
    """
    if collection is Collection.JOBS:
        outcomes = {outcome.key: outcome for outcome in engine.jobs.all_outcomes() if outcome.key > behind}
        yield from ((key, outcomes[key].document()) for key in sorted(outcomes))
        return
    devices = [device.device_id for device in engine.registry.list()]
    if collection is Collection.DEVICES:
        keys = devices
    else:
        keys = [module.client_id for device in devices for module in engine.registry.modules(device)]
    for key in sorted(key for key in keys if key > behind):
        if engine.registry.find(key) is not None:  # it may have been deleted since
            yield key, twin_document(engine, key)


def _item_type(query: Query) -> str:
    if query.columns is not None:
        return "Raw"
    return "DeviceJob" if query.collection is Collection.JOBS else "Twin"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page ended: behind which document, and how many rows there have been."""

    key: str = ""
    given: int = 0

    def token(self, text: str) -> str:
        return base64.urlsafe_b64encode(compact([self.key, self.given, _digest(text)])).decode()

    @classmethod
    def parse(cls, token: str | None, text: str) -> _Place:
        if token is None:
            return cls()
        try:
            key, given, digest = parse(base64.urlsafe_b64decode(token))
        except (ValueError, TypeError, Refusal):
            key = given = digest = None
        if not isinstance(key, str) or not isinstance(given, int) or given not in _PLACES or digest != _digest(text):
            raise Refusal(Why.ARGUMENT_INVALID, "The continuation token is not from a page of this query.")
        return cls(key, given)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
