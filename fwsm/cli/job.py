"""`fwsm job`: look at the jobs that commands with --query have begun."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

import fwsm.service as operator
from fwsm.cli.access import Access, access_options
from fwsm.cli.fleet import show_job, show_outcomes, show_standing
from fwsm.cli.follow import meet
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.values import Seconds
from fwsm.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.service import Client, Job

__all__ = ["job"]


@click.group()
def job() -> None:
    """Look at the jobs of a hub, and cancel them.

    \b
    Examples:
      fwsm job list
      fwsm job watch fwsm-update-20261124-120000-a1b2c3
    """


def _on_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    return access_options(json_option(pass_output(command)))


def _on_job(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("job_id", metavar="JOB")(_on_hub(command))


@job.command("list")
@_on_hub
def list_jobs(out: Output, /, access: Access) -> None:
    """Print the jobs of the last month, one a line."""
    with access.client(out) as client:
        for found in operator.jobs(client):
            show_standing(out, found)


@job.command()
@_on_job
def show(out: Output, /, job_id: str, access: Access) -> None:
    """Print how far JOB is, and what became of each device so far.

    Exit codes: 0 it goes on, or all devices have done it; 21 it is over, and some have not.
    """
    with access.client(out) as client:
        found = _found(client, job_id)
        show_standing(out, found)
        show_outcomes(out, client, found)


@job.command(short_help="Follow JOB until it is over.")
@click.option("--timeout", "timeout_s", type=Seconds(0.001), metavar="S", help="Stop watching after so many seconds.")
@_on_job
def watch(out: Output, /, job_id: str, timeout_s: float | None, access: Access) -> None:
    """Follow JOB until it is over; then print what became of each device. Ctrl-C stops the watching, not the job.

    Exit codes: 0 all devices have done it, 6 the job is not over in time, 21 some devices have not done it.
    """
    with access.client(out) as client:
        began = time.monotonic()
        meet(
            out,
            lambda patient: client.job(job_id, patient=patient),
            patient=timeout_s is not None,
            timeout_s=timeout_s,
        )
        show_outcomes(out, client, show_job(out, client, job_id, timeout_s=timeout_s, began=began))


@job.command()
@_on_job
def cancel(out: Output, /, job_id: str, access: Access) -> None:
    """Cancel JOB before it begins. A hub does not stop a job that runs; cancel the updates themselves then."""
    with access.client(out) as client:
        _found(client, job_id)
        client.cancel_job(job_id)
        out.data({"event": "cancelled", "jobId": job_id}, f"job {job_id} is cancelled")


def _found(client: Client, job_id: str) -> Job:
    found = operator.Job.of(job_id, client.job(job_id))
    if found.status == "unknown":
        raise RequestError(f"the hub knows no job '{job_id}'", field="job", fix="Look with `fwsm job list`")
    return found
