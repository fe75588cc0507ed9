"""The contract of a policy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.device.answers import Asked

if TYPE_CHECKING:
    from fwsm.core.policy import Policy

__all__ = ["PolicyContract"]

_REQUEST = Request("https://images.example/fw.img")
_STATES = (State.WAITING, State.DOWNLOAD_COMPLETE)
# A board without a battery starts in 1970; a wrong time server knows no bounds.
_DAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC), datetime(2099, 12, 31, tzinfo=UTC))


class PolicyContract:
    """What `fwsm.core.policy.Policy` promises."""

    @pytest.fixture
    def policy(self) -> Policy:
        """The policy; override this."""
        raise NotImplementedError

    @pytest.fixture(params=_STATES, ids=[state.value for state in _STATES])
    def update(self, request: pytest.FixtureRequest) -> Update:
        """An update in each state in which a policy is asked."""
        return Update(id="u1", request=_REQUEST, state=request.param, boot_id="boot-1")

    @pytest.fixture(params=_DAYS, ids=[f"{day:%Y-%m-%d}" for day in _DAYS])
    def now(self, request: pytest.FixtureRequest) -> Moment:
        """A moment on each of some odd days."""
        return Moment(request.param, 100.0, "boot-1")

    def test_a_wait_has_a_reason_and_an_end(self, policy: Policy, update: Update, now: Moment) -> None:
        """The reason is a short word for the twin; the time to ask again is a number of seconds from now."""
        verdict = Asked("policy", "verdict").verdict(policy.verdict(update, now))
        if verdict is not None:
            assert verdict.wait_s >= 0

    def test_the_same_question_has_the_same_answer(self, policy: Policy, update: Update, now: Moment) -> None:
        """A policy has no memory: a process that comes back asks again."""
        assert policy.verdict(update, now) == policy.verdict(update, now)
