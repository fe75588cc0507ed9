"""Delays and windows, over restarts, midnight, and the days on which clocks change."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.moment import Deadline, Moment
from fwsm.core.policy import AllOf, Always, Delay, NotBefore, Policy, Window
from fwsm.core.update import Request, State, Update
from fwsm.errors import ConfigError

ZURICH = ZoneInfo("Europe/Zurich")
WALL = datetime(2026, 5, 4, 12, tzinfo=UTC)
NOW = Moment(WALL, 1000.0, "boot-1")


def _update(state: State, **known: Any) -> Update:
    return Update(id="u1", request=Request("https://images.example/fw.bin"), state=state, boot_id="boot-1", **known)


WAITING = _update(State.WAITING)
READY = _update(State.DOWNLOAD_COMPLETE)


def _zurich(month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0) -> Moment:
    """A local time in Zurich in 2026."""
    local = datetime(2026, month, day, hour, minute, tzinfo=ZURICH, fold=fold)
    return Moment(local.astimezone(UTC), 1000.0, "boot-1")


def _asked_at(policy: Window, now: Moment) -> str:
    """The local time of the answer: "open", or when it opens."""
    verdict = policy.verdict(READY, now)
    if verdict is None:
        return "open"
    assert verdict.until is not None
    return f"{verdict.until.astimezone(policy.zone):%m-%d %H:%M}"


@pytest.mark.parametrize("state", [State.WAITING, State.DOWNLOAD_COMPLETE])
def test_always_goes_on_at_once(state: State) -> None:
    """The policy of a device that has none."""
    assert Always().verdict(_update(state), NOW) is None


# -- delay -------------------------------------------------------------------------------------------------------------


def test_delay_holds_the_download_back() -> None:
    """The first answer is the whole delay, with its end for people."""
    assert Delay(60.0).verdict(WAITING, NOW) == NotBefore("delay", WALL + timedelta(seconds=60), 60.0)


@pytest.mark.parametrize(("passed_s", "left_s"), [(0, 60.0), (59, 1.0), (60, None), (3600, None)])
def test_delay_is_counted_from_the_first_time_it_was_asked(passed_s: int, left_s: float | None) -> None:
    """The deadline is on disk, so asking again, after a restart too, does not prolong it."""
    stored = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, 60.0))
    verdict = Delay(60.0).verdict(stored, replace(NOW, boottime_s=1000.0 + passed_s))
    assert (verdict.wait_s if verdict else None) == left_s


@pytest.mark.parametrize("delay_s", [0.0, -5.0])
def test_a_delay_of_nothing_is_none(delay_s: float) -> None:
    """Not even one that is over at once, which would be stored and reported."""
    assert Delay(delay_s).verdict(WAITING, NOW) is None
    assert Delay(0.5).verdict(WAITING, NOW) == NotBefore("delay", WALL + timedelta(seconds=0.5), 0.5)


def test_delay_survives_a_reboot() -> None:
    """In a later boot wall time says how much of the delay is left."""
    stored = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, 60.0))
    verdict = Delay(60.0).verdict(stored, Moment(WALL + timedelta(seconds=45), 3.0, "boot-2"))
    assert verdict == NotBefore("delay", WALL + timedelta(seconds=60), 15.0)


def test_delay_that_is_longer_than_the_setting_is_cut_off() -> None:
    """The stored one is damaged, or was set when the setting was another; asked again, it is not prolonged."""
    stored = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, 1e9))
    answer = Delay(60.0).verdict(stored, NOW)
    assert answer == NotBefore("delay", WALL + timedelta(seconds=60), 60.0)
    stored = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, answer.wait_s))
    assert Delay(60.0).verdict(stored, replace(NOW, boottime_s=1060.0)) is None


def test_delay_is_over_once_another_policy_makes_the_update_wait() -> None:
    """A delay is asked first, so whoever makes the update wait now was asked when the delay was over."""
    stored = replace(WAITING, reason="battery", deadline=Deadline.after(NOW, 5.0))
    assert Delay(60.0).verdict(stored, NOW) is None


@pytest.mark.parametrize(("delay_s", "update"), [(60.0, READY), (0.0, WAITING)])
def test_no_delay_where_there_is_none(delay_s: float, update: Update) -> None:
    """Only the download is delayed, and only by more than nothing."""
    assert Delay(delay_s).verdict(update, NOW) is None


# -- window ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hour", "minute", "answer"),
    [(1, 59, "05-04 02:00"), (2, 0, "open"), (4, 29, "open"), (4, 30, "05-05 02:00"), (23, 0, "05-05 02:00")],
)
def test_window_opens_at_its_start_and_closes_before_its_end(hour: int, minute: int, answer: str) -> None:
    """The start is inside, the end is not."""
    window = Window.parse("02:00-04:30", "Europe/Zurich")
    assert _asked_at(window, _zurich(5, 4, hour, minute)) == answer


@pytest.mark.parametrize(
    ("hour", "minute", "answer"),
    [(22, 29, "05-04 22:30"), (22, 30, "open"), (0, 0, "open"), (1, 59, "open"), (2, 0, "05-04 22:30")],
)
def test_window_over_midnight(hour: int, minute: int, answer: str) -> None:
    """An end before the start lies on the next day."""
    window = Window.parse("22:30-02:00", "Europe/Zurich")
    assert _asked_at(window, _zurich(5, 4, hour, minute)) == answer


@pytest.mark.parametrize(
    ("text", "hour", "answer"),
    [
        ("02:00-04:00", 1, "03-29 03:00"),
        ("02:30-04:00", 1, "03-29 03:30"),
        ("02:30-04:00", 3, "open"),
        ("02:10-02:50", 1, "03-30 02:10"),
        ("02:10-02:50", 3, "03-30 02:10"),
    ],
)
def test_window_on_the_day_that_is_an_hour_short(text: str, hour: int, answer: str) -> None:
    """On 29 March 2026 the clocks in Zurich go from 02:00 to 03:00; a window inside that hour falls out."""
    assert _asked_at(Window.parse(text, "Europe/Zurich"), _zurich(3, 29, hour)) == answer


def test_a_window_that_falls_out_tomorrow_opens_the_day_after() -> None:
    """Asked when today's is over."""
    assert _asked_at(Window.parse("02:10-02:50", "Europe/Zurich"), _zurich(3, 28, 12)) == "03-30 02:10"


