"""The record's own arithmetic."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.core.update import Failure, Limits, Progress, State
from fwsm.errors import ConfigError, DownloadError, Kind


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.WAITING, ("waiting", None, False, True)),
        (State.DOWNLOADING, ("downloading", None, False, True)),
        (State.DOWNLOAD_COMPLETE, ("downloadComplete", None, False, True)),
        (State.DOWNLOAD_FAILED, ("downloadFailed", None, True, False)),
        (State.INSTALLING, ("applying", "installing", False, False)),
        (State.REBOOTING, ("applying", "rebooting", False, False)),
        (State.CONFIRMING, ("applying", "confirming", False, False)),
        (State.ROLLING_BACK, ("applying", "rollingBack", False, False)),
        (State.APPLY_COMPLETE, ("applyComplete", None, True, False)),
        (State.APPLY_FAILED, ("applyFailed", None, True, False)),
    ],
)
def test_state_knows_its_words(state: State, words: tuple[str, str | None, bool, bool]) -> None:
    """Status, substatus, whether it is settled, and whether an operator can still interrupt it."""
    assert (state.status, state.substatus, state.settled, state.interruptible) == words


def test_failure_of_our_own_error_keeps_code_and_kind() -> None:
    """What the twin shows is what the error says."""
    error = DownloadError("the transfer broke off", why="connection reset", fix="Nothing to do")
    assert Failure.of(error) == Failure(
        "downloadInterrupted", "the transfer broke off: connection reset. Nothing to do", Kind.TRANSIENT
    )


@pytest.mark.parametrize("error", [ZeroDivisionError("division by zero"), KeyError("name"), OSError(5, "I/O error")])
def test_failure_of_a_foreign_error_is_a_bug_and_not_retried(error: Exception) -> None:
    """Its class is named, because its text alone often says little."""
    failure = Failure.of(error)
    assert (failure.code, failure.kind) == ("internal", Kind.PERMANENT)
    assert failure.message == f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("error", [DownloadError("no file \udcff.bin"), OSError("no file \udcff.bin")])
def test_failure_can_be_stored_whatever_its_text(error: Exception) -> None:
    """A file name that is not UTF-8 gets into messages with surrogates, which no database takes."""
    assert Failure.of(error).message.encode().endswith(b"no file ?.bin")


class SpeechlessError(DownloadError):
    """Its text cannot be made."""

    def __str__(self) -> NoReturn:
        """Fail."""
        raise LookupError


def test_failure_of_an_error_without_a_text_is_a_failure_all_the_same() -> None:
    """Whoever keeps it must not end over it."""
    assert Failure.of(SpeechlessError("")) == Failure(
        "downloadInterrupted", "(its text cannot be made: LookupError)", Kind.TRANSIENT
    )


@pytest.mark.parametrize("code", [None, 42, "", "a\nb"])
@pytest.mark.parametrize("kind", [None, "sometimes", "transient"])
def test_failure_of_a_class_that_says_nonsense_can_be_stored_and_read(code: Any, kind: Any) -> None:
    """A program derives errors of its own; what is no code and no kind is a bug, and a bug is not retried."""
    error = DownloadError("the modem is gone")
    error.code, error.kind = code, kind  # type: ignore[misc]  # that is what is wrong with it
    assert Failure.of(error) == Failure("internal", "the modem is gone", Kind.PERMANENT)


def test_failure_does_not_fill_the_database() -> None:
    """An error may quote a whole file; what is stored of it is long enough to be understood."""
    message = Failure.of(DownloadError("x" * 1_000_000)).message
    assert len(message) == 4000
    assert message.endswith("x…")


@pytest.mark.parametrize(
    ("progress", "percent"),
    [(Progress(0, 9), 0), (Progress(8, 9), 88), (Progress(9, 9), 100), (Progress(9), None), (Progress(0, 0), None)],
)
def test_percent_is_rounded_down(progress: Progress, percent: int | None) -> None:
    """100 means all of it; without a total there is no percentage."""
    assert progress.percent == percent


@given(attempt=st.integers(1, 10_000), chance=st.floats(0, 1, exclude_max=True))
def test_pause_is_full_jitter_within_base_and_cap(attempt: int, chance: float) -> None:
    """The upper end doubles with every try up to the cap, and chance picks from zero to there."""
    limits = Limits(retry_base_s=10.0, retry_cap_s=600.0)
    upper_s = min(600.0, 10.0 * 2.0 ** min(attempt - 1, 10))
    assert limits.retry_in_s(attempt, chance) == pytest.approx(upper_s * chance)


@pytest.mark.parametrize(("attempt", "pause_s"), [(1, 5.0), (2, 10.0), (3, 20.0), (4, 40.0), (33, 5.0 * 2**32)])
def test_pause_doubles_with_every_try(attempt: int, pause_s: float) -> None:
    """Half of the way up to it here, as chance has it; after 33 tries it grows no more, whatever the cap."""
    limits = Limits(retry_base_s=10.0, retry_cap_s=1e15)
    assert limits.retry_in_s(attempt, 0.5) == pause_s
    assert limits.retry_in_s(34, 0.5) == 5.0 * 2**32


def test_a_message_that_just_fits_is_kept_whole() -> None:
    """One character more, and it is cut."""
    room = 4000 - len("ValueError: ")
    assert Failure.of(ValueError("x" * room)).message == f"ValueError: {'x' * room}"
    assert Failure.of(ValueError("x" * (room + 1))).message == f"ValueError: {'x' * (room - 1)}…"


@pytest.mark.parametrize(("asked_s", "pause_s"), [(0.0, 0.0), (42.0, 42.0), (-5.0, 0.0), (86400.0, 600.0)])
def test_pause_that_the_server_asks_for_wins_up_to_the_cap(asked_s: float, pause_s: float) -> None:
    """A server may ask for patience, but not put a device to sleep for ever."""
    assert Limits(retry_cap_s=600.0).retry_in_s(1, 0.9, asked_s) == pause_s


@pytest.mark.parametrize("name", ["", "a.b", "Warm", "a" * 41, "wärmt"])
def test_a_child_with_an_odd_name_is_refused(name: str) -> None:
    """What may stand on the twin and in the database, and no more."""
    with pytest.raises(ConfigError) as caught:
        State.child(name)
    assert str(caught.value) == (
        f"'{name}' cannot be a state: it is written on the twin and into the database. "
        "Use up to 40 letters and digits, beginning with a small letter"
    )


def test_a_state_is_found_by_its_name() -> None:
    """Also a child of `applying` of a program that knew more; nothing else is made up."""
    for state in State:
        assert State.named(state.value) is state
    assert State.named("applying.someStep") is State.child("someStep")
    for name in ("applying", "applying.", "applying.Odd", "applying.a.b", "waiting.x", "gone", ""):
        with pytest.raises(ValueError, match="is not a valid State"):
            State.named(name)


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("attempts", 0, "at least 1"),
        ("restarts", -1, "at least 0"),
        ("reboots", 0, "at least 1"),
        ("damages", -1, "at least 0"),
        ("progress_bytes", 0, "at least 1"),
        ("retry_base_s", 0.0, "greater than 0, and have an end"),
        ("retry_cap_s", float("inf"), "greater than 0, and have an end"),
        ("reboot_s", -1.0, "greater than 0, and have an end"),
        ("confirm_s", float("nan"), "greater than 0, and have an end"),
    ],
)
def test_limits_that_are_none_are_refused(name: str, value: float, wanted: str) -> None:
    """A loop would go on for ever, or nothing could begin; the message names which and how much is needed."""
    with pytest.raises(ConfigError) as caught:
        Limits(**{name: value})  # type: ignore[arg-type]
    assert str(caught.value) == f"{name} is {value}: it must be {wanted}. Change it, or leave it out"
    least = wanted.removeprefix("at least ")
    Limits(**{name: int(least) if least.isdigit() else 0.001})  # type: ignore[arg-type]
