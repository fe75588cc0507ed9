from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from fwsm.core.moment import Moment
from fwsm.device.backoff import is_transient, retrying
from fwsm.errors import DownloadError, FwsmError, LinkAuthError, LinkError, ReportRefusedError


class FakeClock:
    """Time that passes only while somebody waits; it can set the event after so many pauses."""

    def __init__(self, *, sets_event_in_pause: int | None = None) -> None:
        self.pauses: list[float] = []
        self._sets_event_in_pause = sets_event_in_pause
        self._passed_s = 0.0

    def now(self) -> Moment:
        """As long after the start as the pauses took."""
        return Moment(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._passed_s), self._passed_s, "boot")

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        """Let the time pass at once."""
        assert timeout_s is not None
        self.pauses.append(timeout_s)
        self._passed_s += timeout_s
        if len(self.pauses) == self._sets_event_in_pause:
            event.set()
        return event.is_set()


class Failing:
    """Fails with the given errors, one a call, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        """Fail or succeed."""
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


def test_transient_errors_are_tried_again_until_it_works() -> None:
    """A call that fails twice with what time heals is made three times."""
    call = Failing(LinkError("one"), DownloadError("two"))
    assert retrying(FakeClock(), threading.Event(), base_s=1, cap_s=60)(call) == "done"
    assert call.calls == 3


@pytest.mark.parametrize("error", [ReportRefusedError("never"), LinkAuthError("a person"), ValueError("a bug")])
def test_other_errors_are_raised_at_once(error: Exception) -> None:
    """What time does not heal is not tried again."""
    call = Failing(error)
    with pytest.raises(type(error)) as caught:
        retrying(FakeClock(), threading.Event(), base_s=1, cap_s=60)(call)
    assert caught.value is error
    assert call.calls == 1


def test_the_caller_may_say_what_is_worth_another_try() -> None:
    """A predicate replaces the rule about transient errors."""
    call = Failing(ValueError("odd"))
    retrier = retrying(FakeClock(), threading.Event(), base_s=1, cap_s=60, when=lambda e: isinstance(e, ValueError))
    assert retrier(call) == "done"


def test_pauses_grow_with_full_jitter_up_to_the_cap() -> None:
    """Each pause lies between nothing and its doubled bound, spread over that whole range, and never above the cap."""
    widths: list[list[float]] = [[] for _ in range(8)]
    for _ in range(200):
        clock = FakeClock()
        retrying(clock, threading.Event(), base_s=1, cap_s=20)(Failing(*(LinkError("x") for _ in range(8))))
        for column, pause_s in zip(widths, clock.pauses, strict=True):
            column.append(pause_s)
    for number, column in enumerate(widths):
        bound_s = min(2.0**number, 20.0)
        assert 0 <= min(column) < 0.2 * bound_s
        assert 0.8 * bound_s < max(column) <= bound_s


def test_the_pause_that_the_other_side_asks_for_is_kept() -> None:
    """Retry-After is a lower bound, with jitter on top of it."""
    clock = FakeClock()
    retrying(clock, threading.Event(), base_s=1, cap_s=60)(Failing(LinkError("busy", retry_after_s=7)))
    assert 7 <= clock.pauses[0] <= 8


def test_an_absurd_retry_after_is_capped() -> None:
    """A server cannot put a device to sleep for longer than the cap."""
    clock = FakeClock()
    retrying(clock, threading.Event(), base_s=1, cap_s=60)(Failing(LinkError("busy", retry_after_s=1e9)))
    assert clock.pauses == [60]


def test_what_time_does_not_heal_is_tried_slowly() -> None:
    """If the caller lets a refused identity through, the pauses are long from the first on."""
    clock = FakeClock()
    errors = [LinkAuthError("no"), LinkAuthError("no")]
    retrying(clock, threading.Event(), base_s=1, cap_s=60, when=lambda e: isinstance(e, FwsmError))(Failing(*errors))
    assert all(30 <= pause_s <= 60 for pause_s in clock.pauses)


@pytest.mark.parametrize(
    ("error", "least_s", "most_s"),
    [
        (LinkError("away"), 0.0, 30.0),
        (LinkAuthError("a person"), 0.0, 30.0),
        (LinkError("429", retry_after_s=55.0), 25.0, 26.0),
    ],
)
def test_what_a_try_took_is_a_part_of_the_pause(error: FwsmError, least_s: float, most_s: float) -> None:
    """What is left of it is waited, and in any case a moment, so that not all come back at once."""

    def pauses(spent_s: float) -> list[float]:
        clock = FakeClock()
        retry = retrying(
            clock, threading.Event(), base_s=1, cap_s=60, when=lambda _error: True, spent_s=lambda: spent_s
        )
        retry(Failing(*[error] * 300))
        return clock.pauses

    assert all(least_s <= pause_s <= most_s for pause_s in pauses(30.0))
    assert max(pauses(30.0)) > most_s - 2.0
    assert max(pauses(60.0)) <= 1.0
    assert 0.3 < sum(pauses(60.0)) / 300 < 0.7


def test_attempts_are_limited() -> None:
    """After the last allowed try its error is raised."""
    call = Failing(LinkError("one"), LinkError("two"), LinkError("three"))
    with pytest.raises(LinkError, match="two"):
        retrying(FakeClock(), threading.Event(), base_s=1, cap_s=60, attempts=2)(call)
    assert call.calls == 2


def test_time_is_limited() -> None:
    """No try begins once the time is over, counted on the clock that was passed in."""
    clock = FakeClock()
    call = Failing(*(LinkError("busy", retry_after_s=10) for _ in range(9)))
    with pytest.raises(LinkError, match="busy"):
        retrying(clock, threading.Event(), base_s=0, cap_s=60, within_s=25)(call)
    assert clock.pauses == [10, 10, 10]


def test_a_stop_in_a_pause_ends_it_with_the_last_error() -> None:
    """The event that is set while it sleeps lets no further try begin."""
    call = Failing(LinkError("one"), LinkError("two"), LinkError("three"))
    with pytest.raises(LinkError, match="two"):
        retrying(FakeClock(sets_event_in_pause=2), threading.Event(), base_s=1, cap_s=60)(call)
    assert call.calls == 2


def test_a_stop_before_the_pause_leaves_it_out() -> None:
    """With the event already set, the first error is raised without any pause."""
    clock, stop = FakeClock(), threading.Event()
    stop.set()
    with pytest.raises(LinkError, match="one"):
        retrying(clock, stop, base_s=1, cap_s=60)(Failing(LinkError("one")))
    assert clock.pauses == []


def test_the_hook_is_told_error_and_pause() -> None:
    """Before each pause the hook learns why and for how long."""
    clock, told = FakeClock(), list[tuple[str, float]]()
    retrier = retrying(
        clock, threading.Event(), base_s=1, cap_s=60, before_sleep=lambda error, s: told.append((str(error), s))
    )
    retrier(Failing(LinkError("one"), LinkError("two")))
    assert told == list(zip(["one", "two"], clock.pauses, strict=True))


def test_it_also_serves_a_with_block() -> None:
    """The tries can be written as a loop, which a stop in a pause ends in the same way."""
    call = Failing(LinkError("one"), LinkError("two"), LinkError("three"))

    def loop() -> None:
        for attempt in retrying(FakeClock(sets_event_in_pause=2), threading.Event(), base_s=1, cap_s=60):
            with attempt:
                call()

    with pytest.raises(LinkError, match="two"):
        loop()


def test_a_foreign_error_is_not_transient() -> None:
    """Only an error of this package can say that time helps."""
    assert is_transient(LinkError("x"))
    assert not is_transient(OSError("x"))
