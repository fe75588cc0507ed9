"""Every fault of a server ends as it should, proved by what the server sent."""

from __future__ import annotations

import hashlib
import math
import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import Artifact, Progress
from fwsm.device.clock import SystemClock
from fwsm.device.durable import Disk
from fwsm.errors import (
    ArtifactDamagedError,
    ArtifactError,
    ArtifactForbiddenError,
    ArtifactMissingError,
    DownloadError,
    Kind,
    NoSpaceError,
)
from fwsm.testing.clock import FakeClock
from fwsm.testing.image_faults import (
    Fault,
    compressed,
    cut,
    endless,
    multipart,
    no_ranges,
    portal,
    redirect,
    refusal,
    stall,
    truncated,
    wrong_range,
)
from tests.device.download.bench import PATH, Bench
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.moment import Moment

SOON_S = 15.0  # a moment on a quiet machine; and half of the time after which a silent server is left anyway


class _SwiftClock(SystemClock):
    """Real time, but nobody waits for a pause."""

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:  # noqa: ARG002
        return event.is_set()


class _FlyingClock(FakeClock):
    """Time that passes at each look while something holds: how fast the machine is does not matter.

    Args:
        holds: what.
        most_s: how much of it passes so; by itself, none does.
    """

    def __init__(self, holds: Callable[[], bool], most_s: float = math.inf) -> None:
        super().__init__()
        self.pauses = 0
        self._holds = holds
        self._left_s = most_s

    def now(self) -> Moment:
        if self._left_s > 0 and self._holds():
            self._left_s -= 10.0
            self.advance(10.0)
        return super().now()

    def wait(self, event: threading.Event, timeout_s: float | None) -> bool:
        self.pauses += 1
        return super().wait(event, timeout_s)


class _SmallDisk(Disk):
    """A disk with little room."""

    def free_bytes(self, directory: Path) -> int:  # noqa: ARG002
        return 2_000_000


def _artifact(content: bytes) -> Artifact:
    return Artifact(hashlib.sha256(content).hexdigest(), len(content))


@pytest.mark.parametrize("digest_known", [True, False])
def test_a_truncated_body_is_gone_on_from(bench: Bench, *, digest_known: bool) -> None:
    """The second request asks for exactly what is missing, of the same version, and nothing is sent twice."""
    update = bench.update() if digest_known else bench.update(sha256=None)
    with bench.server.fault(PATH, truncated(1_000_000), times=1):
        assert bench.load(update) == _artifact(bench.content)
    assert bench.ranges == [None, "bytes=1000000-"]
    assert bench.server.requests[1].if_range is not None
    assert bench.sent_bytes == len(bench.content)


def test_a_reset_connection_is_gone_on_from(bench: Bench) -> None:
    """Whatever got through before the reset counts."""
    with bench.server.fault(PATH, cut(1_000_000), times=1):
        assert bench.load() == _artifact(bench.content)
    assert bench.statuses == [200, 206]


def test_tries_that_make_progress_may_be_many(bench: Bench) -> None:
    """A bad line that brings something each time gets there, however often it breaks."""
    with bench.server.fault(PATH, truncated(100_000), times=14):
        assert bench.load() == _artifact(bench.content)
    assert len(bench.server.requests) == 15
    assert bench.sent_bytes == len(bench.content)


def test_tries_without_progress_are_few(bench: Bench) -> None:
    """After five the lifecycle decides; what came is kept."""
    with bench.server.fault(PATH, truncated(10)), pytest.raises(DownloadError, match=r"ended early|failed") as caught:
        bench.load()
    assert caught.value.kind is Kind.TRANSIENT
    assert len(bench.server.requests) == 5
    assert bench.part_bytes == 50


def test_a_burst_of_server_errors_passes(bench: Bench) -> None:
    """A 500 without Retry-After is tried again within the fetch."""
    with bench.server.fault(PATH, refusal(500), times=4):
        assert bench.load() == _artifact(bench.content)


def test_a_server_without_ranges_is_loaded_from_anew(bench: Bench) -> None:
    """A 200 to a range is the whole; nothing of it is appended."""
    with bench.server.fault(PATH, truncated(1_000_000), times=1), bench.server.fault(PATH, no_ranges()):
        assert bench.load(bench.update(sha256=None)) == _artifact(bench.content)
    assert bench.statuses == [200, 200]


