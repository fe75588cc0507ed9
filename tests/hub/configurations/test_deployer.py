"""Twins kept in step with configurations."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from fwsm.hub.diskstate import DiskState
from fwsm.hub.events import WorkWaiting
from tests.hub.configurations.scene import Scene, body
from tests.hub.jobs.scene import Device

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_configuration_is_applied_when_it_is_created() -> None:
    """To the devices that it targets, in one write each."""
    scene = Scene()
    scene.add("d1", "d2", kind="pump")
    scene.add("d3", kind="fan")
    scene.add("d1/m", kind="pump")
    scene.configure("c", "tags.kind = 'pump'")
    assert [scene.desired(name) for name in ("d1", "d2", "d3", "d1/m")] == [(1, 2), (1, 2), (None, 1), (None, 1)]
    assert [scene.status(name) for name in ("d1", "d3")] == [{"c": "Applied"}, {}]
    scene.deployer.tick()
    assert scene.desired("d1") == (1, 2)


def test_modules_have_configurations_of_their_own() -> None:
    """Which devices do not see."""
    scene = Scene()
    scene.add("d1", "d1/m", "d1/n")
    content = {"moduleContent": {"properties.desired.a": 5}}
    scene.configure("c", "FROM devices.modules WHERE devices.modules.moduleId = 'm'", content=content)
    assert [scene.desired(name)[0] for name in ("d1", "d1/m", "d1/n")] == [None, 5, None]


def test_device_that_comes_to_meet_the_condition_is_given_the_content() -> None:
    """By a new tag, by a report, or by being created."""
    scene = Scene()
    scene.add("d1", "d2")
    scene.configure("c", "tags.kind = 'pump' OR properties.reported.ready = true OR deviceId = 'd3'")
    scene.engine.twins.update("d1", {"tags": {"kind": "pump"}})
    scene.engine.twins.report("d2", {"ready": True})
    scene.add("d3")
    scene.deployer.tick()
    assert [scene.desired(name)[0] for name in ("d1", "d2", "d3")] == [1, 1, 1]


def test_highest_priority_wins_and_the_others_only_target() -> None:
    """Whatever the order in which they come; of equals, the youngest."""
    scene = Scene()
    scene.add("d1")
    scene.configure("middle", priority=5, a="middle")
    scene.configure("low", priority=1, a="low")
    assert scene.desired("d1") == ("middle", 2)
    scene.configure("high", priority=9, a="high")
    scene.configure("younger", priority=9, a="younger")
    assert scene.desired("d1") == ("younger", 4)
    assert scene.status("d1") == {"younger": "Applied", "high": "Targeted", "middle": "Targeted", "low": "Targeted"}


def test_device_that_leaves_falls_to_the_next_lower_priority() -> None:
    """Because of its tags, or because the configuration was changed or deleted; with none left the content stays."""
    scene = Scene()
    scene.add("d1", kind="pump")
    scene.configure("low", priority=1, a="low")
    scene.configure("high", "tags.kind = 'pump'", 9, "high")
    scene.engine.twins.update("d1", {"tags": {"kind": "fan"}})
    scene.deployer.tick()
    assert (scene.desired("d1")[0], scene.status("d1")) == ("low", {"low": "Applied"})
    scene.configurations.update("high", body("*", 9), "*")
    scene.deployer.tick()
    assert scene.desired("d1")[0] == "high"
    scene.configurations.delete("high", "*")
    scene.deployer.tick()
    assert scene.desired("d1")[0] == "low"
    scene.configurations.delete("low", "*")
    scene.deployer.tick()
    assert (scene.desired("d1")[0], scene.status("d1")) == ("low", {})


def test_configuration_that_comes_again_is_applied_again() -> None:
    """It has the name of the old one, not its birth."""
    scene = Scene()
    scene.add("d1")
    scene.configure("c", a="old")
    scene.configurations.delete("c", "*")
    scene.configure("c", a="new")
    assert scene.desired("d1")[0] == "new"


def test_change_by_hand_stays() -> None:
    """Content is written when a device comes to a configuration, not again."""
    scene = Scene()
    scene.add("d1")
    scene.configure("c")
    scene.engine.twins.update("d1", {"properties": {"desired": {"a": "by hand"}}, "tags": {"x": 1}})
    scene.now += 300
    scene.deployer.tick()
    assert scene.desired("d1")[0] == "by hand"


def test_all_twins_are_looked_at_every_five_minutes() -> None:
    """So conditions about what makes no news, such as a connection, are noticed in the end."""
    scene = Scene()
    scene.add("d1")
    scene.configure("c", "connectionState = 'Connected'")
    Device(scene.engine, "d1")
    scene.now += 299
    scene.deployer.tick()
    assert scene.status("d1") == {}
    scene.now += 1
    scene.deployer.tick()
    assert scene.status("d1") == {"c": "Applied"}


def test_clock_that_was_set_back_does_not_stop_the_looking() -> None:
    """An hour is not waited for."""
    scene = Scene()
    scene.add("d1")
    scene.configure("c", "connectionState = 'Connected'")
    Device(scene.engine, "d1")
    scene.now -= 3600
    scene.deployer.tick()
    assert scene.status("d1") == {"c": "Applied"}


def test_twin_without_room_stays_targeted(caplog: pytest.LogCaptureFixture) -> None:
    """It is given the content once there is room."""
    scene = Scene()
    scene.add("d1")
    full = {f"k{number}": "x" * 4000 for number in range(8)}
    scene.engine.twins.update("d1", {"properties": {"desired": full}})
    scene.configure("c", a="y" * 4000)
    assert scene.status("d1") == {"c": "Targeted"}
    assert "c cannot be applied to d1: desired: " in caplog.text
    scene.engine.twins.update("d1", {"properties": {"desired": {"k1": None}}})
    scene.now += 300
    scene.deployer.tick()
    assert (scene.status("d1"), scene.desired("d1")[0]) == ({"c": "Applied"}, "y" * 4000)


def test_device_that_is_gone_is_forgotten() -> None:
    """It counts for no metric any more, and begins anew if it comes again."""
    scene = Scene()
    scene.add("d1")
    scene.configure("c")
    scene.engine.registry.delete("d1", "*")
    assert scene.configurations.placements() == []
    scene.deployer.tick()
    scene.add("d1")
    scene.deployer.tick()
    assert scene.desired("d1") == (1, 2)
    scene.engine.registry.delete("d1", "*")
    scene.add("d1")
    scene.deployer.tick()
    assert scene.desired("d1") == (1, 2)


def test_device_that_comes_and_goes_between_two_looks_is_no_trouble() -> None:
    """There is nobody to give anything."""
    scene = Scene()
    scene.configure("c")
    scene.add("d1")
    scene.engine.registry.delete("d1", "*")
    scene.deployer.tick()
    assert scene.configurations.placements() == []


def test_hub_that_comes_back_writes_nothing_twice(tmp_path: Path) -> None:
    """What was applied is known; what changed meanwhile is noticed at once."""
    state = DiskState(tmp_path / "hub.db")
    first = Scene(state)
    first.add("d1")
    first.configure("c")
    first.engine.twins.update("d1", {"properties": {"desired": {"a": "by hand"}}})
    state.commit()
    second = Scene(state)
    second.add("d2")
    second.deployer.tick()
    assert [second.desired(name)[0] for name in ("d1", "d2")] == ["by hand", 1]
    state.close()


def test_many_twins_are_looked_at_a_few_at_a_time() -> None:
    """As many as its share of time allows; it asks for its next turn at once, until it has seen all of them."""
    scene = Scene(monotonic=itertools.count().__next__)  # whatever it does takes a second
    asked: list[WorkWaiting] = []
    scene.add("d1", "d2", "d3")
    scene.configurations.create("c", body())
    scene.engine.events.subscribe(asked.append, WorkWaiting)
    seen = []
    for _ in range(4):
        scene.deployer.tick()
        seen.append(([scene.desired(name)[0] for name in ("d1", "d2", "d3")], len(asked)))
    assert seen == [([1, None, None], 1), ([1, 1, None], 2), ([1, 1, 1], 2), ([1, 1, 1], 2)]


def test_news_of_twins_waits_with_the_twins_that_are_left() -> None:
    """A configuration that comes meanwhile begins again with all of them."""
    scene = Scene(monotonic=itertools.count().__next__)
    scene.add("d1", "d2")
    scene.configure("low", "tags.kind = 'pump'", 1, "low")
    scene.engine.twins.update("d1", {"tags": {"kind": "pump"}})
    scene.configure("high", "deviceId = 'd2'", 2, "high")
    assert (scene.desired("d1")[0], scene.desired("d2")[0]) == ("low", None)
    scene.deployer.tick()
    assert scene.desired("d2")[0] == "high"
