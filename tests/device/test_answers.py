"""What a part answers is looked at before anybody relies on it."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest

from fwsm.core.moment import Moment
from fwsm.core.policy import NotBefore
from fwsm.core.update import Artifact, Probe, Progress
from fwsm.device.answers import Asked
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import PartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ASKED = Asked("installer", "probe")
SHA256 = "0123456789abcdef" * 4
LARGEST = 2**63 - 1
NOW = datetime(2026, 5, 4, tzinfo=UTC)
MOMENT = Moment(NOW, 100.0, "boot-1")
ODD: Any = object()


class Promise:
    """Somebody would have to wait for it."""

    def __await__(self) -> Iterator[None]:
        yield


async def later() -> bool:
    """Not before somebody awaits it."""
    return True


def respond(_status: int, _payload: object) -> None:
    """Send nothing."""


@pytest.mark.parametrize(
    ("good", "answers"),
    [
        (Asked.yes_or_no, [True, False]),
        (Asked.word, [None, "b", "/dev/mmcblk0p2", "x" * 128]),
        (Asked.name, ["u1", "0c8e88e7-60b3-4c47-815f-0bd90062786c"]),
        (Asked.share, [0, 0.0, 0.999]),
        (Asked.seconds, [0, 1.5, 3600.0]),
        (Asked.path, [Path("fw.img")]),
        (Asked.probe, list(Probe)),
        (Asked.artifact, [Artifact(SHA256, 0), Artifact(SHA256, LARGEST)]),
        (Asked.artifact_or_none, [None, Artifact(SHA256, 5)]),
        (Asked.progress, [Progress(0), Progress(5, 10), Progress(LARGEST, LARGEST)]),
        (Asked.moment, [MOMENT, Moment(NOW, 0, "boot-1"), Moment(datetime(1970, 1, 1, tzinfo=UTC), 1.0, "b")]),
        (Asked.verdict, [None, NotBefore("busy", None, 0), NotBefore("busy", NOW, 60.0), NotBefore("b", None, -1.0)]),
        (Asked.message, [Twin({}, {}), MethodCall("ping", None, respond)]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_a_protocol_promises_is_passed_on(good: Callable[[Asked, object], object], answers: list[Any]) -> None:
    """As it is."""
    assert [good(ASKED, answer) for answer in answers] == answers


@pytest.mark.parametrize(
    ("good", "answers"),
    [
        (Asked.done, [False, Promise()]),
        (Asked.yes_or_no, [None, 0, 1, "yes", ODD]),
        (Asked.word, ["", "a\nb", "x" * 129, "\ud800", Path("b"), 5, b"b", True]),
        (Asked.name, [None, "", 5, UUID(int=5)]),
        (Asked.share, [None, 1, -0.1, True, math.nan, "0"]),
        (Asked.seconds, [None, "5", True, math.nan, math.inf, 10**400]),
        (Asked.path, [None, "fw.img", b"fw.img", 5]),
        (Asked.probe, [None, True, "done", 5]),
        (
            Asked.artifact,
            [
                None,
                True,
                (SHA256, 5),
                Artifact(SHA256.upper(), 5),
                Artifact(SHA256[1:], 5),
                Artifact(f"{SHA256}\n", 5),
                Artifact(cast("str", SHA256.encode()), 5),
                Artifact(cast("str", None), 5),
                Artifact(SHA256, -1),
                Artifact(SHA256, LARGEST + 1),
                Artifact(SHA256, cast("int", 5.0)),
                Artifact(SHA256, cast("int", math.nan)),
                Artifact(SHA256, True),
                Artifact(SHA256, cast("int", None)),
            ],
        ),
        (Asked.artifact_or_none, [True, False, "", Artifact(SHA256, -1)]),
        (
            Asked.progress,
            [
                None,
                5,
                (5, 10),
                Progress(-1),
                Progress(2**70),
                Progress(cast("int", "5")),
                Progress(5, cast("int", 10.0)),
                Progress(5, -10),
                Progress(cast("int", None), 10),
            ],
        ),
        (
            Asked.moment,
            [
                None,
                5.0,
                Moment(cast("datetime", None), 1.0, "b"),
                Moment(NOW.replace(tzinfo=None), 1.0, "b"),
                Moment(NOW.astimezone(timezone(timedelta(hours=2))), 1.0, "b"),
                Moment(datetime.min.replace(tzinfo=UTC), 1.0, "b"),
                Moment(datetime.max.replace(tzinfo=UTC), 1.0, "b"),
                Moment(NOW, math.nan, "b"),
                Moment(NOW, -1.0, "b"),
                Moment(NOW, 1e300, "b"),
                Moment(NOW, cast("float", "1"), "b"),
                Moment(NOW, 1.0, ""),
                Moment(NOW, 1.0, cast("str", 5)),
            ],
        ),
        (
            Asked.verdict,
            [
                False,
                True,
                60.0,
                NotBefore("", None, 60.0),
                NotBefore("a\nb", None, 60.0),
                NotBefore("x" * 129, None, 60.0),
                NotBefore("busy", NOW.replace(tzinfo=None), 60.0),
                NotBefore("busy", cast("datetime", "2030"), 60.0),
                NotBefore("busy", datetime.max.replace(tzinfo=timezone(timedelta(hours=-2))), 60.0),
                NotBefore("busy", datetime.min.replace(tzinfo=timezone(timedelta(hours=2))), 60.0),
                NotBefore("busy", None, math.inf),
                NotBefore("busy", None, 10**400),
            ],
        ),
        (
            Asked.message,
            [
                None,
                {"desired": {}, "reported": {}},
                Twin(cast("dict[str, Any]", None), {}),
                Twin({}, cast("dict[str, Any]", [])),
                MethodCall(cast("str", b"ping"), None, respond),
                MethodCall("ping", None, cast("Callable[..., None]", 5)),
            ],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_everything_else_is_refused(good: Callable[[Asked, object], object], answers: list[Any]) -> None:
    """Whatever type it is of: it would be met by the database, or by arithmetic far from here."""
    for answer in answers:
        with pytest.raises(PartError, match=r"^the installer's probe answered .*Mend the installer"):
            good(ASKED, answer)


def test_a_wait_is_a_float_whatever_number_was_answered() -> None:
    """The database takes no int of more than 64 bits."""
    verdict = ASKED.verdict(NotBefore("never", datetime.max.replace(tzinfo=UTC), 10**20))
    assert verdict is not None
    assert isinstance(verdict.wait_s, float)


def test_what_does_its_work_may_answer_what_it_likes() -> None:
    """Nobody asked for it; only a promise, and a plain no, cannot be taken for work that is done."""
    for answer in (None, True, 0, "ok", ODD):
        ASKED.done(answer)


@pytest.mark.filterwarnings("error")
def test_a_coroutine_is_no_answer() -> None:
    """No event loop runs in the device's threads; and Python is spared its warning that nobody awaited it."""
    with pytest.raises(PartError, match=r"in a plain function, or raise an error\. Mend"):
        ASKED.done(later())
    with pytest.raises(PartError, match="<coroutine object later"):
        ASKED.yes_or_no(later())


