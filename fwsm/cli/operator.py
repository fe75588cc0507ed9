"""`fwsm trigger` and `fwsm watch`: start an update on a device, and follow it until it settles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

import fwsm.service as operator
from fwsm.cli.access import Access, access_options
from fwsm.cli.fleet import one_target, query_option, run_on_fleet
from fwsm.cli.follow import ask, follow, following_options, meet, online_option, twin_of
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.errors import RequestError
from fwsm.service import Section

if TYPE_CHECKING:
    from fwsm.core.update import Request
    from fwsm.service import Client, Command

__all__ = ["trigger", "watch"]

_OPTIONS: Final = {"fwPackageUri": "--uri", "fwPackageCheckValue": "--sha256", "fwVersion": "--fw-version"}


@click.command()
@click.argument("device_id", metavar="[DEVICE]", required=False)
@query_option
@click.option("--uri", required=True, help="Where the device gets the image.")
@click.option("--sha256", metavar="HEX", help="The digest that the image must have, as sha256sum prints it.")
@click.option("--fw-version", "version", metavar="V", help="The version of the new firmware.")
@click.option("--watch", "watching", is_flag=True, help="Follow the update until it settles.")
@online_option
@following_options
@access_options
@json_option
@pass_output
def trigger(
    out: Output,
    /,
    *,
    device_id: str | None,
    query: str | None,
    uri: str,
    sha256: str | None,
    version: str | None,
    watching: bool,
    wait_online: bool,
    interval_s: float,
    timeout_s: float | None,
    access: Access,
) -> None:
    """Start an update on DEVICE, or on all devices that meet a condition, and show what they answer.

    \b
    Examples:
      fwsm trigger d1 --uri https://example.org/fw.img --sha256 $(sha256sum < fw.img | cut -c-64)
      fwsm trigger d1 --uri https://example.org/fw.img --wait-online --watch --timeout 600
      fwsm trigger --query "tags.site = 'zurich'" --uri https://example.org/fw.img --watch

    Exit codes: 0 done (with --watch: applied), 5 the device is offline, 6 no answer in time, 7 the update failed, 8 it
    was rolled back, 19 the device refused it, 21 some of many devices did not do it; the
    others are in docs/reference/exit-codes.md.
    """
    target = one_target(device_id, query, wait_online=wait_online)
    command = operator.update(_requested(uri, sha256, version))
    with access.client(out) as client:
        if query is not None:
            run_on_fleet(out, client, command, query, watching=watching, interval_s=interval_s, timeout_s=timeout_s)
        elif watching:
            _trigger_and_follow(
                out,
                client,
                target,
                command,
                wait_online=wait_online,
                interval_s=interval_s,
                timeout_s=timeout_s,
            )
        else:
            ask(out, client, target, command, wait_online=wait_online, timeout_s=timeout_s).require_accepted()
            out.say(f"follow it with: fwsm watch {target}")


def _trigger_and_follow(
    out: Output,
    client: Client,
    device_id: str,
    command: Command,
    *,
    wait_online: bool,
    interval_s: float,
    timeout_s: float | None,
) -> None:
    began = time.monotonic()
    patient = wait_online or timeout_s is not None
    before = Section.of(meet(out, twin_of(client, device_id), patient=patient, timeout_s=timeout_s))
    answer = ask(out, client, device_id, command, wait_online=wait_online, timeout_s=timeout_s, began=began)
    answer.require_accepted()
    follow(
        out,
        client,
        device_id,
        update_id=answer.update_id,
        before=before,
        interval_s=interval_s,
        timeout_s=timeout_s,
        began=began,
    )


@click.command()
@click.argument("device_id", metavar="DEVICE")
@click.option("--update", "update_id", metavar="ID", help="Only this update; else whichever the device reports.")
@following_options
@access_options
@json_option
@pass_output
def watch(
    out: Output,
    /,
    *,
    device_id: str,
    update_id: str | None,
    interval_s: float,
    timeout_s: float | None,
    access: Access,
) -> None:
    """Follow the update of DEVICE until it settles. Ctrl-C stops the watching, not the update.

    \b
    Examples:
      fwsm watch d1
      fwsm watch d1 --json | jq .firmwareUpdate.status

    Exit codes: 0 applied, 6 not settled in time, 7 the update failed, 8 it was rolled back; the others are in
    docs/reference/exit-codes.md.
    """
    with access.client(out) as client:
        began = time.monotonic()
        twin = meet(out, twin_of(client, device_id), patient=timeout_s is not None, timeout_s=timeout_s)
        if Section.of(twin) is None:
            out.say(f"{device_id} has reported no update yet; waiting for one")
        follow(out, client, device_id, update_id=update_id, interval_s=interval_s, timeout_s=timeout_s, began=began)


def _requested(uri: str, sha256: str | None, version: str | None) -> Request:
    """Check the request, and speak of the options as the user typed them."""
    try:
        return operator.requested(uri, sha256, version)
    except RequestError as error:
        option = _OPTIONS[error.field]
        fix = error.fix if option != "--uri" else "Give an address such as https://example.org/fw.img"
        raise RequestError(error.what.replace(error.field, option), field=option, why=error.why, fix=fix) from error
