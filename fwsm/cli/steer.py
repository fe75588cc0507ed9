"""`fwsm cancel`, `fwsm retry` and `fwsm status`: what an operator can still say about a device's newest update."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.access import Access, access_options
from fwsm.cli.fleet import one_target, query_option, run_on_fleet
from fwsm.cli.follow import ask, online_option
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.values import Seconds
from fwsm.service import CANCEL, RETRY, STATUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.service import Command

__all__ = ["cancel", "retry", "status"]


def _steering(command: Callable[..., Any]) -> Callable[..., Any]:
    timeout = click.option(
        "--timeout",
        "timeout_s",
        type=Seconds(0.001),
        metavar="S",
        help="With --wait-online or --query: wait no longer than so many seconds.",
    )
    named = click.argument("device_id", metavar="[DEVICE]", required=False)
    return named(query_option(online_option(timeout(access_options(json_option(command))))))


def _steer(
    command: Command,
    out: Output,
    /,
    *,
    device_id: str | None,
    query: str | None,
    wait_online: bool,
    timeout_s: float | None,
    access: Access,
) -> None:
    target = one_target(device_id, query, wait_online=wait_online)
    with access.client(out) as client:
        if query is not None:
            run_on_fleet(out, client, command, query, timeout_s=timeout_s)
        else:
            ask(out, client, target, command, wait_online=wait_online, timeout_s=timeout_s).require_accepted()


@click.command()
@_steering
@pass_output
def cancel(out: Output, /, **given: Any) -> None:
    """Cancel the update of DEVICE, as long as nothing has been applied.

    \b
    Example:
      fwsm cancel d1

    Exit codes: 0 cancelled, 5 the device is offline, 19 there is nothing to cancel, or it is too late.
    """
    _steer(CANCEL, out, **given)


@click.command()
@_steering
@pass_output
def retry(out: Output, /, **given: Any) -> None:
    """Start the failed update of DEVICE again, with the same id.

    \b
    Example:
      fwsm retry d1 && fwsm watch d1

    Exit codes: 0 it waits again, 5 the device is offline, 19 nothing has failed.
    """
    _steer(RETRY, out, **given)


@click.command()
@_steering
@pass_output
def status(out: Output, /, **given: Any) -> None:
    """Ask DEVICE itself how its newest update stands; `fwsm watch` shows what it has reported.

    \b
    Example:
      fwsm status d1 --json | jq .payload.status

    Exit codes: 0 it has answered, 5 the device is offline.
    """
    _steer(STATUS, out, **given)
