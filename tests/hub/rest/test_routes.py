"""The tables of routes, put together."""

from __future__ import annotations

from collections import Counter

from fwsm.hub.rest.routes import ROUTES


def test_no_two_handlers_claim_one_route() -> None:
    """Method and path say which handler it is."""
    claims = Counter((route.method, route.path) for route in ROUTES)
    assert [claim for claim, times in claims.items() if times > 1] == []


def test_fixed_path_comes_before_a_pattern_that_would_take_it() -> None:
    """The first route that fits is taken, so `/devices/query` stands before `/devices/{device_id}`."""
    for index, route in enumerate(ROUTES):
        shape = route.path.split("/")
        for earlier in ROUTES[:index]:
            other = earlier.path.split("/")
            hides = len(other) == len(shape) and all(
                theirs.startswith("{") or theirs == ours for theirs, ours in zip(other, shape, strict=True)
            )
            assert not (hides and earlier.method == route.method), f"{earlier.path} hides {route.path}"
