"""One command for many devices: shows the job, follows the updates that it began, tells what became of each device."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click

import fwsm.service as operator
from fwsm.cli.follow import left_s, meet, reached, show_happening, told
from fwsm.core.update import State
from fwsm.errors import DeviceTimeoutError, JobFailedError
from fwsm.service import Interest, Job, Lost, Section, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from fwsm.cli.output import Output
    from fwsm.service import Client, Command, Outcome

__all__ = ["one_target", "query_option", "run_on_fleet", "show_job", "show_outcomes", "show_standing"]

_GOOD: Final = frozenset({"accepted", "applied"})
# With more devices than this, people see only how each ends; programs see everything.
_FEW: Final = 20
_NAMED: Final = 10


def query_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --query."""
    return click.option(
        "--query",
        metavar="CONDITION",
        help="Instead of DEVICE: all devices that meet a condition of IoT Hub's query language, * for all; as one job.",
    )(command)


def one_target(device_id: str | None, query: str | None, *, wait_online: bool) -> str:
    """Return the device that is named, "" if a condition is; raises UsageError unless it is one of the two."""
    if device_id is not None and query is not None:
        raise click.UsageError("DEVICE and --query exclude each other.")
    if device_id is None and query is None:
        raise click.UsageError("Name a DEVICE, or give a --query.")
    if query is not None and wait_online:
        raise click.UsageError("--wait-online is for one device; a job asks each device once.")
    return device_id or ""


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of one device.

    Attributes:
        word: accepted, refused, offline, failed, pending; with --watch applied, failed, rolledBack, lost, unsettled.
        detail: in a sentence; may be empty.
    """

    outcome: Outcome
    word: str
    detail: str


def run_on_fleet(
    out: Output,
    client: Client,
    command: Command,
    condition: str,
    *,
    watching: bool = False,
    interval_s: float = 0.5,
    timeout_s: float | None = None,
) -> None:
    """Run a command as a job, and tell what became of each device.

    Raises:
        JobFailedError: some did not do it.
        DeviceTimeoutError: some had not settled in time.
    """
    began = time.monotonic()
    number = meet(
        out,
        lambda patient: operator.count(client, condition, patient=patient),
        patient=timeout_s is not None,
        timeout_s=timeout_s,
    )
    out.say(f"{number} device{'s' * (number != 1)} meet{'s' * (number == 1)} the condition")
    # What a device reported before must not be taken for the end of what is begun now.
    before = operator.sections(client, condition) if watching else {}
    job_id = operator.start_job(client, command, condition)
    with _going_on(out, job_id):
        job = show_job(out, client, job_id, timeout_s=timeout_s, began=began)
        found = operator.outcomes(client, job)
        if watching:
            settled = _watch(out, client, found, before, interval_s=interval_s, timeout_s=left_s(timeout_s, began))
            results = [_ended(outcome, settled.get(outcome.device_id)) for outcome in found]
        else:
            results = [_Result(outcome, outcome.result, outcome.detail) for outcome in found]
    _show_results(out, job, results)


def show_job(out: Output, client: Client, job_id: str, *, timeout_s: float | None, began: float) -> Job:
    """Show how far a job is until it is over, and return it. The timeout counts from `began` (of time.monotonic)."""
    events = operator.follow_job(client, job_id, timeout_s=timeout_s, since=began)
    job = Job(job_id, "unknown")
    with out.bar() as bar:
        for event in events:
            if not isinstance(event, Job):
                show_happening(out, event)
                continue
            bar.show(event.percent, event.status)
            if out.json or event.status != job.status:
                show_standing(out, event)
            job = event
    return job


def show_standing(out: Output, job: Job) -> None:
    """Print how far a job is."""
    document = {
        "event": "job",
        "jobId": job.job_id,
        "status": job.status,
        "devices": job.devices,
        "succeeded": job.succeeded,
        "failed": job.failed,
        "running": job.running,
        "pending": job.pending,
        "failure": job.failure or None,
    }
    numbers = f", {job.succeeded + job.failed} of {job.devices} devices asked" if job.devices else ""
    out.data(document, f"job {job.job_id} is {job.status}{numbers}")


def show_outcomes(out: Output, client: Client, job: Job) -> None:
    """Tell what became of each device of a job so far.

    Raises:
        JobFailedError: the job is over, and some did not do it.
    """
    results = [_Result(outcome, outcome.result, outcome.detail) for outcome in operator.outcomes(client, job)]
    _show_results(out, job, results)


@contextmanager
def _going_on(out: Output, job_id: str) -> Iterator[None]:
    """Say what goes on when the user has had enough."""
    try:
        yield
    except KeyboardInterrupt:
        out.say(f"the job goes on; look again: fwsm job watch {job_id}; what has begun ends by: fwsm cancel DEVICE")
        raise


def _watch(
    out: Output,
    client: Client,
    found: Sequence[Outcome],
    before: dict[str, Section],
    *,
    interval_s: float,
    timeout_s: float | None,
) -> dict[str, Section | Lost]:
    """Follow the updates that were accepted; returns what was seen last of each device."""
    interests = {
        outcome.device_id: Interest(
            outcome.device_id, outcome.answer.update_id if outcome.answer else None, before.get(outcome.device_id)
        )
        for outcome in found
        if outcome.accepted
    }
    last: dict[str, Section | Lost] = {}
    percents = dict.fromkeys(interests, 0)
    events = operator.watch_fleet(client, interests, interval_s=interval_s, timeout_s=timeout_s)
    with out.bar() as bar:
        for event in events:
            if not isinstance(event, Seen | Lost):
                show_happening(out, event)
                continue
            news = isinstance(event, Lost) or out.json or _is_news(event.section, last.get(event.device_id), interests)
            last[event.device_id] = event if isinstance(event, Lost) else event.section
            percents[event.device_id] = _reached(last[event.device_id])
            done = sum(map(_over, last.values()))
            bar.show(sum(percents.values()) // len(percents), f"{done} of {len(percents)} settled")
            if isinstance(event, Seen) and news:
                _show_seen(out, event)
    return last


def _is_news(section: Section, last: Section | Lost | None, all_of_them: dict[str, Interest]) -> bool:
    if len(all_of_them) > _FEW:
        return section.settled
    return not isinstance(last, Section) or told(section) != told(last)


def _reached(last: Section | Lost) -> int:
    return 100 if isinstance(last, Lost) or last.settled else reached(last)


def _over(last: Section | Lost) -> bool:
    return isinstance(last, Lost) or last.settled


def _show_seen(out: Output, seen: Seen) -> None:
    document = {
        "event": "reported",
        "deviceId": seen.device_id,
        "elapsedS": round(seen.elapsed_s, 3),
        "firmwareUpdate": seen.section.document,
    }
    out.data(document, f"{seen.elapsed_s:7.1f} s  {seen.device_id}  {told(seen.section)}")


def _ended(outcome: Outcome, last: Section | Lost | None) -> _Result:
    """What became of a device whose update was watched."""
    if not outcome.accepted:
        return _Result(outcome, outcome.result, outcome.detail)
    if isinstance(last, Lost):
        return _Result(outcome, "lost", str(last.error))
    if last is None or not last.settled:
        return _Result(outcome, "unsettled", told(last) if last else "it has not reported the update yet")
    if last.status == State.APPLY_COMPLETE:
        return _Result(outcome, "applied", "")
    return _Result(outcome, "rolledBack" if last.substatus == "rolledBack" else "failed", last.error or last.status)


def _show_results(out: Output, job: Job, results: list[_Result]) -> None:
    width = max((len(result.outcome.device_id) for result in results), default=0)
    for result in results:
        outcome = result.outcome
        document = {
            "event": "result",
            "jobId": job.job_id,
            "deviceId": outcome.device_id,
            "result": result.word,
            "detail": result.detail,
            "status": outcome.answer.status if outcome.answer else None,
            "updateId": outcome.answer.update_id if outcome.answer else None,
            "payload": outcome.answer.payload if outcome.answer else None,
            "code": outcome.code or None,
        }
        out.data(document, f"{outcome.device_id:<{width}}  {result.word:<10}  {result.detail}".rstrip())
    tally = Counter(result.word for result in results)
    if missing := job.devices - len(results):
        tally["unknown"] = missing
    text = ", ".join(f"{number} {word}" for word, number in tally.most_common()) or "no device"
    out.data({"event": "tally", "jobId": job.job_id, "jobStatus": job.status, "results": dict(tally)}, text)
    if job.over:
        _require_success(job, results, tally, text)


def _require_success(job: Job, results: list[_Result], tally: Counter[str], text: str) -> None:
    bad = sum(number for word, number in tally.items() if word not in _GOOD)
    if tally["unsettled"] and tally["unsettled"] == bad:
        raise DeviceTimeoutError(
            f"{_share(bad, job.devices)} {'has' if job.devices == 1 else 'have'} not settled in time",
            why=text,
            fix="What they do goes on; look again with `fwsm watch DEVICE`",
        )
    if bad or job.status != "completed":
        names = [result.outcome.device_id for result in results if result.word not in _GOOD]
        again = "give the same order again; a device that has carried it out does nothing then"
        if 0 < len(names) <= _NAMED:
            again = f'order it again with --query "deviceId IN [{", ".join(map(repr, names))}]"'
        raise JobFailedError(
            f"{_share(bad, job.devices)} did not do it" if bad else f"the job is {job.status}",
            why=job.failure or text,
            fix=f"Mend the cause, then {again}",
        )


def _share(number: int, devices: int) -> str:
    return "the one device asked" if devices == 1 else f"{number} of {devices} devices"