@pytest.mark.parametrize(
    "fault",
    [
        wrong_range(None),
        wrong_range("bytes 0-499999/1500000"),
        wrong_range("bytes 1000001-1499999/1500000"),
        wrong_range("bytes 1000000-1499999/1400000"),
        wrong_range("bytes 1000000-1599999/1600000"),
        wrong_range("chunks 1000000-1499999/1500000"),
        multipart(),
        Fault(headers={"ETag": '"other"'}),
        refusal(416),
    ],
)
def test_a_wrong_answer_to_a_range_is_not_appended(bench: Bench, fault: Fault) -> None:
    """The whole is loaded anew, without a range, and is right even where no digest proves it."""
    with bench.server.fault(PATH, truncated(1_000_000), times=1), bench.server.fault(PATH, fault, times=1):
        assert bench.load(bench.update(sha256=None)) == _artifact(bench.content)
    assert bench.ranges == [None, "bytes=1000000-", None]


def test_ranges_shorter_than_asked_are_taken_one_by_one(bench: Bench) -> None:
    """Some servers limit how much a range may hold."""
    limited = Fault(
        body=bench.content[1_000_000:1_200_000],
        headers={"Content-Range": f"bytes 1000000-1199999/{len(bench.content)}"},
    )
    with bench.server.fault(PATH, truncated(1_000_000), times=1), bench.server.fault(PATH, limited, times=1):
        assert bench.load() == _artifact(bench.content)
    assert bench.ranges == [None, "bytes=1000000-", "bytes=1200000-"]


def test_a_replaced_object_is_loaded_from_the_beginning(bench: Bench) -> None:
    """If-Range keeps two versions apart; without a digest the new one is the artifact."""
    replaced, update = bench.content[::-1], bench.update(sha256=None)
    bench.load_a_part(update)
    bench.server.put(PATH, replaced)
    assert bench.load(update) == _artifact(replaced)
    assert bench.statuses == [200, 403, 200]


def test_an_object_that_keeps_changing_is_given_up(bench: Bench) -> None:
    """A fetch begins anew once; then it is the lifecycle's turn."""
    fickle = Fault(ignores_range=True, ends_after_bytes=1_000_000)
    with bench.server.fault(PATH, fickle), pytest.raises(DownloadError, match="in one go or in parts") as caught:
        bench.load()
    assert caught.value.kind is Kind.TRANSIENT
    assert len(bench.server.requests) == 3


def test_without_validator_and_digest_nothing_is_gone_on_from(bench: Bench) -> None:
    """Nobody could tell whether the rest belongs to what is here."""
    anonymous = Fault(headers={"ETag": None, "Last-Modified": None}, ends_after_bytes=1_000_000)
    with bench.server.fault(PATH, anonymous, times=1):
        assert bench.load(bench.update(sha256=None)) == _artifact(bench.content)
    assert bench.ranges == [None, None]


def test_without_a_validator_the_digest_makes_it_possible(bench: Bench) -> None:
    """What does not belong together is found out at the end."""
    anonymous = Fault(headers={"ETag": None, "Last-Modified": None}, ends_after_bytes=1_000_000)
    with bench.server.fault(PATH, anonymous, times=1):
        assert bench.load() == _artifact(bench.content)
    assert bench.ranges == [None, "bytes=1000000-"]
    assert bench.server.requests[1].if_range is None


def test_a_wrong_digest_is_permanent_and_the_part_is_gone(bench: Bench) -> None:
    """What came whole and in one answer is what the server has; loading it again would not change it."""
    with pytest.raises(ArtifactDamagedError, match="is not the image that was promised") as caught:
        bench.load(bench.update(sha256="0" * 64))
    assert caught.value.kind is Kind.PERMANENT
    assert len(bench.server.requests) == 1
    assert list(bench.directory.iterdir()) == []


def test_a_mixture_with_a_wrong_digest_is_loaded_again_once(bench: Bench) -> None:
    """The fault may lie in the joints; if the whole is wrong as well, it does not."""
    with bench.server.fault(PATH, truncated(1_000_000), times=1), pytest.raises(ArtifactDamagedError):
        bench.load(bench.update(sha256="0" * 64))
    assert bench.ranges == [None, "bytes=1000000-", None]


def test_mixtures_with_a_wrong_digest_come_to_an_end(bench: Bench) -> None:
    """On a line where every load is put together from several answers, two wrong ones are enough."""
    with bench.server.fault(PATH, truncated(1_000_000)), pytest.raises(ArtifactDamagedError):
        bench.load(bench.update(sha256="0" * 64))
    assert bench.ranges == [None, "bytes=1000000-"] * 2


