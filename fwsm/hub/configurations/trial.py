"""What is wrong with a target condition and metrics, said before a configuration is made of them: `testQueries`."""

from __future__ import annotations

from typing import Any

from fwsm.hub.configurations.configuration import read_metric, read_target
from fwsm.hub.query import QueryError

__all__ = ["query_faults"]


def query_faults(target: Any, metrics: Any) -> dict[str, Any]:
    """Return `targetConditionError` and `customMetricQueryErrors`, each as far as there are any.

    The condition `*`, which a configuration may have, is not one that can be tested: so does the service.
    """
    faults: dict[str, Any] = {}
    if target is not None and (fault := _target_fault(target)):
        faults["targetConditionError"] = fault
    named = metrics.items() if isinstance(metrics, dict) else ()
    if wrong := {name: fault for name, text in named if (fault := _metric_fault(text))}:
        faults["customMetricQueryErrors"] = wrong
    return faults


def _target_fault(text: Any) -> str | None:
    if not isinstance(text, str) or text.strip() in {"", "*"}:
        return f"{text!r:.140} is not a condition."
    try:
        read_target(text)
    except QueryError as error:
        return f"{error}."
    return None


def _metric_fault(text: Any) -> str | None:
    try:
        read_metric(text)
    except QueryError as error:
        return f"{error}."
    return None
