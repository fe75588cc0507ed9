"""`fwsm trigger` and `fwsm watch`: start an update on a device, and follow it until it settles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

import fwsm.service as operator
from fwsm.cli.options import ca_option, connected, connection_option
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.values import Seconds
from fwsm.core.update import State
from fwsm.errors import RequestError
from fwsm.service import HubAway, HubBack, Section, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.progress import Bar
    from fwsm.core.update import Request
    from fwsm.service import Answer, Client

__all__ = ["trigger", "watch"]

_OPTIONS: Final = {"fwPackageUri": "--uri", "fwPackageCheckValue": "--sha256", "fwVersion": "--fw-version"}

# How far an update is at the beginning of each state, in percent of all of it; loading fills the first gap.
_LOADING_FROM: Final = 5
_LOADED: Final = 70
_REACHED: Final[dict[str, int]] = {
    State.DOWNLOAD_COMPLETE: _LOADED,
    "applying": 75,  # a device of the tutorial says no more
    State.INSTALLING: 75,
    State.REBOOTING: 85,
    State.CONFIRMING: 92,
    State.APPLY_COMPLETE: 100,
}


def _watching(command: Callable[..., Any]) -> Callable[..., Any]:
    interval = click.option(
        "--interval",
        "interval_s",
        type=Seconds(0.05),
        default=0.5,
        show_default=True,
        metavar="S",
        help="Seconds between two looks at the twin.",
    )
    timeout = click.option(
        "--timeout",
        "timeout_s",
        type=Seconds(0.001),
        metavar="S",
        help="Stop watching after so many seconds, with exit code 6; the update goes on.",
    )
    return interval(timeout(command))


@click.command()
@click.argument("device_id", metavar="DEVICE")
@click.option("--uri", required=True, help="Where the device gets the image.")
@click.option("--sha256", metavar="HEX", help="The digest that the image must have, as sha256sum prints it.")
@click.option("--fw-version", "version", metavar="V", help="The version of the new firmware.")
@click.option("--watch", "watching", is_flag=True, help="Follow the update until it settles.")
@_watching
@connection_option
@ca_option
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
    interval_s: float,
    timeout_s: float | None,
    connection_string: str | None,
    ca: str | None,
) -> None:
    """Start an update on DEVICE, and show what it answers.

    \b
    Examples:
      fwsm trigger d1 --uri https://example.org/fw.img --sha256 $(sha256sum < fw.img | cut -c-64)
      fwsm trigger d1 --uri https://example.org/fw.img --watch --timeout 600

    Exit codes: 0 done (with --watch: applied), 5 the device is offline, 6 no answer in time, 7 the update failed, 8 it
    was rolled back, 19 the device refused it; the others are in docs/reference/exit-codes.md.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    request = _requested(uri, sha256, version)
    with connected(out, connection_string, ca) as client:
        before = Section.of(client.twin(device_id)) if watching else None
        answer = operator.trigger(client, device_id, request)
        _show_answer(out, answer)
        answer.require_accepted()
        if watching:
            _follow(
                out,
                client,
                device_id,
                update_id=answer.update_id,
                before=before,
                interval_s=interval_s,
                timeout_s=timeout_s,
            )
        else:
            out.say(f"follow it with: fwsm watch {device_id}")


@click.command()
@click.argument("device_id", metavar="DEVICE")
@click.option("--update", "update_id", metavar="ID", help="Only this update; else whichever the device reports.")
@_watching
@connection_option
@ca_option
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
    connection_string: str | None,
    ca: str | None,
) -> None:
    """Follow the update of DEVICE until it settles. Ctrl-C stops the watching, not the update.

    \b
    Examples:
      fwsm watch d1
      fwsm watch d1 --json | jq .firmwareUpdate.status

    Exit codes: 0 applied, 6 not settled in time, 7 the update failed, 8 it was rolled back; the others are in
    docs/reference/exit-codes.md.
    """  # noqa: D301
    with connected(out, connection_string, ca) as client:
        if Section.of(client.twin(device_id)) is None:
            out.say(f"{device_id} has reported no update yet; waiting for one")
        _follow(out, client, device_id, update_id=update_id, interval_s=interval_s, timeout_s=timeout_s)


def _requested(uri: str, sha256: str | None, version: str | None) -> Request:
    """Check the request, and speak of the options as the user typed them."""
    try:
        return operator.requested(uri, sha256, version)
    except RequestError as error:
        option = _OPTIONS[error.field]
        fix = error.fix if option != "--uri" else "Give an address such as https://example.org/fw.img"
        raise RequestError(error.what.replace(error.field, option), field=option, why=error.why, fix=fix) from error


def _show_answer(out: Output, answer: Answer) -> None:
    document = {
        "event": "answer",
        "deviceId": answer.device_id,
        "status": answer.status,
        "updateId": answer.update_id,
        "payload": answer.payload,
    }
    known = f"  (update {answer.update_id})" if answer.update_id else ""
    out.data(document, f"{answer.device_id} answered {answer.status}: {answer.text or 'nothing'}{known}")


def _follow(
    out: Output,
    client: Client,
    device_id: str,
    *,
    update_id: str | None,
    before: Section | None = None,
    interval_s: float,
    timeout_s: float | None,
) -> None:
    """Show what the device reports until it settles; raises the error of an update that ended badly."""
    section: Section | None = None
    events = operator.watch(
        client, device_id, update_id=update_id, before=before, interval_s=interval_s, timeout_s=timeout_s
    )
    with out.bar() as bar:
        for event in events:
            match event:
                case Snapshot():
                    _show_snapshot(out, bar, device_id, event, section)
                    section = event.section
                case HubAway():
                    out.say(f"the hub does not answer ({event.error.what}); watching on, the device does not need us")
                case HubBack():
                    out.say(f"the hub is back after {event.away_s:.0f} s")
    if section is not None:
        section.require_success(device_id)


def _show_snapshot(out: Output, bar: Bar, device_id: str, snapshot: Snapshot, last: Section | None) -> None:
    section = snapshot.section
    bar.show(_reached(section), section.status)
    text = _told(section)
    # For people a line is worth printing when more than the progress has changed; that is the bar's.
    if out.json or last is None or text != _told(last):
        document = {
            "event": "reported",
            "deviceId": device_id,
            "elapsedS": round(snapshot.elapsed_s, 3),
            "firmwareUpdate": section.document,
        }
        out.data(document, f"{snapshot.elapsed_s:7.1f} s  {text}")


def _told(section: Section) -> str:
    parts = [_state(section) or "no status"]
    if section.reason:
        parts.append(section.reason + (f" until {section.until}" if section.until else ""))
    if section.resumed:
        parts.append(f"went on after {section.resumed} restart{'s' * (section.resumed > 1)}")
    if section.error:
        parts.append(section.error)
    return "  ".join(parts)


def _reached(section: Section) -> int:
    if section.status == State.DOWNLOADING:
        return _LOADING_FROM + (_LOADED - _LOADING_FROM) * (section.percent or 0) // 100
    return _REACHED.get(_state(section), 0)


def _state(section: Section) -> str:
    return ".".join(filter(None, (section.status, section.substatus)))
