"""Queries over a hub: pages, and what they are of."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.engine import Engine
from fwsm.hub.events import Connected, Disconnected
from fwsm.hub.jobs import DeviceJob, Order, Status
from fwsm.hub.queries import Page, ask, counts, meeting
from fwsm.hub.query import Collection, parse_condition, parse_query
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.state import EphemeralState
from tests.hub.jobs.scene import twin

ALL = "SELECT deviceId FROM devices"


def _hub(*device_ids: str) -> Engine:
    engine = Engine(EphemeralState(), lambda: 0.0, lambda: 0.0)
    for device_id in device_ids:
        engine.registry.create(device_id, {})
    return engine


def _ask(engine: Engine, text: str, limit: int, continuation: str | None = None) -> Page:
    return asyncio.run(ask(engine, text, limit, continuation))


def _ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["deviceId"] for row in rows]


def test_rows_say_what_they_are() -> None:
    """Whole documents are twins, projections and aggregates are raw."""
    engine = _hub("d1")
    assert _ask(engine, "SELECT * FROM devices", 10).item_type == "Twin"
    assert _ask(engine, "SELECT * FROM devices.modules", 10).item_type == "Twin"
    assert _ask(engine, "SELECT COUNT() AS n FROM devices", 10).item_type == "Raw"
    assert _ask(engine, "SELECT * FROM devices.jobs", 10).item_type == "DeviceJob"


def test_modules_have_their_own_collection() -> None:
    """A module is no device, and has its twin."""
    engine = _hub("d1", "d2")
    engine.registry.create("d1/m", {})
    rows = _ask(engine, "SELECT * FROM devices.modules WHERE devices.modules.moduleId = 'm'", 10).rows
    assert [(row["deviceId"], row["moduleId"]) for row in rows] == [("d1", "m")]
    assert _ids(_ask(engine, ALL, 10).rows) == ["d1", "d2"]


def test_pages_go_on_where_the_last_one_ended() -> None:
    """A device that comes or goes meanwhile makes no other appear twice or not at all."""
    engine = _hub("d1", "d2", "d3", "d4")
    first = _ask(engine, ALL, 2)
    engine.registry.create("d0", {})
    engine.registry.delete("d2", "*")
    second = _ask(engine, ALL, 2, first.continuation)
    assert (_ids(first.rows), _ids(second.rows), second.continuation) == (["d1", "d2"], ["d3", "d4"], None)


@given(st.integers(1, 12), st.integers(1, 5), st.none() | st.integers(1, 12))
def test_pages_together_are_all_rows(devices: int, limit: int, top: int | None) -> None:
    """Every row once, whatever the size of a page and of TOP, grouped or not; only the last has no token."""
    engine = _hub(*(f"d{number:02}" for number in range(devices)))
    clause = "" if top is None else f"TOP {top} "
    for text in (f"SELECT {clause}deviceId FROM devices", f"SELECT {clause}deviceId FROM devices GROUP BY deviceId"):
        seen, token = [], None
        while True:
            page = _ask(engine, text, limit, token)
            seen += _ids(page.rows)
            token = page.continuation
            if token is None:
                break
            assert len(page.rows) == limit
        assert seen == [f"d{number:02}" for number in range(min(devices, top or devices))]


@pytest.mark.parametrize("token", ["", "x", "é", "bnVsbA==", "WzEsMiwzXQ==", "e30="])
def test_token_that_is_not_from_this_query_is_refused(token: str) -> None:
    """Nonsense, and the token of another query."""
    engine = _hub("d1", "d2")
    other = _ask(engine, "SELECT * FROM devices", 1).continuation
    for bad in (token, other):
        with pytest.raises(Refusal, match="not from a page of this query") as caught:
            _ask(engine, ALL, 1, bad)
        assert caught.value.why is Why.ARGUMENT_INVALID


@pytest.mark.parametrize("given", ["-1", "9" * 300, "1.5", '"1"', "[" * 3000])
def test_forged_token_is_refused(given: str) -> None:
    """Who knows how one is made still cannot ask for what does not exist."""
    engine = _hub("d1", "d2", "d3")
    for text in (ALL, "SELECT deviceId FROM devices GROUP BY deviceId", "SELECT TOP 2 * FROM devices"):
        token = _ask(engine, text, 1).continuation
        assert token is not None
        key, _, digest = json.loads(base64.urlsafe_b64decode(token))
        forged = base64.urlsafe_b64encode(f'["{key}", {given}, "{digest}"]'.encode()).decode()
        with pytest.raises(Refusal, match="not from a page of this query"):
            _ask(engine, text, 1, forged)


def test_text_that_is_no_query_is_refused() -> None:
    """With the parser's reason."""
    with pytest.raises(
        Refusal, match=r"The query cannot be read: expected SELECT, found x, at character 1\."
    ) as caught:
        _ask(_hub(), "x", 10)
    assert caught.value.why is Why.ARGUMENT_INVALID