def test_a_mixture_of_two_versions_heals(bench: Bench) -> None:
    """A server that ignores If-Range and tells no version costs one more load, not the update."""
    anonymous: dict[str, str | None] = {"ETag": None, "Last-Modified": None}
    other = Fault(body=bytes(1_000_000), headers={**anonymous, "Content-Length": str(len(bench.content))})
    with bench.server.fault(PATH, other, times=1), bench.server.fault(PATH, Fault(headers=anonymous), times=1):
        assert bench.load() == _artifact(bench.content)
    assert bench.ranges == [None, "bytes=1000000-", None]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, ArtifactMissingError),
        (410, ArtifactMissingError),
        (401, ArtifactForbiddenError),
        (403, ArtifactForbiddenError),
        (400, ArtifactError),
    ],
)
def test_a_refusal_in_the_middle_keeps_what_came(bench: Bench, status: int, error: type[ArtifactError]) -> None:
    """A signed URL that expires costs a request, not the bytes; the secret in it is not shown."""
    with (
        bench.server.fault(PATH, truncated(1_000_000), times=1),
        bench.server.fault(PATH, refusal(status)),
        pytest.raises(error) as caught,
    ):
        bench.load()
    assert type(caught.value) is error
    assert "secret" not in str(caught.value)
    assert len(bench.server.requests) == 2
    assert bench.part_bytes == 1_000_000
    assert bench.load(bench.update(PATH + "?sig=fresh")) == _artifact(bench.content)
    assert bench.server.requests[-1].range == "bytes=1000000-"


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_left_to_the_lifecycle(bench: Bench, status: int) -> None:
    """One request, and the wait comes with the error."""
    with bench.server.fault(PATH, refusal(status, retry_after="77")), pytest.raises(DownloadError) as caught:
        bench.load()
    assert caught.value.retry_after_s == 77
    assert len(bench.server.requests) == 1


@pytest.mark.parametrize("known", [True, False])
def test_a_portals_page_costs_nothing(bench: Bench, *, known: bool) -> None:
    """A login page in the middle is neither taken for the image nor allowed to throw away what came."""
    update = bench.update() if known else bench.update(sha256=None)
    with (
        bench.server.fault(PATH, truncated(1_000_000), times=1),
        bench.server.fault(PATH, portal()),
        pytest.raises(DownloadError, match="web page") as caught,
    ):
        bench.load(update)
    assert caught.value.kind is Kind.TRANSIENT
    assert bench.load(update) == _artifact(bench.content)
    assert bench.server.requests[-1].range == "bytes=1000000-"


def test_a_compressed_body_is_refused(bench: Bench) -> None:
    """It was not asked for, and its bytes are not the image's."""
    with bench.server.fault(PATH, compressed(bench.content)), pytest.raises(DownloadError, match="'gzip'"):
        bench.load()


def test_a_redirect_is_followed_for_each_range(bench: Bench) -> None:
    """A resumed request goes the whole way again, with its range."""
    with bench.server.fault("/a", redirect(PATH)), bench.server.fault(PATH, truncated(1_000_000), times=1):
        assert bench.load(bench.update("/a")) == _artifact(bench.content)
    assert bench.ranges == [None, None, "bytes=1000000-", "bytes=1000000-"]


def test_a_body_that_does_not_end_is_ended(bench: Bench) -> None:
    """At the largest size allowed; what came is worth nothing and goes."""
    with bench.server.fault(PATH, endless()), pytest.raises(ArtifactError, match="does not end") as caught:
        bench.load(max_bytes=3_000_000)
    assert caught.value.kind is Kind.PERMANENT
    assert list(bench.directory.iterdir()) == []


