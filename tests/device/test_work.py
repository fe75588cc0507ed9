"""What a state leads to where a policy has a say."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from fwsm.core.policy import Delay, NotBefore
from fwsm.core.update import State, Update
from tests.device.life import URI, Life

if TYPE_CHECKING:
    from fwsm.core.moment import Moment


def test_a_policy_that_fails_is_shown_and_asked_again(life: Life) -> None:
    """No answer is not a yes: the update waits, and says why."""

    class Broken:
        failures = 2

        def verdict(self, _update: Update, _now: Moment) -> NotBefore | None:
            if self.failures:
                self.failures -= 1
                raise ValueError("a bug of the embedder")
            return None

    life.options = {"policy": Broken()}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.step(life.clock.now())
    life.report()
    assert life.link.section["reason"] == "policyFailed"
    assert life.agent.step(life.clock.now()) == pytest.approx(60.0)
    life.clock.advance(60.0)
    life.step_until(State.DOWNLOAD_COMPLETE)
    life.report()
    assert "reason" not in life.link.section


class Odd:
    """A policy that answers what is no answer, once."""

    def __init__(self, answer: Any) -> None:
        self.answers: list[Any] = [answer]

    def verdict(self, _update: Update, _now: Moment) -> NotBefore | None:
        """Answer."""
        return self.answers.pop() if self.answers else None


WHEN = datetime(2030, 1, 1)  # noqa: DTZ001  # that is what is wrong with it


@pytest.mark.parametrize(
    "answer",
    [
        False,
        True,
        60.0,
        NotBefore("", None, 60.0),
        NotBefore("a\nb", None, 60.0),
        NotBefore(cast("str", 5), None, 60.0),
        NotBefore("busy", cast("datetime", "2030"), 60.0),
        NotBefore("busy", WHEN, 60.0),
        NotBefore("busy", None, cast("float", None)),
        NotBefore("busy", None, math.nan),
        NotBefore("busy", None, 10**400),
    ],
)
def test_an_answer_that_says_nothing_is_a_failure_of_the_policy(life: Life, answer: Any) -> None:
    """No answer is not a yes, and no reason for the agent to end at each start."""
    life.options = {"policy": Odd(answer)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.step(life.clock.now())
    assert life.agent.update is not None
    assert life.agent.update.reason == "policyFailed"
    life.restart()
    life.step_until(State.DOWNLOADING)


class Asked:
    """A policy that says when it was asked; it names another time at each question, as a simple one may."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self.at_s: list[float] = []

    def verdict(self, _update: Update, now: Moment) -> NotBefore | None:
        """Busy, until the fourth question."""
        self.at_s.append(now.boottime_s)
        return NotBefore("busy", now.wall + timedelta(seconds=self.wait_s), self.wait_s) if len(self.at_s) < 4 else None


@pytest.mark.parametrize(("wait_s", "pause_s"), [(60.0, 60.0), (0.0, 1.0), (-5.0, 1.0)])
def test_a_policy_is_asked_when_its_time_has_come_and_not_before(life: Life, wait_s: float, pause_s: float) -> None:
    """Whatever it answers, neither the question nor the commit of the answer goes round in a circle."""
    policy = Asked(wait_s)
    life.options = {"policy": policy}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.step_until(State.DOWNLOADING)
    assert [at_s - policy.at_s[0] for at_s in policy.at_s] == [0.0, pause_s, 2 * pause_s, 3 * pause_s]
    assert life.store is not None
    assert [row.trigger for row in life.store.history()].count("policy_deferred") == 3


def test_a_method_does_not_make_the_policy_be_asked_again(life: Life) -> None:
    """Whoever wakes the agent early wakes it for his own affair."""
    policy = Asked(60.0)
    life.options = {"policy": policy}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    for _ in range(5):
        life.call("firmwareUpdateStatus")
        life.agent.step(life.clock.now())
    assert len(policy.at_s) == 1


def test_a_process_that_comes_back_asks_at_once(life: Life) -> None:
    """The old answer stands on disk until then; what it was based on may have changed."""
    policy = Asked(60.0)
    life.options = {"policy": policy}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.step(life.clock.now())
    life.restart()
    for _ in range(2):
        life.agent.step(life.clock.now())
    assert policy.at_s == [100.0, 100.0]


def test_a_retry_is_asked_for_afresh(life: Life) -> None:
    """The pause of a cancelled wait does not hold up the retry of the same update unsaid."""
    life.options = {"policy": Delay(100.0)}
    life.restart()
    life.call(payload={"fwPackageUri": URI})
    life.agent.step(life.clock.now())
    life.clock.advance(60.0)
    life.call("firmwareUpdateCancel")
    life.call("firmwareUpdateRetry")
    for _ in range(2):
        wait_s = life.agent.step(life.clock.now())
    assert wait_s == pytest.approx(100.0)
    life.report()
    assert life.link.section["reason"] == "delay"
