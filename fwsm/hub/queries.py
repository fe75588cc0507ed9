"""Queries over what the hub knows: a page at a time, or who meets a condition.

A page ends with a token that says behind which document the next one begins, so a device that comes or goes between
two pages makes no other device appear twice or not at all. Unlike IoT Hub, whose index lags by a second or more, this
hub answers from what is true now.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from fwsm.hub.jsontext import compact, parse
from fwsm.hub.operator import twin_document
from fwsm.hub.query import Collection, QueryError, holds, parse_query, rows
from fwsm.hub.refusal import Refusal, Why

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fwsm.hub.engine import Engine
    from fwsm.hub.query import Expression, Query

__all__ = ["Page", "ask", "count", "meeting"]


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


def ask(engine: Engine, text: str, limit: int, continuation: str | None = None) -> Page:
    """Return the next `limit` rows of a query.

    Raises:
        Refusal: 400004, `text` is not a query, or `continuation` is not from a page of this one.
    """
    try:
        query = parse_query(text)
    except QueryError as error:
        raise Refusal(Why.ARGUMENT_INVALID, f"The query cannot be read: {error}.") from None
    place = _Place.parse(continuation, text)
    found = _Documents(_documents(engine, query.collection, "" if query.grouped else place.key))
    page: list[dict[str, Any]] = []
    key = ""
    for row in _rows_left(query, found, place):
        if len(page) == limit:
            return Page(page, _item_type(query), _Place(key, place.given + limit).token(text))
        page.append(row)
        key = found.key
    return Page(page, _item_type(query), None)


def count(engine: Engine, query: Query) -> int:
    """Return how many rows a query has."""
    return sum(1 for _ in rows(query, (document for _, document in _documents(engine, query.collection))))


def meeting(engine: Engine, condition: Expression | None, collection: Collection = Collection.DEVICES) -> list[str]:
    """Return the client ids of the devices or modules that meet a condition, in order; all of them meet None."""
    return [key for key, document in _documents(engine, collection) if holds(condition, document)]


def _rows_left(query: Query, found: _Documents, place: _Place) -> Iterator[dict[str, Any]]:
    """Return the rows behind a place: of groups by counting, of documents by what `found` still has."""
    if query.grouped:
        return islice(rows(query, found), place.given, None)
    top = None if query.top is None else max(query.top - place.given, 0)
    return rows(replace(query, top=top), found)


def _documents(engine: Engine, collection: Collection, behind: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return keys and documents of a collection, in the order of the keys, from behind one of them."""
    if collection is Collection.JOBS:
        yield from ((outcome.key, outcome.document()) for outcome in engine.jobs.all_outcomes() if outcome.key > behind)
        return
    devices = sorted(device.device_id for device in engine.registry.list())
    if collection is Collection.DEVICES:
        keys = devices
    else:
        keys = sorted(module.client_id for device in devices for module in engine.registry.modules(device))
    for key in keys:
        if key > behind:
            yield key, twin_document(engine, key)


def _item_type(query: Query) -> str:
    if query.columns is not None:
        return "Raw"
    return "DeviceJob" if query.collection is Collection.JOBS else "Twin"


class _Documents:
    """Hands out documents, and remembers the key of the last one."""

    def __init__(self, documents: Iterable[tuple[str, dict[str, Any]]]) -> None:
        self._documents = documents
        self.key = ""

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for key, document in self._documents:
            self.key = key
            yield document


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
