"""Our policies keep the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from fwsm.core.moment import Moment
from fwsm.core.policy import AllOf, Always, Delay, NotBefore, Policy, Window
from fwsm.core.update import Request, State, Update
from fwsm.errors import PartError
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


class Hasty:
    """Answers a number of seconds."""

    def verdict(self, _update: Update, _now: Moment) -> NotBefore | None:
        """Which says nothing."""
        return cast("NotBefore", 60.0)


def test_a_wrong_answer_is_told_to_its_author() -> None:
    """In the words that a device would use."""
    update = Update(id="u1", request=Request("https://h/fw.img"), state=State.WAITING, boot_id="boot-1")
    with pytest.raises(
        PartError, match=r"the policy's verdict answered 60\.0: a NotBefore, or None to go on, is wanted"
    ):
        PolicyContract().test_a_wait_has_a_reason_and_an_end(
            Hasty(), update, Moment(datetime(2026, 5, 4, tzinfo=UTC), 1.0, "boot-1")
        )