def test_text_that_is_too_long_has_failed_a_precondition() -> None:
    """Which is what the service says, with words about an etag; this hub says what it is about."""
    with pytest.raises(Refusal, match="The query is too long: 9000 characters are more than 8192") as caught:
        _ask(_hub(), "x" * 9000, 10)
    assert caught.value.why is Why.PRECONDITION


def test_condition_finds_devices_and_modules() -> None:
    """By client id, in order."""
    engine = _hub("d2", "d1")
    engine.registry.create("d1/m", {})
    assert asyncio.run(meeting(engine, None)) == ["d1", "d2"]
    assert asyncio.run(meeting(engine, parse_condition("deviceId = 'd2'"))) == ["d2"]
    assert asyncio.run(meeting(engine, None, Collection.MODULES)) == ["d1/m"]


def test_device_is_found_by_the_model_that_it_claims() -> None:
    """Connected or not; whoever comes without one is of none."""
    engine = _hub("d1", "d2")
    engine.events.publish(Connected("d1", "dtmi:contoso:thermostat;1"))
    engine.events.publish(Disconnected("d1"))
    found = "SELECT deviceId, modelId FROM devices WHERE modelId = 'dtmi:contoso:thermostat;1'"
    assert _ask(engine, found, 10).rows == [{"deviceId": "d1", "modelId": "dtmi:contoso:thermostat;1"}]
    engine.events.publish(Connected("d1"))
    assert _ids(_ask(engine, "SELECT deviceId FROM devices WHERE modelId = ''", 10).rows) == ["d1", "d2"]


def test_rows_can_be_counted() -> None:
    """As metrics of configurations do: of several queries at once, over devices and modules."""
    engine = _hub("d1", "d2", "d3")
    engine.registry.create("d1/m", {})
    texts = ("SELECT deviceId FROM devices WHERE deviceId != 'd1'", "SELECT TOP 1 deviceId FROM devices")
    queries = [parse_query(text) for text in (*texts, "SELECT deviceId FROM devices.modules", ALL)]
    assert asyncio.run(counts(engine, queries)) == [2, 1, 1, 3]
    assert asyncio.run(counts(engine, [])) == []


def test_pages_of_jobs_are_all_outcomes() -> None:
    """Also where the name of a job begins with that of another one."""
    engine = _hub()
    for job_id in ("wave", "wave-2"):
        job = engine.jobs.create(Order.from_body(job_id, twin(), 0.0))
        engine.jobs.keep(job.ended(Status.COMPLETED, 0.0))
        for device_id in ("d1", "d2"):
            engine.jobs.keep_outcome(DeviceJob(job_id, "scheduleUpdateTwin", device_id, 0.0, 0.0))
    seen, token = [], None
    for _ in range(4):
        page = _ask(engine, "SELECT * FROM devices.jobs", 1, token)
        seen += [(row["jobId"], row["deviceId"]) for row in page.rows]
        token = page.continuation
    assert (sorted(seen), token) == ([(job, device) for job in ("wave", "wave-2") for device in ("d1", "d2")], None)


def test_long_query_holds_nobody_up() -> None:
    """Devices come and go while it is answered: who has gone before his turn is left out."""

    async def act() -> Page:
        engine = Engine(EphemeralState(), lambda: 0.0, itertools.count().__next__)  # whatever it does takes a second
        for device_id in ("d1", "d2", "d3"):
            engine.registry.create(device_id, {})
        answer = asyncio.create_task(ask(engine, ALL, 10))
        await asyncio.sleep(0)
        engine.registry.delete("d2", "*")
        engine.registry.create("d4", {})
        return await answer

    assert _ids(asyncio.run(act()).rows) == ["d1", "d3"]
