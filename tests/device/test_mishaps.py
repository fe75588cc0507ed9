"""What goes wrong in the program's own code is kept, but not again and again."""

from __future__ import annotations

from fwsm.device.mishaps import Mishap, Mishaps


def test_the_same_thing_is_kept_once_for_each_update() -> None:
    """A hook that always fails would fill the disk otherwise; whoever waits for something new is told of it."""
    rung: list[None] = []
    mishaps = Mishaps(lambda: rung.append(None))
    first, second = Mishap("hookFailed", "no", "u1"), Mishap("hookFailed", "no", None)
    assert [mishaps.add(mishap, of="lamp") for mishap in (first, first, second)] == [True, False, True]
    assert mishaps.add(first, of="bell")
    assert list(mishaps.taken()) == [first, second, first]
    assert list(mishaps.taken()) == []
    assert len(rung) == 3


def test_what_is_known_does_not_grow_for_ever() -> None:
    """A device that runs for years has many updates."""
    mishaps = Mishaps()
    for number in range(1001):
        assert mishaps.add(Mishap("hookFailed", "no", f"u{number}"), of="lamp")
    assert len(list(mishaps.taken())) == 1001
    assert mishaps.add(Mishap("hookFailed", "no", "u0"), of="lamp")
    assert not mishaps.add(Mishap("hookFailed", "no", "u1000"), of="lamp")