@pytest.mark.parametrize("zone", ["Pacific/Pago_Pago", "Pacific/Kiritimati"])
@pytest.mark.usefixtures("elsewhere")
def test_the_machines_own_zone_is_out_of_it(zone: str) -> None:
    """Where it is another day, too; the time for people is in UTC."""
    window = Window.parse("20:00-22:00", zone)
    verdict = window.verdict(READY, Moment(datetime(2026, 5, 4, 18, tzinfo=window.zone).astimezone(UTC), 1.0, "b"))
    assert verdict is not None
    assert verdict.until == datetime(2026, 5, 4, 20, tzinfo=window.zone)
    assert verdict.until.tzinfo is UTC


@pytest.mark.parametrize(
    ("minute", "fold", "answer"),
    [(0, 0, "10-25 02:30"), (40, 0, "open"), (0, 1, "10-25 02:30"), (40, 1, "open")],
)
def test_window_on_the_day_that_is_an_hour_long(minute: int, fold: int, answer: str) -> None:
    """On 25 October 2026 the hour from 02:00 comes twice in Zurich, and the window opens in each."""
    window = Window.parse("02:30-03:30", "Europe/Zurich")
    assert _asked_at(window, _zurich(10, 25, 2, minute, fold=fold)) == answer


@pytest.mark.parametrize(("hour", "minute", "wait_s"), [(12, 0, 3600.0), (1, 0, 3600.0), (1, 50, 600.0)])
def test_window_is_asked_again_within_the_hour(hour: int, minute: int, wait_s: float) -> None:
    """Wall time may be set right while we wait."""
    verdict = Window.parse("02:00-04:30").verdict(READY, replace(NOW, wall=WALL.replace(hour=hour, minute=minute)))
    assert verdict is not None
    assert (verdict.reason, verdict.wait_s) == ("window", wait_s)


@pytest.mark.parametrize("state", [State.WAITING, State.DOWNLOADING])
def test_window_does_not_hold_the_download_back(state: State) -> None:
    """Only the image is applied inside the window."""
    assert Window.parse("02:00-04:30").verdict(_update(state), NOW) is None