def test_an_image_must_be_the_one_that_was_asked_for() -> None:
    """If a digest was named."""
    artifact = Artifact(SHA256, 5)
    assert ASKED.artifact(artifact, SHA256) == ASKED.artifact_or_none(artifact, SHA256) == artifact
    with pytest.raises(PartError, match=f"has the digest {'0' * 64}"):
        ASKED.artifact_or_none(artifact, "0" * 64)


def test_the_boot_clock_never_runs_backwards() -> None:
    """Within a boot; a boot begins anew."""
    asked = Asked("clock", "now")
    assert asked.moment(MOMENT, since=MOMENT) is MOMENT
    later_boot = Moment(NOW, 1.0, "boot-2")
    assert asked.moment(later_boot, since=MOMENT) is later_boot
    with pytest.raises(PartError, match=r"never runs backwards within a boot, and was 100\.0 before that"):
        asked.moment(Moment(NOW, 99.0, "boot-1"), since=MOMENT)


def test_an_error_says_who_answered_what_and_what_is_wanted() -> None:
    """And what to do; what is of no use, or a secret, is left out."""
    with pytest.raises(PartError) as caught:
        Asked("installer", "target_slot").word(Path("b"))
    assert str(caught.value) == (
        "the installer's target_slot answered PosixPath('b'): a text of 1 to 128 characters that can be seen, or None, "
        "is wanted. Mend the installer; fwsm.testing.contracts.InstallerContract tries it on the bench"
    )
    with pytest.raises(PartError) as caught:
        Asked("heartbeat", "call").seconds("https://h/f?sig=secret" + "x" * 999)
    assert caught.value.what == "the heartbeat's call answered 'https://h/f'"
    assert caught.value.fix == "Mend the heartbeat"


def test_what_cannot_be_shown_is_refused_as_well() -> None:
    """By its class."""

    class Shy:
        def __repr__(self) -> str:
            raise ValueError("no")

    with pytest.raises(PartError, match="answered a Shy that cannot be shown"):
        ASKED.probe(Shy())
    with pytest.raises(PartError) as caught:
        ASKED.probe("x" * 1000)
    assert len(caught.value.what) < 250
