"""Shows what a device answers and reports, until its update settles."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

import fwsm.service as operator
from fwsm.cli.values import Seconds
from fwsm.core.update import State
from fwsm.errors import DeviceOfflineError
from fwsm.service import HubAway, HubBack, Section, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.output import Output
    from fwsm.cli.progress import Bar
    from fwsm.service import Answer, Client, Command

__all__ = [
    "ask",
    "follow",
    "following_options",
    "left_s",
    "meet",
    "online_option",
    "reached",
    "show_happening",
    "told",
    "twin_of",
]

_T = TypeVar("_T")

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


def following_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --interval and --timeout."""
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
        help="Stop waiting after so many seconds, with exit code 5 or 6; what a device has begun goes on.",
    )
    return interval(timeout(command))


def online_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option --wait-online."""
    return click.option(
        "--wait-online",
        is_flag=True,
        help="If the device is offline, or the hub, wait until the hub can reach it; no longer than --timeout.",
    )(command)


def ask(
    out: Output,
    client: Client,
    device_id: str,
    command: Command,
    *,
    wait_online: bool,
    timeout_s: float | None,
    began: float | None = None,
) -> Answer:
    """Send a command, show the answer, and return it; with `wait_online` as soon as the device can be reached.

    The timeout counts from `began` (of time.monotonic), or from now.
    """
    if began is None:
        began = time.monotonic()
        if wait_online or timeout_s is not None:
            meet(out, twin_of(client, device_id), patient=True, timeout_s=timeout_s)

    def call() -> Answer:
        return operator.send(client, device_id, command)

    if wait_online:
        answer = operator.when_online(
            call,
            client,
            device_id,
            timeout_s=timeout_s,
            since=began,
            on_event=lambda event: show_happening(out, event),
        )
    else:
        answer = call()
    _show_answer(out, answer)
    return answer


def meet(out: Output, look: Callable[[bool], _T], *, patient: bool, timeout_s: float | None) -> _T:
    """Return what a first look at the hub finds; with `patient` as soon as the hub answers, within the timeout."""
    if not patient:
        return look(True)
    return operator.first_look(look, timeout_s=timeout_s, on_event=lambda event: show_happening(out, event))


def twin_of(client: Client, device_id: str) -> Callable[[bool], dict[str, Any]]:
    """A look at a device's twin, for `meet`."""
    return lambda patient: client.twin(device_id, patient=patient)


def left_s(timeout_s: float | None, began: float) -> float | None:
    """Return what is left of a timeout that counts from `began` (of time.monotonic); None if there is none."""
    return None if timeout_s is None else max(0.0, timeout_s - (time.monotonic() - began))


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


def show_happening(out: Output, happening: DeviceOfflineError | HubAway | HubBack) -> None:
    """Tell what keeps us waiting."""
    match happening:
        case DeviceOfflineError():
            out.say(f"{happening.what}; waiting for it to come online")
        case HubAway():
            out.say(f"the hub does not answer ({happening.error.what}); watching on, the device does not need us")
        case HubBack():
            out.say(f"the hub is back after {happening.away_s:.0f} s")


def follow(
    out: Output,
    client: Client,
    device_id: str,
    *,
    update_id: str | None,
    before: Section | None = None,
    interval_s: float,
    timeout_s: float | None,
    began: float,
) -> None:
    """Show what the device reports until it settles; raises the error of an update that ended badly.

    The timeout counts from `began` (of time.monotonic).
    """
    section: Section | None = None
    events = operator.watch(
        client,
        device_id,
        update_id=update_id,
        before=before,
        interval_s=interval_s,
        timeout_s=timeout_s,
        since=began,
    )
    with out.bar() as bar:
        for event in events:
            if isinstance(event, Snapshot):
                _show_snapshot(out, bar, device_id, event, section)
                section = event.section
            else:
                show_happening(out, event)
    if section is not None:
        section.require_success(device_id)


def _show_snapshot(out: Output, bar: Bar, device_id: str, snapshot: Snapshot, last: Section | None) -> None:
    section = snapshot.section
    bar.show(reached(section), section.status)
    text = told(section)
    # For people a line is worth printing when more than the progress has changed; that is the bar's.
    if out.json or last is None or text != told(last):
        document = {
            "event": "reported",
            "deviceId": device_id,
            "elapsedS": round(snapshot.elapsed_s, 3),
            "firmwareUpdate": section.document,
        }
        out.data(document, f"{snapshot.elapsed_s:7.1f} s  {text}")


def told(section: Section) -> str:
    """Return a section in words, without its progress."""
    parts = [_state(section) or "no status"]
    if section.reason:
        parts.append(section.reason + (f" until {section.until}" if section.until else ""))
    if section.resumed:
        parts.append(f"went on after {section.resumed} restart{'s' * (section.resumed > 1)}")
    if section.error:
        parts.append(section.error)
    return "  ".join(parts)


def reached(section: Section) -> int:
    """Return how far an update is, in percent of all of it."""
    if section.status == State.DOWNLOADING:
        return _LOADING_FROM + (_LOADED - _LOADING_FROM) * (section.percent or 0) // 100
    return _REACHED.get(_state(section), 0)


def _state(section: Section) -> str:
    return ".".join(filter(None, (section.status, section.substatus)))
