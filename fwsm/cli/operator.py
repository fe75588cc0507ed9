"""`fwsm trigger` and `fwsm watch`: start an update on a device, and follow it until it settles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

import fwsm.service as operator
from fwsm.cli.access import Access, access_options
from fwsm.cli.follow import ask, follow, following_options, online_option
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.errors import RequestError
from fwsm.service import Section

if TYPE_CHECKING:
    from fwsm.core.update import Request

__all__ = ["trigger", "watch"]

_OPTIONS: Final = {"fwPackageUri": "--uri", "fwPackageCheckValue": "--sha256", "fwVersion": "--fw-version"}


@click.command()
@click.argument("device_id", metavar="DEVICE")
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
    device_id: str,
    uri: str,
    sha256: str | None,
    version: str | None,
    watching: bool,
    wait_online: bool,
    interval_s: float,
    timeout_s: float | None,
    access: Access,
) -> None:
    """Start an update on DEVICE, and show what it answers.

    \b
    Examples:
      fwsm trigger d1 --uri https://example.org/fw.img --sha256 $(sha256sum < fw.img | cut -c-64)
      fwsm trigger d1 --uri https://example.org/fw.img --wait-online --watch --timeout 600

    Exit codes: 0 done (with --watch: applied), 5 the device is offline, 6 no answer in time, 7 the update failed, 8 it
    was rolled back, 19 the device refused it; the others are in docs/reference/exit-codes.md.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    request = _requested(uri, sha256, version)
    with access.client(out) as client:
        before = Section.of(client.twin(device_id)) if watching else None
        began = time.monotonic()
        command = operator.update(request)
        answer = ask(out, client, device_id, command, wait_online=wait_online, timeout_s=timeout_s)
        answer.require_accepted()
        if watching:
            left_s = None if timeout_s is None else max(0.0, timeout_s - (time.monotonic() - began))
            follow(
                out,
                client,
                device_id,
                update_id=answer.update_id,
                before=before,
                interval_s=interval_s,
                timeout_s=left_s,
            )
        else:
            out.say(f"follow it with: fwsm watch {device_id}")


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
    """  # noqa: D301
    with access.client(out) as client:
        if Section.of(client.twin(device_id)) is None:
            out.say(f"{device_id} has reported no update yet; waiting for one")
        follow(out, client, device_id, update_id=update_id, interval_s=interval_s, timeout_s=timeout_s)


def _requested(uri: str, sha256: str | None, version: str | None) -> Request:
    """Check the request, and speak of the options as the user typed them."""
    try:
        return operator.requested(uri, sha256, version)
    except RequestError as error:
        option = _OPTIONS[error.field]
        fix = error.fix if option != "--uri" else "Give an address such as https://example.org/fw.img"
        raise RequestError(error.what.replace(error.field, option), field=option, why=error.why, fix=fix) from error