_tens = st.integers(0, 143).map(lambda tens: time(tens // 6, tens % 6 * 10))
_shifts = st.sampled_from([datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), WALL])


@given(
    start=_tens,
    end=_tens,
    zone=st.sampled_from(["UTC", "Europe/Zurich", "Australia/Lord_Howe", "America/St_Johns"]),
    day=_shifts,
    minutes=st.integers(-3 * 1440, 3 * 1440),
)
def test_window_is_open_when_it_said_it_would_be(
    start: time, end: time, zone: str, day: datetime, minutes: int
) -> None:
    """Asked again at `until` it is open, and it was not open an hour or more before."""
    if start == end:
        end = time(end.hour, end.minute + 5)
    window, wall = Window(start, end, ZoneInfo(zone)), day + timedelta(minutes=minutes)
    verdict = window.verdict(READY, replace(NOW, wall=wall))
    if verdict is None:
        return
    assert verdict.until is not None
    assert 0 < verdict.wait_s <= min(3600.0, (verdict.until - wall).total_seconds())
    assert window.verdict(READY, replace(NOW, wall=verdict.until)) is None
    while (wall := wall + timedelta(minutes=5)) <= verdict.until - timedelta(hours=1):
        assert window.verdict(READY, replace(NOW, wall=wall)) is not None


@pytest.mark.parametrize("text", ["", "02:00", "02:00-", "-02:00", "2-4", "24:00-01:00", "night", "02:00\u201304:00"])
def test_text_that_is_no_window_is_refused(text: str) -> None:
    """The message shows the text and how to write it."""
    with pytest.raises(ConfigError) as caught:
        Window.parse(text)
    assert str(caught.value) == (
        f"'{text}' is not a maintenance window: it takes two times of day with a dash between them. "
        "Write it like 02:00-04:30"
    )


@pytest.mark.parametrize("text", ["02:00-02:00", "02:00+01:00-04:00", "02:00-04:00Z", "02:00-04:00-06:00"])
def test_window_without_length_or_with_a_zone_is_refused(text: str) -> None:
    """A window that never or always opens is a mistake, and the zone stands beside it."""
    with pytest.raises(ConfigError) as caught:
        Window.parse(text)
    assert str(caught.value) == (
        f"'02:00-{text[-5:] if text == '02:00-02:00' else '04:00'}' is not a maintenance window: "
        "start and end must differ and carry no zone of their own. "
        "Write it like 02:00-04:30 and give the zone beside it"
    )


@pytest.mark.parametrize("zone", ["", "Zurich", "Europe", "../../etc/passwd", "Europe/\0", "\udcff", "/etc/localtime"])
def test_unknown_zone_is_refused(zone: str) -> None:
    """Whatever the zone database makes of the name, one clear error comes out."""
    with pytest.raises(ConfigError, match="is not known here") as caught:
        Window.parse("02:00-04:30", zone)
    assert caught.value.fix == "Use a name like Europe/Zurich or UTC"


# -- several -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Objects:
    """Waits for its own reason."""

    wait_s: float

    def verdict(self, update: Update, now: Moment) -> NotBefore | None:  # noqa: ARG002
        """Wait."""
        return NotBefore("battery", None, self.wait_s)


def test_all_of_shows_the_first_wait() -> None:
    """Every policy must agree; the first that does not is the reason that people see."""
    assert AllOf([Always(), Objects(5.0), Objects(60.0)]).verdict(WAITING, NOW) == Objects(5.0).verdict(WAITING, NOW)


def test_all_of_does_not_begin_a_delay_anew_behind_another_wait() -> None:
    """The delay runs out, another policy waits, and when that agrees the update goes on."""
    both = AllOf([Delay(60.0), Objects(600.0)])
    first = both.verdict(WAITING, NOW)
    assert first == Delay(60.0).verdict(WAITING, NOW)
    later = replace(NOW, boottime_s=NOW.boottime_s + 60.0, wall=NOW.wall + timedelta(seconds=60))
    delayed = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, 60.0))
    assert both.verdict(delayed, later) == NotBefore("battery", None, 600.0)
    waiting = replace(WAITING, reason="battery", deadline=Deadline.after(later, 600.0))
    assert both.verdict(waiting, later) == NotBefore("battery", None, 600.0)
    assert AllOf([Delay(60.0), Always()]).verdict(waiting, later) is None


@pytest.mark.parametrize(
    "policies", [[Always(), Delay(60.0)], [Delay(5.0), Delay(60.0)], [Always(), AllOf([Delay(60.0)])]]
)
def test_a_delay_behind_another_policy_is_refused(policies: list[Policy]) -> None:
    """Its deadline would be forgotten, and the device wait for ever."""
    with pytest.raises(ConfigError, match="Put one Delay first"):
        AllOf(policies)


def test_all_of_goes_on_when_none_objects() -> None:
    """Also if there are no policies at all."""
    assert AllOf([Delay(60.0), Always()]).verdict(READY, NOW) is None
    assert AllOf([]).verdict(WAITING, NOW) is None


def test_a_delay_that_was_switched_off_is_over() -> None:
    """Whatever deadline it had set before."""
    waits = replace(WAITING, reason="delay", deadline=Deadline.after(NOW, 60.0))
    assert Delay(60.0).verdict(waits, NOW) is not None
    assert Delay(0.0).verdict(waits, NOW) is None


@pytest.mark.parametrize("delay_s", ["60", None, math.nan, math.inf])
def test_a_delay_without_an_end_is_refused(delay_s: Any) -> None:
    """When it is made, and not at each question for ever."""
    with pytest.raises(ConfigError) as caught:
        Delay(delay_s)
    assert str(caught.value) == f"'{delay_s}' is no delay: it must be a number of seconds. Give one, 0 for none"
