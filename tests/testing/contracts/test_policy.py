"""Our policies keep the contract."""

from __future__ import annotations

import pytest

from fwsm.core.policy import AllOf, Always, Delay, Policy, Window
from fwsm.testing.contracts import PolicyContract

POLICIES: dict[str, Policy] = {
    "always": Always(),
    "delay": Delay(60.0),
    "window": Window.parse("01:30-02:30", "Europe/Zurich"),
    "window over midnight": Window.parse("23:00-01:00"),
    "all of them": AllOf([Delay(60.0), Window.parse("02:00-04:30"), Always()]),
}


class TestPolicies(PolicyContract):
    """Each of them."""

    @pytest.fixture(params=list(POLICIES.values()), ids=list(POLICIES))
    def policy(self, request: pytest.FixtureRequest) -> Policy:
        """One after the other."""
        policy: Policy = request.param
        return policy
