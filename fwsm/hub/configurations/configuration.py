"""One configuration: the request for it, read and checked; the record. Pure."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from fwsm.hub.configurations.content import Content, check_content
from fwsm.hub.query import Collection, Expression, Query, QueryError, holds, parse_condition, parse_query
from fwsm.hub.refusal import Refusal, Why

__all__ = ["Configuration", "Target", "read_metric", "read_target"]

_ID = re.compile(r"[a-z0-9\-+%_*!']{1,128}")
_SOURCE = re.compile(r"\s*FROM\s+(devices(?:\.modules)?)\s+WHERE\s", re.IGNORECASE)
_MOST_METRICS = 5
_CONTENTS = {"deviceContent": Collection.DEVICES, "moduleContent": Collection.MODULES}


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a configuration is for.

    Attributes:
        condition: None for all of the collection.
    """

    collection: Collection
    condition: Expression | None

    def includes(self, document: dict[str, Any]) -> bool:
        """Say whether a twin is meant."""
        is_module = "moduleId" in document
        return is_module == (self.collection is Collection.MODULES) and holds(self.condition, document)


def read_target(text: str) -> Target:
    """Return the target that a condition describes; nobody meets an empty one. Raises QueryError.

    Modules are targeted by `FROM devices.modules WHERE …`.
    """
    source = _SOURCE.match(text)
    collection = Collection(source.group(1).lower()) if source else Collection.DEVICES
    condition = text[source.end() :] if source else text
    return Target(collection, parse_condition(condition if condition.strip() else "false", collection))


def read_metric(text: Any) -> Query:
    """Return the query of a metric, which selects device ids; raises QueryError."""
    if not isinstance(text, str):
        raise QueryError("it is not a text")
    query = parse_query(text)
    if query.collection is Collection.JOBS or query.grouped or query.columns is None:
        raise QueryError("a metric is a query such as SELECT deviceId FROM devices WHERE …")
    return query


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration.

    Attributes:
        target: the condition as it was written.
        content: what it writes; it never changes.
        kind: `deviceContent` or `moduleContent`.
        metrics: named queries.
        created_at: epoch seconds, as is `updated_at`.
        revision: counts the writes.
    """

    configuration_id: str
    kind: str
    content: Content
    target: str = ""
    priority: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, str] = field(default_factory=dict)
    schema_version: str = "1.0"
    created_at: float = 0.0
    updated_at: float = 0.0
    revision: int = 1

    @classmethod
    def from_body(cls, configuration_id: str, body: dict[str, Any], now: float) -> Configuration:
        """Return the configuration that the body of a request describes.

        Raises:
            Refusal: 400401, its target condition; 400402, its content; 400404, one of its metrics; 400004, anything
                else that is malformed.
        """
        if _ID.fullmatch(configuration_id) is None:
            _refuse(
                f"{configuration_id[:140]!r} is not the id of a configuration: 1 to 128 lower-case letters, digits "
                "and -+%_*!'"
            )
        kind, content = _content(body)
        new = cls(configuration_id, kind, content, created_at=now)
        return replace(new.described(body, now), revision=1)

    def described(self, body: dict[str, Any], now: float) -> Configuration:
        """Return this configuration with everything but its content as `body` describes it; raises as `from_body`."""
        if (body.get("id") or self.configuration_id) != self.configuration_id:
            _refuse(f"id in the body is {body['id']!r:.140}, in the path {self.configuration_id!r}")
        priority = 0 if body.get("priority") is None else body["priority"]
        if not isinstance(priority, int) or isinstance(priority, bool) or priority < 0:
            _refuse(f"priority is {priority!r:.140}, not a whole number from 0")
        return replace(
            self,
            target=_target(body, self.kind),
            priority=priority,
            labels=_texts(body.get("labels"), "labels"),
            metrics=_metrics(body),
            schema_version=str(body.get("schemaVersion") or "1.0"),
            updated_at=now,
            revision=self.revision + 1,
        )

    @property
    def etag(self) -> str:
        """Moves with every write to this configuration."""
        return base64.b64encode(f"{int(self.created_at * 1e6) + self.revision}".encode()).decode()

    @property
    def rank(self) -> tuple[int, float, str]:
        """Larger for the configuration that wins over another one."""
        return (self.priority, self.created_at, self.configuration_id)

    def record(self) -> dict[str, Any]:
        """Return the configuration as it is stored."""
        return {name: getattr(self, name) for name in self.__slots__}


def _content(body: dict[str, Any]) -> tuple[str, Content]:
    content = body.get("content")
    given = [kind for kind in _CONTENTS if isinstance(content, dict) and content.get(kind) is not None]
    if len(given) != 1 or content is None:
        raise Refusal(Why.BAD_CONTENT, f"content holds not one of {', '.join(_CONTENTS)}; this hub has no IoT Edge.")
    return given[0], check_content(content[given[0]])


def _target(body: dict[str, Any], kind: str) -> str:
    text = body.get("targetCondition") or ""
    if not isinstance(text, str):
        raise Refusal(Why.BAD_TARGET, "targetCondition is not a text.")
    try:
        target = read_target(text)
    except QueryError as error:
        raise Refusal(Why.BAD_TARGET, f"targetCondition cannot be read: {error}.") from None
    if target.condition is not None and text.strip() and target.collection is not _CONTENTS[kind]:
        raise Refusal(Why.BAD_TARGET, f"A configuration with {kind} targets {_CONTENTS[kind].value}.")
    return text


def _metrics(body: dict[str, Any]) -> dict[str, str]:
    metrics = body.get("metrics")
    queries = _texts(metrics.get("queries") if isinstance(metrics, dict) else metrics, "metrics.queries")
    if len(queries) > _MOST_METRICS:
        raise Refusal(Why.BAD_METRIC, f"{len(queries)} metrics are more than {_MOST_METRICS}.")
    for name, text in queries.items():
        try:
            read_metric(text)
        except QueryError as error:
            raise Refusal(Why.BAD_METRIC, f"The metric {name[:140]} cannot be read: {error}.") from None
    return queries


def _texts(value: Any, name: str) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        _refuse(f"{name} is not an object of texts")
    return dict(value)


def _refuse(fault: str) -> NoReturn:
    raise Refusal(Why.ARGUMENT_INVALID, f"{fault}.")