def test_a_chunked_body_is_loaded(bench: Bench) -> None:
    """Its size is known at its end only."""
    text = b"%x\r\n%b\r\n0\r\n\r\n" % (len(bench.content), bench.content)
    chunked = Fault(body=text, headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
    with bench.server.fault(PATH, chunked):
        assert bench.load(bench.update(sha256=None)) == _artifact(bench.content)


def test_a_body_of_unknown_size_that_was_complete_is_recognised(bench: Bench) -> None:
    """If only the end of the last chunk was lost, a 416 says that there is nothing more."""
    text = b"%x\r\n%b" % (len(bench.content), bench.content)
    chunked = Fault(body=text, headers={"Content-Length": None, "Transfer-Encoding": "chunked"})
    with bench.server.fault(PATH, chunked, times=1):
        assert bench.load() == _artifact(bench.content)
    assert bench.statuses == [200, 416]


def test_an_image_that_is_too_large_is_not_begun(bench: Bench) -> None:
    """The size that the server tells is enough."""
    with pytest.raises(ArtifactError, match="larger than the 1000 bytes"):
        bench.load(max_bytes=1000)
    assert bench.part_bytes == 0


def test_a_range_of_an_unknown_whole_is_bounded_as_well(bench: Bench) -> None:
    """A server may say how far a range goes without saying how large the file is."""
    bench.load_a_part()
    far = Fault(headers={"Content-Range": "bytes 1000000-99999999/*"})
    with bench.server.fault(PATH, far), pytest.raises(ArtifactError, match="it has 100000000 bytes"):
        bench.load(max_bytes=2_000_000)


def test_room_is_asked_for_before_the_first_byte(bench: Bench) -> None:
    """The message says what is needed and what there is; with less in reserve it fits."""
    with pytest.raises(NoSpaceError, match=r"2548576 bytes are needed.*2000000 are free") as caught:
        bench.load(disk=_SmallDisk())
    assert caught.value.kind is Kind.NEEDS_OPERATOR
    assert bench.part_bytes == 0
    assert bench.load(disk=_SmallDisk(), reserve_bytes=0) == _artifact(bench.content)


def test_room_is_asked_for_what_is_missing_only(bench: Bench) -> None:
    """What is on disk already needs no more room."""
    bench.load_a_part()
    assert bench.load(disk=_SmallDisk()) == _artifact(bench.content)


@pytest.mark.parametrize("after_bytes", [0, 1_000_000])
def test_a_server_that_goes_silent_is_left(bench: Bench, after_bytes: int) -> None:
    """After the stall time the next request goes on behind what came."""
    # Enough time for one stall, and not for another one.
    clock = _FlyingClock(lambda: len(bench.server.requests) == 1 and bench.part_bytes == after_bytes, 60.0)
    with bench.server.fault(PATH, stall(after_bytes), times=1):
        assert bench.load(stall_s=30.0, clock=clock) == _artifact(bench.content)
    assert bench.ranges == [None, f"bytes={after_bytes}-" if after_bytes else None]


def test_a_server_that_drips_is_left(bench: Bench) -> None:
    """A few bytes now and then keep a socket from timing out, but not us."""
    bench.server.bytes_per_s = 200.0
    # In each try, when the first bytes have come.
    clock = _FlyingClock(lambda: len(bench.server.requests) > clock.pauses and bench.server.requests[-1].sent_bytes > 0)
    with pytest.raises(DownloadError, match="gone silent"):
        bench.load(stall_s=30.0, clock=clock)
    assert len(bench.server.requests) == 5


def test_a_server_that_drips_its_header_is_left(bench: Bench, loopback: Callable[[], str]) -> None:
    """Where there is no body yet to count the bytes of."""
    done = threading.Event()
    with socket.create_server((loopback(), 0)) as listener:

        def drip() -> None:
            with listener.accept()[0] as connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not done.wait(0.02):
                    connection.sendall(b"y")

        thread = threading.Thread(target=drip)
        thread.start()
        host, port = listener.getsockname()
        update = bench.update(uri=f"http://{host}:{port}/f")
        # After the first try nobody accepts, so the others end by the socket's own timeout.
        with pytest.raises(DownloadError):
            bench.load(update, allow_http=True, stall_s=0.1, clock=_SwiftClock())
        done.set()
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("after_bytes", [0, 300_000])
def test_a_stop_is_obeyed_while_the_server_is_silent(bench: Bench, after_bytes: int) -> None:
    """Soon, though the server would have half a minute; what came is safe."""
    stop, clock = threading.Event(), SystemClock()
    outcome: list[BaseException] = []

    def fetch() -> None:
        try:
            bench.download(clock=clock).fetch(bench.update(), lambda _: None, stop)
        except DownloadError as error:
            outcome.append(error)

    thread = threading.Thread(target=fetch)
    with bench.server.fault(PATH, stall(after_bytes)):
        thread.start()
        assert bench.server.wait_for(lambda log: bool(log) and log[0].sent_bytes == after_bytes)
        began_s = clock.now().boottime_s
        stop.set()
        thread.join(PATIENCE_S)
        assert clock.now().boottime_s - began_s < SOON_S
    assert "broken off" in str(outcome[0])
    assert bench.download(clock=FakeClock(boot_id="boot-2")).progress(bench.update()).bytes == bench.part_bytes


def test_what_is_noted_is_safe_and_told_now_and_then(bench: Bench) -> None:
    """Progress rises, has a total, is bounded in rate, and ends with all of it."""
    notes: list[Progress] = []
    bench.server.bytes_per_s = 1_000_000.0
    bench.download(clock=SystemClock()).fetch(bench.update(), notes.append, threading.Event())
    assert [note.bytes for note in notes] == sorted(note.bytes for note in notes)
    assert {note.total_bytes for note in notes} == {len(bench.content)}
    assert notes[-1].percent == 100
    assert 2 <= len(notes) <= 5
