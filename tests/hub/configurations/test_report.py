"""Configurations as an operator reads them."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from fwsm.hub.configurations.report import configuration_documents
from fwsm.hub.methods import Call
from fwsm.hub.queries import ask
from tests.hub.configurations.scene import Scene
from tests.hub.jobs.scene import Device


def _document(scene: Scene, name: str) -> dict[str, Any]:
    (document,) = asyncio.run(configuration_documents(scene.engine, [scene.configurations.get(name)]))
    return document


def test_metrics_count_what_is_true_now() -> None:
    """Own ones by their queries, those of the system by who is targeted and who has the content."""
    scene = Scene()
    scene.add("d1", "d2", "d3", kind="pump")
    query = (
        "SELECT deviceId FROM devices WHERE configurations.[[low]].status = 'Applied' AND properties.reported.ok = true"
    )
    scene.configure("low", "tags.kind = 'pump'", 1, metrics={"queries": {"done": query}})
    scene.configure("high", "deviceId = 'd1'", 2)
    for name in ("d1", "d2"):
        scene.engine.twins.report(name, {"ok": True})
    document = _document(scene, "low")
    assert document["metrics"] == {"results": {"done": 1}, "queries": {"done": query}}
    assert document["systemMetrics"]["results"] == {"targetedCount": 3, "appliedCount": 2}


def test_queries_of_the_system_say_the_same_as_their_results() -> None:
    """For devices and for modules."""
    scene = Scene()
    scene.add("d1", "d2", "d1/m")
    scene.configure("c-1", "deviceId = 'd1'")
    content = {"moduleContent": {"properties.desired.a": 1}}
    scene.configure("c-2", "FROM devices.modules WHERE true", content=content)
    for name in ("c-1", "c-2"):
        metrics = _document(scene, name)["systemMetrics"]
        pages = {key: asyncio.run(ask(scene.engine, text, 10)) for key, text in metrics["queries"].items()}
        counts = {key: len(page.rows) for key, page in pages.items()}
        assert counts == metrics["results"] == {"targetedCount": 1, "appliedCount": 1}


def test_metrics_of_many_configurations_hold_nobody_up() -> None:
    """A device is called, and has answered, while they are counted; each configuration is given its own results."""

    async def act() -> list[dict[str, Any]]:
        scene = Scene(monotonic=itertools.count().__next__)  # whatever it does takes a second
        names = [f"d{number}" for number in range(1, 6)]
        scene.add(*names)
        for name in names:
            query = f"SELECT deviceId FROM devices WHERE deviceId >= '{name}'"
            scene.configure(name, metrics={"queries": {"all": "SELECT deviceId FROM devices", "some": query}})
        Device(scene.engine, "d1")
        listing = asyncio.create_task(configuration_documents(scene.engine, scene.configurations.listed()))
        await asyncio.sleep(0)
        assert (await scene.engine.methods.call("d1", Call("go"))).status == 200
        assert not listing.done()
        return await listing

    results = [document["metrics"]["results"] for document in asyncio.run(act())]
    assert results == [{"all": 5, "some": some} for some in (5, 4, 3, 2, 1)]
