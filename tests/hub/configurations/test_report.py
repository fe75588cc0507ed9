"""A configuration as an operator reads it."""

from __future__ import annotations

from fwsm.hub.configurations.report import configuration_document
from fwsm.hub.queries import ask
from tests.hub.configurations.scene import Scene


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
    document = configuration_document(scene.engine, scene.configurations.get("low"))
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
        metrics = configuration_document(scene.engine, scene.configurations.get(name))["systemMetrics"]
        counts = {key: len(ask(scene.engine, text, 10).rows) for key, text in metrics["queries"].items()}
        assert counts == metrics["results"] == {"targetedCount": 1, "appliedCount": 1}
